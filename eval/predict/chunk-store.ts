import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { endianness } from "node:os";
import { join } from "node:path";
import { writeFileAtomic } from "../../models/core/atomic-write.ts";
import type { HeadColumns } from "./columns.ts";
import type { RuledRow } from "./ruled-row.ts";

/** What a model answered for rows [from, to) of a dataset. */
export type Chunk = {
  from: number;
  to: number;
  /** Rows that the model could not take, by position in the dataset, and why. Their scores are NaN. */
  errors: [row: number, reason: string][];
  /** Head → (to - from) × width numbers. */
  scores: Record<string, Float64Array>;
  /** Head → what else is kept of each answer, as JSON; null for rows that the model could not take. */
  lists: Record<string, unknown[]>;
  /** Rows for which a rule fired, by position in the dataset. */
  ruled: RuledRow<number>[];
};

export type ChunkStore = {
  /** null: not there. A string: there, but not usable, and why. */
  read(
    from: number,
    to: number,
    heads: readonly Pick<HeadColumns, "head" | "width" | "list">[],
  ): Promise<Chunk | string | null>;
  /** Writes atomically: a killed process leaves no partial chunk. */
  write(chunk: Chunk): Promise<void>;
};

/**
 * Chunks of one prediction run as files `FROM-TO.chunk` in `folder`. The first line holds the run's key, the range and
 * the SHA-256 of the rest. The rest is JSON with lists and texts as they are, and the numbers' bytes (float64, little-endian, base64), so that the
 * numbers are read back bit for bit.
 */
export function openChunkStore(folder: string, key: string): ChunkStore {
  const path = (from: number, to: number) => join(folder, `${from}-${to}.chunk`);
  const head = (from: number, to: number, body: string) =>
    JSON.stringify({ chunk: 2, key, from, to, sha256: createHash("sha256").update(body).digest("hex") });
  return {
    async read(from, to, heads) {
      const text = await readFile(path(from, to), "utf8").catch((error: NodeJS.ErrnoException) =>
        error.code === "ENOENT" ? null : error,
      );
      if (text === null) return null;
      if (text instanceof Error) return `cannot be read (${text.code ?? text.message})`;
      const cut = text.indexOf("\n");
      const body = text.slice(cut + 1);
      if (cut === -1 || text.slice(0, cut) !== head(from, to, body)) return "is damaged (its digest does not match)";
      const { errors, scores, lists, ruled } = JSON.parse(body) as Pick<Chunk, "errors" | "lists"> & {
        scores: Record<string, string>;
        ruled?: Chunk["ruled"];
      };
      const decoded = Object.fromEntries(Object.entries(scores).map(([name, base64]) => [name, decode(base64)]));
      for (const { head, width, list } of heads)
        if (decoded[head]?.length !== width * (to - from) || (list !== null && lists[head]?.length !== to - from))
          return `does not hold the answers of ${head}`;
      return { from, to, errors, scores: decoded, lists, ruled: ruled ?? [] };
    },
    async write({ from, to, errors, scores, lists, ruled }) {
      const body = JSON.stringify({
        errors,
        ...(ruled.length === 0 ? {} : { ruled }),
        scores: Object.fromEntries(Object.entries(scores).map(([name, numbers]) => [name, encode(numbers)])),
        lists,
      });
      // For this user alone: whoever may write here decides what the model is said to have answered.
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeFileAtomic(path(from, to), `${head(from, to, body)}\n${body}`);
    },
  };
}

function encode(numbers: Float64Array): string {
  const bytes = Buffer.from(numbers.slice().buffer);
  return (endianness() === "LE" ? bytes : bytes.swap64()).toString("base64");
}

function decode(base64: string): Float64Array {
  const bytes = Buffer.from(base64, "base64");
  if (endianness() === "BE") bytes.swap64();
  return new Float64Array(new Uint8Array(bytes.subarray(0, bytes.length - (bytes.length % 8))).buffer);
}
