import { splitMteval } from "./mteval.ts";

/** sacreBLEU's 13a, the tokenizer of WMT: for languages that put spaces between words. */
export function tokenize13a(text: string): string[] {
  let line = text.replaceAll("<skipped>", "").replaceAll("-\n", "").replaceAll("\n", " ");
  if (line.includes("&"))
    line = line.replaceAll("&quot;", '"').replaceAll("&amp;", "&").replaceAll("&lt;", "<").replaceAll("&gt;", ">");
  return splitMteval(` ${line} `);
}
