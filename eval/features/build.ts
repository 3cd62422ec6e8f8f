import { createHash } from "node:crypto";
import { ConfigurationError, EvaluationError } from "../../models/core/errors.ts";
import { formatValue } from "../../models/core/format-value.ts";
import { writeFileAtomic } from "../../models/core/atomic-write.ts";
import { tableBuilder, type Repeats, type TableBuilder } from "../../models/core/lookup/encode-table.ts";
import { instantMs, instantWords } from "../../models/core/lookup/instant.ts";
import { joinKey, keyPart, keyWords } from "../../models/core/lookup/key.ts";
import type { CellType } from "../dataset/formats/cells.ts";
import { formatOf, openReader } from "../dataset/formats/open.ts";
import { placeName } from "../dataset/formats/reading.ts";

export type BuildRequest = {
  /** Data files: CSV, JSON Lines, JSON or Parquet. */
  inputs: readonly string[];
  /** Columns that make the key. */
  key: readonly string[];
  /** Column with the time of an event; null: features without times. */
  time: string | null;
  /** Column with the time at which an event was written down; of two at one time the later one holds. */
  created: string | null;
  /** Columns with the features; null: every further one of the first record. */
  columns: readonly string[] | null;
  repeats: Repeats;
  /** Only every key's newest event. */
  latest: boolean;
  /** Only events up to this time, milliseconds since 1970; null: all. */
  asOfMs: number | null;
  out: string;
};

export type Built = { sha256: string; bytes: number; keys: number; events: number; columns: readonly string[] };

/**
 * Makes a feature table of data files.
 *
 * @throws EvaluationError `feature-record` for the first record that is none; ConfigurationError for a column that no
 *   record has, and as `tableBuilder`
 */
export async function buildFeatures(request: BuildRequest): Promise<Built> {
  const { key, time, created } = request;
  const types = new Map<string, CellType>([
    ...key.map((name): [string, CellType] => [name, "text"]),
    ...(request.columns ?? []).map((name): [string, CellType] => [name, "number"]),
  ]);
  let columns = request.columns;
  let builder: TableBuilder | null = null;
  for (const file of request.inputs) {
    const format = await formatOf(file, file, undefined);
    const { style, readings } = await openReader(file, file, format, types);
    for await (const reading of readings) {
      const place = () => placeName(file, style, reading.at);
      if (reading.kind === "malformed") throw unusable(place(), "a record cannot be read", reading.reason);
      const { fields } = reading;
      columns ??= Object.keys(fields).filter((name) => !key.includes(name) && name !== time && name !== created);
      if (builder === null) {
        assertColumns([...key, ...columns, time, created], fields, file);
        builder = tableBuilder(columns, request.time === null ? { timed: false } : { ...request, timed: true });
      }
      const at = time === null ? 0 : instantOf(fields, time, place);
      if (request.asOfMs !== null && at > request.asOfMs) continue;
      const values = columns.map((name) => numberOf(fields, name, place));
      const parts = key.map((name) => {
        const part = keyPart(own(fields, name));
        if (part === null) throw unusable(place(), `${name} is no key`, formatValue(own(fields, name)), keyWords);
        return part;
      });
      const createdMs = created === null ? Number.NaN : instantOf(fields, created, place);
      builder.add(joinKey(parts), at, createdMs, values, place);
    }
  }
  if (builder === null || columns === null)
    throw new EvaluationError({
      code: "feature-record",
      place: request.inputs.join(", "),
      problem: "there is no record to make features of",
      expected: "at least one",
    });
  const { bytes, keys, events } = builder.finish();
  await writeFileAtomic(request.out, bytes);
  return { sha256: createHash("sha256").update(bytes).digest("hex"), bytes: bytes.length, keys, events, columns };
}

function assertColumns(wanted: readonly (string | null)[], fields: Record<string, unknown>, file: string): void {
  const lacking = wanted.filter((name) => name !== null && !Object.hasOwn(fields, name));
  if (lacking.length === 0) return;
  throw new ConfigurationError({
    code: "feature-column",
    place: file,
    problem: `the first record has no ${lacking.join(", ")}`,
    expected: `columns among ${Object.keys(fields).slice(0, 40).join(", ")}`,
    received: lacking.join(", "),
  });
}

const own = (fields: Record<string, unknown>, name: string): unknown =>
  Object.hasOwn(fields, name) ? fields[name] : undefined;

function instantOf(fields: Record<string, unknown>, name: string, place: () => string): number {
  const value = own(fields, name);
  // Parquet and large CSV numbers arrive as bigint.
  const ms = instantMs(typeof value === "bigint" ? Number(value) : value);
  if (ms === null) throw unusable(place(), `${name} is no point in time`, formatValue(value), instantWords);
  return ms;
}

/** An absent, null or empty value is one that is not there. */
function numberOf(fields: Record<string, unknown>, name: string, place: () => string): number {
  const value = own(fields, name);
  if (value === undefined || value === null || value === "") return Number.NaN;
  if (typeof value === "boolean") return value ? 1 : 0;
  const number = typeof value === "bigint" ? Number(value) : value;
  if (typeof number !== "number" || !Number.isFinite(number))
    throw unusable(
      place(),
      `${name} is no number`,
      formatValue(value),
      "a finite number, or nothing where there is no value",
    );
  return number;
}

function unusable(place: string, problem: string, received: string, expected?: string): EvaluationError {
  return new EvaluationError({
    code: "feature-record",
    place,
    problem,
    ...(expected === undefined ? {} : { expected }),
    received,
  });
}
