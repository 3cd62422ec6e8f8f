import llama from "llama-tokenizer-js";

const special = (id: number, content: string) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});

/**
 * The tokenizer of Llama 1 and 2, which Moonshine uses, as a Hugging Face tokenizer.json that can decode.
 *
 * @param size tokens of the model; those beyond Llama's stand for nothing
 */
export function llamaTokenizer(size: number): object {
  const tokens = Array.from({ length: size }, (_, id) => llama.vocabById[id] ?? `<<${id}>>`);
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [special(0, tokens[0]!), special(1, tokens[1]!), special(2, tokens[2]!)],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: "▁" }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        { type: "Strip", content: " ", start: 1, stop: 0 },
      ],
    },
    model: {
      type: "BPE",
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: [],
      unk_token: tokens[0],
      byte_fallback: true,
    },
  };
}
