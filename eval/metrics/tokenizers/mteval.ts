import { splitAtSpace } from "./white-space.ts";

/**
 * The rules that sacreBLEU's tokenizers 13a and zh end with, of NIST's mteval-v13a.pl: punctuation and symbols of ASCII
 * stand alone; a full stop or comma stays within a number, a hyphen after a digit does not.
 */
export function splitMteval(text: string): string[] {
  return splitAtSpace(
    text
      .replace(/([{-~[-` -&(-+:-@/])/g, " $1 ")
      .replace(/([^0-9])([.,])/gu, "$1 $2 ")
      .replace(/([.,])([^0-9])/gu, " $1 $2")
      .replace(/([0-9])(-)/g, "$1 $2 "),
  );
}
