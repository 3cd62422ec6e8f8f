import { splitAtSpace } from "./white-space.ts";

/** Words as they stand between white space: for texts that are tokenized already. */
export function tokenizeNone(text: string): string[] {
  return splitAtSpace(text);
}
