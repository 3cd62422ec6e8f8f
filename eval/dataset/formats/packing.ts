import { pipeline, type Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { EvaluationError } from "../../../models/core/errors.ts";
import { firstBytes, piecesOf, type FileSource } from "./source.ts";
import { ZstdFrames } from "./zstd-frames.ts";

const packings: readonly { suffix: string; magic: readonly number[]; unpack: () => Transform }[] = [
  { suffix: ".gz", magic: [0x1f, 0x8b], unpack: createGunzip },
  { suffix: ".zst", magic: [0x28, 0xb5, 0x2f, 0xfd], unpack: createZstdDecompress },
];

/** Files that are often given where text is expected, by their first bytes, and what to do about them. */
const notText: readonly { magic: string; kind: string; hint: string }[] = [
  {
    magic: "PK\u0003\u0004",
    kind: "a ZIP archive, such as an Excel workbook (.xlsx)",
    hint: "in Excel save the sheet as “CSV UTF-8”; unpack any other archive first",
  },
  { magic: "\u00d0\u00cf\u0011\u00e0", kind: "an old Excel workbook (.xls)", hint: "save the sheet as “CSV UTF-8”" },
  { magic: "PAR1", kind: "a Parquet file", hint: "name it .parquet, or declare `format: parquet`" },
  { magic: "ARROW1", kind: "an Arrow (Feather) file", hint: "save it as Parquet or CSV" },
  { magic: "\u0089HDF", kind: "an HDF5 file", hint: "save it as Parquet or CSV" },
  { magic: "\u0093NUMPY", kind: "a NumPy file", hint: "save it as Parquet or CSV" },
  { magic: "SQLite format 3", kind: "an SQLite database", hint: "export the table as CSV" },
  { magic: "BZh", kind: "packed with bzip2", hint: "unpack it, or pack it with gzip or zstd" },
  { magic: "\u00fd7zXZ", kind: "packed with xz", hint: "unpack it, or pack it with gzip or zstd" },
  { magic: "7z\u00bc\u00af", kind: "a 7-Zip archive", hint: "unpack it, or pack it with gzip or zstd" },
  { magic: "%PDF-", kind: "a PDF", hint: "export the table as CSV" },
];

/** Largest size of a packed file's text. It stops a small file from filling the machine. */
const largestUnpackedBytes = 8 * 2 ** 30;

/** The name without .gz or .zst. */
export function withoutPacking(name: string): string {
  const packed = packings.find(({ suffix }) => name.toLowerCase().endsWith(suffix));
  return packed === undefined ? name : name.slice(0, -packed.suffix.length);
}

/**
 * A text file's bytes, unpacked when its first bytes are those of gzip or zstd. `packed` is the packing's suffix.
 * @param name the file's name in errors
 * @throws EvaluationError `not-text` for files that are known to be something else, `unpack` for damaged packing and
 *   for texts above `limit` bytes
 */
export async function openUnpacked(
  source: FileSource,
  name: string,
  limit = largestUnpackedBytes,
): Promise<{ packed: string | null; chunks: AsyncIterable<Buffer> }> {
  const first = await firstBytes(source, 16);
  const text = first.toString("latin1");
  const other = notText.find(({ magic }) => text.startsWith(magic));
  if (other !== undefined)
    throw new EvaluationError({
      code: "not-text",
      place: name,
      problem: "the file is not text",
      expected: "CSV, JSON Lines or JSON, as it is or packed with gzip or zstd",
      received: other.kind,
      hint: other.hint,
    });
  const packing = packings.find(({ magic }) => magic.every((byte, i) => first[i] === byte));
  const chunks = piecesOf(source);
  return packing === undefined
    ? { packed: null, chunks }
    : { packed: packing.suffix, chunks: unpacked(chunks, packing.unpack(), name, packing.suffix, limit) };
}

async function* unpacked(
  source: AsyncIterable<Buffer>,
  unpacker: Transform,
  name: string,
  suffix: string,
  limit: number,
): AsyncGenerator<Buffer> {
  const wrong = (problem: string, more: { expected?: string; received?: string; hint?: string }, cause?: unknown) =>
    new EvaluationError({ code: "unpack", place: name, problem, ...more }, { cause });
  const frames = suffix === ".zst" ? new ZstdFrames() : null;
  async function* followed(): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      frames?.push(chunk);
      yield chunk;
    }
    if (frames?.isWhole() === false) throw new Error("unexpected end of file");
  }
  let size = 0;
  try {
    // for-await sees the unpacker's errors; the pipeline also hands it those of the file.
    pipeline(followed, unpacker, () => {});
    for await (const chunk of unpacker as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) break;
      yield chunk;
    }
  } catch (cause) {
    throw wrong(
      `the file cannot be unpacked (${suffix.slice(1)})`,
      { expected: "a whole packed file", received: (cause as Error).message, hint: "was the download complete?" },
      cause,
    );
  }
  if (size > limit)
    throw wrong("the file is too large once unpacked", {
      expected: `at most ${limit} bytes`,
      received: `more, from ${name}`,
      hint: "unpack it, and give the parts as several files",
    });
}
