import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { asyncBufferFromFile, type AsyncBuffer } from "hyparquet";

/** The bytes of a file that lies under no path, for example because they are kept encrypted. */
export type FileBytes = {
  byteLength: number;
  /** [start, end) within the file. */
  slice(start: number, end: number): Promise<Uint8Array>;
};

/** A file under a path, or its bytes. */
export type FileSource = string | FileBytes;

const pieceBytes = 1 << 20;

/** The first bytes of a file, fewer where it is shorter. */
export async function firstBytes(source: FileSource, count: number): Promise<Buffer> {
  if (typeof source !== "string") return asBuffer(await source.slice(0, Math.min(count, source.byteLength)));
  const file = await open(source);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(count), 0, count, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** The whole file, piece by piece. */
export function piecesOf(source: FileSource): AsyncIterable<Buffer> {
  return typeof source === "string"
    ? (createReadStream(source, { highWaterMark: pieceBytes }) as AsyncIterable<Buffer>)
    : slices(source);
}

async function* slices(source: FileBytes): AsyncGenerator<Buffer> {
  for (let start = 0; start < source.byteLength; start += pieceBytes)
    yield asBuffer(await source.slice(start, Math.min(start + pieceBytes, source.byteLength)));
}

/** The file as hyparquet reads it: any range of bytes. */
export async function rangesOf(source: FileSource): Promise<AsyncBuffer> {
  if (typeof source === "string") return asyncBufferFromFile(source);
  return {
    byteLength: source.byteLength,
    slice: async (start, end = source.byteLength) => {
      const bytes = await source.slice(start, Math.min(end, source.byteLength));
      // A copy of its own: the library reads the whole ArrayBuffer.
      return new Uint8Array(bytes).buffer;
    },
  };
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
