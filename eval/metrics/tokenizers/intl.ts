import { splitAtSpace } from "./white-space.ts";

/** sacreBLEU's intl, of mteval-v14.pl: punctuation and symbols of any script stand alone, but not between digits. */
export function tokenizeIntl(text: string): string[] {
  return splitAtSpace(
    text
      .replace(/(\P{N})(\p{P})/gu, "$1 $2 ")
      .replace(/(\p{P})(\P{N})/gu, " $1 $2")
      .replace(/(\p{S})/gu, " $1 "),
  );
}
