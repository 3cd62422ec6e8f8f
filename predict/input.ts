import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Item } from "../eval/dataset/formats/items.ts";
import { formatOf, openReader, type Format } from "../eval/dataset/formats/open.ts";
import { placeName } from "../eval/dataset/formats/reading.ts";
import { ConfigurationError, SluiceError } from "../models/core/errors.ts";

/** `notes`: what was taken from the file's beginning, such as its delimiter, for people. */
export type Input = { path: string; format: Format; sha256: string; rows: number; notes: string[] };

/** @throws ConfigurationError when the file is missing, of no known format, or without rows. */
export async function describeInput(path: string): Promise<Input> {
  const found = await stat(path).catch(() => null);
  if (found?.isFile() !== true)
    throw new ConfigurationError({
      code: "predict-input",
      place: "--input",
      problem: found === null ? "no such file" : "not a file",
      expected: "a CSV, JSON, JSON Lines or Parquet file",
      received: path,
      example: "--input rows.csv",
    });
  try {
    const format = await formatOf(path, path, undefined);
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
    let rows = 0;
    const { readings, notes } = await openReader(path, path, format, new Map(), "text");
    for await (const reading of readings) rows = reading.index + 1;
    if (rows === 0)
      throw new ConfigurationError({
        code: "predict-input",
        place: path,
        problem: "the file has no rows",
        expected: "at least one row",
      });
    return { path, format, sha256: hash.digest("hex"), rows, notes };
  } catch (error) {
    if (error instanceof SluiceError && !(error instanceof ConfigurationError))
      throw new ConfigurationError(error.diagnostic, { cause: error });
    throw error;
  }
}

/**
 * A table has one row per key, so every row of the file needs one of its own.
 *
 * @throws ConfigurationError naming the first row without one, or with another row's
 */
export async function requireKeys(input: Input, idField: string): Promise<void> {
  const rowOf = new Map<string, number>();
  const { style, readings } = await openReader(input.path, input.path, input.format, new Map([[idField, "text"]]));
  for await (const reading of readings) {
    const wrong = (problem: string, received: string) =>
      new ConfigurationError({
        code: "predict-key",
        place: placeName(input.path, style, reading.at),
        problem,
        expected: `a key in the column ${idField}: there for every row, and for each a different one`,
        received,
        hint: "--id names another column",
      });
    if (reading.kind === "malformed") throw wrong(reading.reason, "a row that cannot be read");
    const key = Object.hasOwn(reading.fields, idField) ? reading.fields[idField] : undefined;
    if (key === null || key === "" || !["string", "number"].includes(typeof key))
      throw wrong("the row has no key", JSON.stringify(key) ?? "nothing");
    const before = rowOf.get(String(key));
    if (before !== undefined) throw wrong(`row ${before} has the same key`, String(key));
    rowOf.set(String(key), reading.index);
  }
}

/**
 * Groups rows into requests of at most `maxBytes` bytes. `size()` is called for each request and gives its number of
 * rows. Concurrent calls of `take` wait for each other.
 */
export function batcher(
  items: AsyncGenerator<Item>,
  size: () => number,
  maxBytes: number,
): { take: () => Promise<Item[] | null>; close: () => Promise<unknown> } {
  let ahead: Item | null = null;
  let turn: Promise<unknown> = Promise.resolve();
  const fill = async (): Promise<Item[] | null> => {
    const batch: Item[] = [];
    const rows = size();
    let bytes = 0;
    while (batch.length < rows) {
      const item: Item | null = ahead ?? ((await items.next()).value as Item | undefined) ?? null;
      ahead = null;
      if (item === null) break;
      bytes += "json" in item ? Buffer.byteLength(item.json) + 1 : 0;
      if (bytes > maxBytes && batch.length > 0) {
        ahead = item;
        break;
      }
      batch.push(item);
    }
    return batch.length === 0 ? null : batch;
  };
  return {
    take() {
      const mine = turn.then(fill);
      turn = mine.catch(() => {});
      return mine;
    },
    close: () => turn.then(() => items.return(undefined)),
  };
}
