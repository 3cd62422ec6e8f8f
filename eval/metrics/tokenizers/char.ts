import { splitAtSpace } from "./white-space.ts";

/** sacreBLEU's char: every code point that is no white space. */
export function tokenizeChar(text: string): string[] {
  return splitAtSpace([...text].join(" "));
}
