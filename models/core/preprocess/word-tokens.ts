import type { Tokenizer } from "@huggingface/tokenizers";
import type { Word } from "./compiled.ts";

/**
 * The words between white space, and where each one's first token is. The library gives no offsets, so every word is
 * encoded alone; that is faithful where the words' tokens together are those of the text, which is checked.
 *
 * @param before special tokens in front of the text
 * @returns null where they are not
 */
export function wordTokens(tokenizer: Pick<Tokenizer, "encode">, text: string, before: number): Word[] | null {
  const encode = (piece: string) => tokenizer.encode(piece, { add_special_tokens: false }).ids;
  const whole = encode(text);
  const words: Word[] = [];
  let at = 0;
  for (const match of text.matchAll(/\S+/gu)) {
    const ids = encode(match[0]);
    for (const [i, id] of ids.entries()) if (whole[at + i] !== id) return null;
    // A word that the normalizer drops has no token, and so no label.
    if (ids.length > 0) words.push({ start: match.index, end: match.index + match[0].length, token: before + at });
    at += ids.length;
  }
  return at === whole.length ? words : null;
}
