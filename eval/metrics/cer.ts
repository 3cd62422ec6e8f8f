import { errorRate } from "./error-rate.ts";

/**
 * Character error rate, pooled over all rows (see `errorRate`): code points, spaces between words included, white space
 * at the ends not, after the `normaliser`. As jiwer.cer of lists of texts.
 */
export const cer = errorRate("cer", "character", (text) => [...text.trim()]);
