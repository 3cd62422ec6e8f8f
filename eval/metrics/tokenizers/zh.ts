import { splitMteval } from "./mteval.ts";

/**
 * What sacreBLEU's zh takes for a Chinese character. Two of its ranges are meant for planes beyond the first but are
 * written as five-digit \u escapes, which Python reads as U+2000 and a digit; they are kept as they work there
 * (U+2001 to U+2A6D, U+2F81 to U+2FA1), so that the scores are the same.
 */
const chinese =
  /[\u3400-\u4db5\u4e00-\u9fa5\u9fa6-\u9fbb\uf900-\ufa2d\ufa30-\ufa6a\ufa70-\ufad9\u2001-\u2a6d\u2f81-\u2fa1\uff00-\uffef\u2e80-\u2eff\u3000-\u303f\u31c0-\u31ef\u2f00-\u2fdf\u2ff0-\u2fff\u3100-\u312f\u31a0-\u31bf\ufe10-\ufe1f\ufe30-\ufe4f\u2600-\u26ff\u2700-\u27bf\u3200-\u32ff\u3300-\u33ff]/g;

/** sacreBLEU's zh: every Chinese character alone, the rest as 13a. */
export function tokenizeZh(text: string): string[] {
  return splitMteval(text.trim().replace(chinese, " $& "));
}
