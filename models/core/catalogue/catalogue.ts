import { parse } from "csv-parse/sync";
import { ConfigurationError } from "../errors.ts";
import type { CatalogueFile } from "./schema.ts";

/** One item that a ranking may hold. */
export type CatalogueItem = { id: string; title?: string };

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads a catalogue: CSV with a header, JSON Lines, or a JSON list of objects, told apart by the file's ending.
 *
 * @param place of the file in the manifest
 * @throws ConfigurationError for a malformed file, an item without an id, an id that stands twice, and no items
 */
export function readCatalogue(
  text: string,
  { path, id, title }: CatalogueFile & { title?: string | undefined },
  place: () => string,
): CatalogueItem[] {
  const refuse = (problem: string, expected: string, received: string, cause?: unknown) =>
    new ConfigurationError({ code: "head-catalogue", place: place(), problem, expected, received }, { cause });
  let records: readonly unknown[];
  try {
    records = recordsOf(text, path);
  } catch (error) {
    throw refuse(
      `the catalogue ${path} cannot be read`,
      "a file ending in .csv, .jsonl or .json (a list of objects)",
      String((error as Error).message).slice(0, 120),
      error,
    );
  }
  const seen = new Map<string, number>();
  const items = records.map((record, i): CatalogueItem => {
    const fields = (typeof record === "object" && record !== null ? record : {}) as Fields;
    const own = itemId(fields[id]);
    if (own === null)
      throw refuse(
        `item ${i} of the catalogue ${path} has no id`,
        `a text or a whole number in its field "${id}"`,
        JSON.stringify(record)?.slice(0, 80) ?? "nothing",
      );
    const earlier = seen.get(own);
    if (earlier !== undefined)
      throw refuse(`the catalogue ${path} has an item twice`, "every id once", `"${own}" as item ${earlier} and ${i}`);
    seen.set(own, i);
    const name = title === undefined ? undefined : fields[title];
    return typeof name === "string" && name !== "" ? { id: own, title: name } : { id: own };
  });
  if (items.length === 0) throw refuse(`the catalogue ${path} is empty`, "at least one item", "none");
  if (title !== undefined && !items.some((item) => item.title !== undefined))
    throw refuse(`no item of the catalogue ${path} has the title "${title}"`, "a field with a name", "none");
  return items;
}

const rowsOfItems = new WeakMap<readonly CatalogueItem[], ReadonlyMap<string, number>>();

/** Item id → its row in the catalogue, from 0. One map for whoever asks about the same list: it has a million entries. */
export function rowOfItem(items: readonly CatalogueItem[]): ReadonlyMap<string, number> {
  const made = rowsOfItems.get(items) ?? new Map(items.map(({ id }, i) => [id, i]));
  rowsOfItems.set(items, made);
  return made;
}

/** An item's id as text; null for what is none. */
export function itemId(value: unknown): string | null {
  if (typeof value === "string") return value === "" ? null : value;
  return typeof value === "number" && Number.isSafeInteger(value) ? String(value) : null;
}

function recordsOf(text: string, path: string): readonly unknown[] {
  if (/\.csv$/i.test(path)) return parse(text, { columns: true, bom: true, skip_empty_lines: true }) as unknown[];
  if (/\.(jsonl|ndjson)$/i.test(path))
    return text
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line) => JSON.parse(line) as unknown);
  if (!/\.json$/i.test(path)) throw new SyntaxError(`the ending of ${path} tells no format`);
  const value: unknown = JSON.parse(text);
  if (!Array.isArray(value)) throw new SyntaxError("not a JSON list");
  return value;
}
