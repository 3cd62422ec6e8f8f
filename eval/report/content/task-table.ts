/** A piece of a cell. `missing` and `added` are differences from what is true; a `hit` is what is right in a list. */
export type Piece = { text: string; kind: "plain" | "hit" | "missing" | "added" };

/** `list`: the pieces are entries with commas between them, otherwise they are one text. */
type Line = { label: string; pieces: Piece[]; list: boolean };

export type Cell =
  /** A name or a figure; `aside` is shown fainter behind it. */
  { text: string; aside?: string } | { lines: Line[] };

/** A table about the answers of one head, in text from outside that the reader of this type escapes. */
export type TaskTable = {
  /** Our own words: what the table is, and how to read it. */
  name: string;
  about: string;
  columns: { title: string; numeric: boolean }[];
  rows: Cell[][];
  /** Rows that are left out, because there are too many. */
  left: number;
};

/** Most rows of one table. */
export const maxRows = 50;

/** Most entries of a list in a cell. */
const maxEntries = 12;

/** Entries of a list with commas between them; what is beyond `maxEntries` is counted. */
export function listed(entries: readonly Piece[]): Piece[] {
  const left = entries.length - maxEntries;
  const shown = entries.slice(0, maxEntries);
  return left <= 0 ? shown : [...shown, { text: `… ${left} more`, kind: "plain" }];
}
