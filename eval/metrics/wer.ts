import { errorRate } from "./error-rate.ts";

/** White space at the ends goes, spaces in a row are one, and words stand between spaces; a tab is part of a word. */
function words(text: string): string[] {
  return text
    .trim()
    .split(/ +/)
    .filter((word) => word !== "");
}

/**
 * Word error rate, pooled over all rows (see `errorRate`); words as jiwer's defaults cut them, after the `normaliser`.
 * As jiwer.wer of lists of texts.
 */
export const wer = errorRate("wer", "word", words);
