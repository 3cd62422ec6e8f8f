import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import {
  parquetMetadataAsync,
  parquetRead,
  parquetReadObjects,
  parquetSchema,
  type AsyncBuffer,
  type FileMetaData,
} from "hyparquet";
import { EvaluationError } from "../../../models/core/errors.ts";
import { plainPages, type PageValues } from "./parquet-pages.ts";
import type { Reading } from "./reading.ts";
import { rangesOf, type FileSource } from "./source.ts";

/** Largest page once unpacked; pages have about a megabyte. It stops a small file from filling the memory. */
const maxOutputLength = 256 * 2 ** 20;
const compressors = {
  GZIP: (input: Uint8Array) => new Uint8Array(gunzipSync(input, { maxOutputLength })),
  BROTLI: (input: Uint8Array) => new Uint8Array(brotliDecompressSync(input, { maxOutputLength })),
  ZSTD: (input: Uint8Array) => new Uint8Array(zstdDecompressSync(input, { maxOutputLength })),
};
const readable = ["UNCOMPRESSED", "SNAPPY", ...Object.keys(compressors)];

/**
 * A decimal's digits as text, exact at any precision; short ones as a number.
 * @param raw the unscaled integer: a number, a bigint, or big-endian two's complement
 */
function decimalValue(raw: unknown, scale: number): unknown {
  if (raw === null || raw === undefined) return null;
  let unscaled = 0n;
  if (raw instanceof Uint8Array) {
    for (const byte of raw) unscaled = (unscaled << 8n) | BigInt(byte);
    unscaled = BigInt.asIntN(8 * raw.length, unscaled);
  } else unscaled = BigInt(raw as number | bigint);
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, "0");
  const text = `${unscaled < 0n ? "-" : ""}${digits.slice(0, digits.length - scale)}${scale === 0 ? "" : `.${digits.slice(-scale)}`}`;
  return digits.length <= 15 ? Number(text) : text;
}

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

type OpenParquet = {
  file: AsyncBuffer;
  metadata: FileMetaData;
  /** Turns the library's errors into ours. */
  guard: <T>(work: Promise<T>) => Promise<T>;
};

async function openParquet(path: FileSource, name: string): Promise<OpenParquet> {
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
  const file = await rangesOf(path);
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
  return { file, metadata, guard };
}

const parsers = { dateFromDays: (days: number) => new Date(days * 86_400_000).toISOString().slice(0, 10) };

/**
 * Records of a Parquet file, one row group in memory at a time; `at` is the row's position in the file.
 * Reads uncompressed, Snappy, gzip, Brotli and Zstandard pages.
 * @throws EvaluationError `parquet-codec` for other compressions, `parquet-unreadable` for damaged files
 */
export async function* readParquet(path: FileSource, name: string): AsyncGenerator<Reading> {
  const { file, metadata, guard } = await openParquet(path, name);
  const decimals = exactDecimals(metadata);
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
      for (const [column, scale] of decimals) row[column] = decimalValue(row[column], scale);
      yield { kind: "record", index, at: index, fields: jsonValue(row) as Record<string, unknown> };
      index += 1;
    }
  }
}

/**
 * The number of rows that a Parquet file says it has, without reading one.
 *
 * @throws as `readParquet`
 */
export async function countParquetRows(path: FileSource, name: string): Promise<number> {
  const { metadata } = await openParquet(path, name);
  return metadata.row_groups.reduce((sum, { num_rows }) => sum + Number(num_rows), 0);
}

/** A Parquet file whose columns are read one by one, whole. */
export type ParquetColumns = {
  rows: number;
  names: string[];
  /**
   * A column's values in pieces, one row group in memory at a time, as the library gives them; null for a column of
   * decimals, whose values it rounds.
   * @param bytes give texts as their UTF-8 bytes
   */
  column: (name: string, bytes?: boolean) => AsyncIterable<ArrayLike<unknown>> | null;
  /** The same much faster, for most columns; see `plainPages`. */
  plain: (name: string) => AsyncIterable<PageValues | null>;
};

/** @throws as `readParquet` */
export async function openParquetColumns(path: string, name: string): Promise<ParquetColumns> {
  const { file, metadata, guard } = await openParquet(path, name);
  const names = parquetSchema(metadata).children.map(({ element }) => element.name);
  return {
    rows: Number(metadata.num_rows),
    names,
    plain: (name) => guarded(plainPages(file, metadata, name, compressors)),
    column(column, bytes = false) {
      const at = metadata.schema.findIndex((element) => element.name === column);
      const element = metadata.schema[at];
      if (element === undefined || element.converted_type === "DECIMAL") return null;
      const { converted_type: _, logical_type: __, ...bare } = element;
      const read =
        bytes && element.type === "BYTE_ARRAY" ? { ...metadata, schema: metadata.schema.with(at, bare) } : metadata;
      return pieces(column, read, !bytes);
    },
  };
  async function* guarded(pages: AsyncGenerator<PageValues | null>) {
    for (let next = await guard(pages.next()); next.done !== true; next = await guard(pages.next())) yield next.value;
  }
  async function* pieces(column: string, read: FileMetaData, utf8: boolean): AsyncGenerator<ArrayLike<unknown>> {
    let rowStart = 0;
    for (const group of metadata.row_groups) {
      const rowEnd = rowStart + Number(group.num_rows);
      const found: { from: number; values: ArrayLike<unknown> }[] = [];
      const onChunk = (chunk: { columnData: ArrayLike<unknown>; rowStart: number }) =>
        void found.push({ from: chunk.rowStart, values: chunk.columnData });
      await guard(
        parquetRead({ file, metadata: read, columns: [column], compressors, parsers, utf8, rowStart, rowEnd, onChunk }),
      );
      for (const { values } of found.toSorted((one, other) => one.from - other.from)) yield values;
      rowStart = rowEnd;
    }
  }
}

/**
 * Columns of decimals, with their scales. The library makes doubles of them, so their type is taken off the schema
 * here, and it reads the unscaled integers.
 */
function exactDecimals(metadata: FileMetaData): [column: string, scale: number][] {
  const columns: [string, number][] = [];
  for (const element of metadata.schema) {
    if (element.converted_type !== "DECIMAL") continue;
    const path = metadata.row_groups[0]?.columns.find(
      (column) => column.meta_data?.path_in_schema.length === 1 && column.meta_data.path_in_schema[0] === element.name,
    );
    if (path === undefined) continue;
    columns.push([element.name, element.scale ?? 0]);
    delete element.converted_type;
    delete element.logical_type;
  }
  return columns;
}
