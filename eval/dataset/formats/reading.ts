/**
 * What a reader found at one place of a file, in file order. `at` is a line (1-based), an item (0-based) or a path
 * inside a folder, as the reader's `PlaceStyle` says. `index` counts the file's records from 0, malformed ones
 * included, so that a row's id does not change when another row is repaired.
 */
export type Reading =
  | { kind: "record"; index: number; at: number | string; fields: Record<string, unknown> }
  | { kind: "malformed"; index: number; at: number | string; reason: string };

export type PlaceStyle = "line" | "item" | "path";

/** FILE:LINE, FILE[ITEM] or FOLDER/PATH. */
export function placeName(file: string, style: PlaceStyle, at: number | string): string {
  if (style === "line") return `${file}:${at}`;
  return style === "item" ? `${file}[${at}]` : `${file}/${at}`;
}
