import { Tokenizer } from "@huggingface/tokenizers";
import { ConfigurationError, EvaluationError } from "../errors.ts";
import type { Dtype } from "../tensors.ts";
import type { HeadFiles, RowTensor, TensorsHead } from "./compiled.ts";
import { numbersOf } from "./numbers-of.ts";
import type { TextHead } from "./schema.ts";

/**
 * Texts that the graph gives as token ids, as logits of token ids (the largest is taken), or as they are.
 *
 * @param dtype of the graph output; null where it is not known
 * @param generatedEnd id that ends the tokens of a decode loop; null where the graph gives them itself
 * @throws ConfigurationError `head-text` where ids have nothing that turns them into text, or texts do
 */
export function compileText(
  head: TextHead,
  place: () => string,
  dtype: Dtype | null,
  files: HeadFiles,
  generatedEnd: number | null = null,
): TensorsHead {
  const decoder = decoderOf(head, place, files);
  const named = decoder !== null;
  if (
    (head.tokenizer !== undefined && head.vocabulary !== undefined) ||
    (dtype !== null && named === (dtype === "string"))
  )
    throw new ConfigurationError({
      code: "head-text",
      place: place(),
      problem:
        dtype === "string"
          ? `the output ${head.from} is a text already, and the head ${head.name} has a file that turns ids into text`
          : head.tokenizer !== undefined && head.vocabulary !== undefined
            ? `the head ${head.name} has a tokenizer and a vocabulary`
            : `nothing turns the ids of ${head.from} into text`,
      expected: dtype === "string" ? "neither `tokenizer` nor `vocabulary`" : "one of `tokenizer` and `vocabulary`",
      received:
        [head.tokenizer && "tokenizer", head.vocabulary && "vocabulary"].filter(Boolean).join(" and ") || "none",
      ...(dtype === "string" ? {} : { example: "vocabulary: {path: vocabulary.json, sha256: …}" }),
    });
  return {
    kind: "tensors",
    head,
    readRow(outputs, _, rowName) {
      const tensor = outputs[head.from];
      if (decoder === null)
        return { kind: "text", text: wholeText(head, tensor, rowName), finishReason: "stop", usage: null };
      const { ids, ended } = idsOf(head, tensor, rowName, generatedEnd);
      const strange = ids.findIndex((id) => !Number.isInteger(id) || id < 0 || id >= decoder.size);
      if (strange !== -1)
        throw new EvaluationError({
          code: "text-id",
          place: rowName(),
          problem: `the output ${head.from} has an id that the head ${head.name} has no token for`,
          expected: `ids from 0 to ${decoder.size - 1}`,
          received: `${ids[strange]} at position ${strange}`,
        });
      return { kind: "text", text: decoder.decode(ids), finishReason: ended ? "stop" : "length", usage: null };
    },
    raw: (outputs) => ({
      numbers: [],
      exact:
        decoder === null
          ? [wholeText(head, outputs[head.from], () => "")]
          : idsOf(head, outputs[head.from], () => "", generatedEnd).ids,
      ranked: [],
    }),
  };
}

type Decoder = { size: number; decode: (ids: readonly number[]) => string };

function decoderOf(head: TextHead, place: () => string, files: HeadFiles): Decoder | null {
  if (files.vocabulary !== undefined) {
    const { vocabulary } = files;
    const separator = head.vocabulary?.separator ?? "";
    return { size: vocabulary.length, decode: (ids) => ids.map((id) => vocabulary[id]!).join(separator) };
  }
  if (files.tokenizer === undefined) return null;
  try {
    const tokenizer = new Tokenizer(files.tokenizer, {});
    const size = 1 + Math.max(-1, ...tokenizer.get_vocab(true).values());
    // Of nothing it would make an error.
    return {
      size,
      decode: (ids) => (ids.length === 0 ? "" : tokenizer.decode([...ids], { skip_special_tokens: true })),
    };
  } catch (error) {
    throw new ConfigurationError(
      {
        code: "tokenizer",
        place: place(),
        problem: `the tokenizer of the head ${head.name} cannot be built`,
        expected: "a Hugging Face tokenizer.json",
        received: String((error as Error).message).split("\n", 1)[0] ?? "",
      },
      { cause: error },
    );
  }
}

function wholeText(head: TextHead, tensor: RowTensor | undefined, rowName: () => string): string {
  const text = tensor?.data[0];
  if (tensor?.data.length === 1 && typeof text === "string") return text;
  throw misfit(head, tensor, "a text per row", rowName());
}

/** The ids up to the end, after the CTC rule; `ended`: whether the graph said that the text is over. */
function idsOf(
  head: TextHead,
  tensor: RowTensor | undefined,
  rowName: () => string,
  generatedEnd: number | null,
): { ids: number[]; ended: boolean } {
  if (tensor === undefined || tensor.dtype === "string" || tensor.dims.length < 1 || tensor.dims.length > 2)
    throw misfit(head, tensor, "[batch, length] ids or [batch, length, tokens] logits", rowName());
  const values = numbersOf(tensor.data);
  const given = tensor.dims.length === 1 ? Array.from(values) : largest(head, values, tensor.dims[1]!, rowName);
  const { ctc } = head;
  const end = generatedEnd ?? head.end;
  // A decode loop fills rows of different lengths with -1, after the end or after the last token of a text without one.
  const filler = generatedEnd === null ? -1 : given.indexOf(-1);
  if (filler !== -1) given.length = filler;
  const stop = end === undefined ? -1 : given.indexOf(end);
  const ids = stop === -1 ? given : given.slice(0, stop);
  return {
    ids: ctc === undefined ? ids : ids.filter((id, i) => id !== ctc.blank && (i === 0 || id !== ids[i - 1])),
    ended: end === undefined || stop !== -1,
  };
}

/** The id with the largest logit at each place; the first of equal ones. */
function largest(head: TextHead, logits: ArrayLike<number>, tokens: number, rowName: () => string): number[] {
  return Array.from({ length: logits.length / tokens }, (_, place) => {
    let top = 0;
    for (let i = 0; i < tokens; i++) {
      const logit = logits[place * tokens + i]!;
      if (!Number.isFinite(logit))
        throw new EvaluationError({
          code: "output-not-finite",
          place: rowName(),
          problem: `the head ${head.name} gives no finite number`,
          expected: "finite logits",
          received: `${logit} at position ${place} of ${head.from}`,
        });
      if (logit > logits[place * tokens + top]!) top = i;
    }
    return top;
  });
}

function misfit(head: TextHead, tensor: RowTensor | undefined, expected: string, place: string): EvaluationError {
  return new EvaluationError({
    code: "output-size",
    place,
    problem: `the output ${head.from} is not what the head ${head.name} reads`,
    expected,
    received:
      tensor === undefined
        ? "another number of rows than it was fed"
        : `[batch${tensor.dims.map((size) => `, ${size}`).join("")}] of ${tensor.dtype}`,
  });
}
