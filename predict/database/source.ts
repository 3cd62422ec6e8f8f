import { createHash } from "node:crypto";
import { parseCell, type CellType } from "../../eval/dataset/formats/cells.ts";
import { ConfigurationError } from "../../models/core/errors.ts";
import type { Item } from "../../eval/dataset/formats/items.ts";
import type { Source } from "../source.ts";
import type { Address } from "./address.ts";
import { quoted, quotedTable, type Database, type SqlValue } from "./database.ts";

/** Rows that are read at a time. */
const PAGE_ROWS = 1000;

/**
 * The rows of a table or query, in the order of their keys, a page at a time, so that memory stays bounded and no
 * transaction stays open. Keys must be there and distinct, or rows would be left out.
 *
 * @param digested whether all rows are read once to make `sha256`, which an output that is a file needs
 * @throws ConfigurationError when there is no such table or key, or keys are missing or repeated
 */
export async function databaseSource(
  database: Database,
  { from, at }: Address,
  key: string,
  digested: boolean,
): Promise<Source> {
  const rowsFrom = "table" in from ? quotedTable(from.table) : `(${from.query.replace(/[\s;]+$/, "")})`;
  if ("table" in from) {
    const columns = await database.columns(from.table);
    const wrong = (problem: string, expected: string, received: string) =>
      new ConfigurationError({ code: "predict-database", place: at, problem, expected, received });
    if (columns === null) throw wrong("there is no such table", "a table that there is", from.table);
    const names = columns.map(({ name }) => name);
    if (!names.includes(key))
      throw wrong(`the table has no column ${key} to know its rows by`, `--id COLUMN: one of ${names.join(", ")}`, key);
  }
  const [counted] = await database.query({
    text: `SELECT count(*) AS total, count(${quoted(key)}) AS keyed, count(DISTINCT ${quoted(key)}) AS distinct_keys, sum(CASE WHEN ${database.isBytes(quoted(key))} THEN 1 ELSE 0 END) AS bytes FROM ${rowsFrom} AS input`,
    values: [],
  });
  const [rows, keyed, distinct, bytes] = ["total", "keyed", "distinct_keys", "bytes"].map((name) =>
    Number(counted![name]),
  ) as [number, number, number, number];
  if (rows === 0)
    throw new ConfigurationError({
      code: "predict-input",
      place: at,
      problem: "there are no rows",
      expected: "at least one row",
    });
  if (keyed < rows || distinct < rows)
    throw new ConfigurationError({
      code: "predict-key",
      place: at,
      problem: `the column ${key} does not tell all rows apart`,
      expected: "a key: there for every row, and for each a different one",
      received:
        keyed < rows ? `${rows - keyed} of ${rows} rows without one` : `${distinct} different keys of ${rows} rows`,
      hint: "--id names another column",
    });
  // They come as base64, which has another order: pages would repeat or leave out rows.
  if (bytes > 0)
    throw new ConfigurationError({
      code: "predict-key",
      place: at,
      problem: `the column ${key} holds bytes, which cannot be a key here`,
      expected: "texts or numbers",
      received: `${bytes} of ${rows} rows with bytes`,
      hint: "--id names another column",
    });

  async function* pages(): AsyncGenerator<Record<string, unknown>[]> {
    for (let last: SqlValue = null; ;) {
      const page = await database.query({
        text: `SELECT * FROM ${rowsFrom} AS input ${last === null ? "" : `WHERE ${quoted(key)} > ${database.parameter(1)} `}ORDER BY ${quoted(key)} LIMIT ${PAGE_ROWS}`,
        values: last === null ? [] : [last],
      });
      if (page.length > 0) yield page;
      if (page.length < PAGE_ROWS) return;
      last = page.at(-1)![key] as SqlValue;
    }
  }

  const digest = async () => {
    const hash = createHash("sha256").update(at);
    for await (const page of pages())
      for (const row of page)
        hash.update(JSON.stringify(row, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value)));
    return hash.digest("hex");
  };
  return {
    name: at,
    sha256: digested ? await digest() : "",
    rows,
    async *items(fields, start): AsyncGenerator<Item> {
      let number = 0;
      for await (const page of pages())
        for (const row of page) {
          if (number >= start) yield { row: number, id: String(row[key]), json: JSON.stringify(sent(row, fields)) };
          number += 1;
        }
    },
    close: () => database.close(),
  };
}

function sent(row: Readonly<Record<string, unknown>>, fields: ReadonlyMap<string, CellType>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const name of fields.size === 0 ? Object.keys(row) : fields.keys()) {
    const value = Object.hasOwn(row, name) ? typed(row[name], fields.get(name) ?? "guess") : null;
    if (value !== null && value !== undefined)
      Object.defineProperty(kept, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return kept;
}

/** SQLite has no booleans and no lists, and keeps numbers as texts where a table says so. */
function typed(value: unknown, type: CellType): unknown {
  if (typeof value === "string" && (type === "number" || type === "boolean" || type === "json"))
    return parseCell(value, type);
  if (typeof value === "bigint") return String(value);
  return type === "boolean" && (value === 0 || value === 1) ? value === 1 : value;
}
