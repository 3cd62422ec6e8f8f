import { setImmediate } from "node:timers/promises";
import { localFile } from "../artifact/verified-file.ts";
import { readTable, type MemoryStore } from "../lookup/read-table.ts";

/** One file is read into one buffer. */
const MAX_TABLE_BYTES = 2 ** 31 - 1;

/** A feature table on disk, inside `dir`. */
export type HistoryFile = { dir: string; path: string; sha256: string };

/**
 * Opens a feature table in a model's folder.
 *
 * @param sha256 expected digest; null: not checked
 * @param cacheDir where the files of Git LFS pointers are; null: no pointer is followed
 * @throws EvaluationError as `localFile` and `readTable`
 */
export async function openTable(
  { dir, path, sha256 }: { dir: string; path: string; sha256: string | null },
  cacheDir: string | null,
): Promise<MemoryStore> {
  const file = await localFile(dir, path, sha256, MAX_TABLE_BYTES, cacheDir);
  return readTable(file.bytes, path, file.sha256, () => setImmediate());
}

/** Opens the feature tables of an exam, by lookup step. */
export async function openHistories(
  files: Readonly<Record<string, HistoryFile>>,
): Promise<Record<string, MemoryStore>> {
  const stores: Record<string, MemoryStore> = {};
  for (const [step, file] of Object.entries(files)) stores[step] = await openTable(file, null);
  return stores;
}
