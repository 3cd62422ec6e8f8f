import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { EvaluationError } from "../../../models/core/errors.ts";
import type { Reading } from "./reading.ts";

const compressors = {
  GZIP: (input: Uint8Array) => new Uint8Array(gunzipSync(input)),
  BROTLI: (input: Uint8Array) => new Uint8Array(brotliDecompressSync(input)),
  ZSTD: (input: Uint8Array) => new Uint8Array(zstdDecompressSync(input)),
};
const readable = ["UNCOMPRESSED", "SNAPPY", ...Object.keys(compressors)];

/** Parquet values as JSON would hold them. Dates become ISO 8601; 64-bit integers beyond 2^53 become text. */
function jsonValue(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Date) return value.toISOString();
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<unknown>, jsonValue);
  if (Array.isArray(value)) return value.map(jsonValue);
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, jsonValue(field)]));
}

/**
 * Records of a Parquet file, one row group in memory at a time; `at` is the row's position in the file.
 * Reads uncompressed, Snappy, gzip, Brotli and Zstandard pages.
 * @throws EvaluationError `parquet-codec` for other compressions, `parquet-unreadable` for damaged files
 */
export async function* readParquet(path: string, name: string): AsyncGenerator<Reading> {
  const guard = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (cause) {
      throw new EvaluationError(
        {
          code: "parquet-unreadable",
          place: name,
          problem: "the file cannot be read as Parquet",
          received: (cause as Error).message,
        },
        { cause },
      );
    }
  };
  const file = await asyncBufferFromFile(path);
  const metadata = await guard(parquetMetadataAsync(file));
  const codecs = new Set(
    metadata.row_groups.flatMap((group) => group.columns.map((column) => column.meta_data?.codec ?? "UNCOMPRESSED")),
  );
  for (const codec of codecs) {
    if (!readable.includes(codec))
      throw new EvaluationError({
        code: "parquet-codec",
        place: name,
        problem: `Parquet compression ${codec} is not supported`,
        expected: readable.join(", "),
        received: codec,
        example: 'df.to_parquet("eval.parquet", compression="zstd")',
      });
  }
  const parsers = { dateFromDays: (days: number) => new Date(days * 86_400_000).toISOString().slice(0, 10) };
  let index = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = index + Number(group.num_rows);
    const rows = await guard(parquetReadObjects({ file, metadata, compressors, parsers, rowStart: index, rowEnd }));
    if (rows.length !== rowEnd - index)
      throw new EvaluationError({
        code: "parquet-unreadable",
        place: name,
        problem: "the file has fewer rows than it says",
        expected: String(rowEnd - index),
        received: String(rows.length),
      });
    for (const row of rows) {
      yield { kind: "record", index, at: index, fields: jsonValue(row) as Record<string, unknown> };
      index += 1;
    }
  }
}
