import { lstat, readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { z } from "zod";
import { metricsFile } from "../schema/metrics.ts";
import { verdictFile } from "../schema/verdict.ts";
import { EvaluationError } from "../../models/core/errors.ts";
import type { Shard } from "./merge.ts";

/** Far more than a gate writes. A stranger's pull request may have written these files. */
const largestFileBytes = 4_000_000;
const maxShards = 256;

/**
 * Reads the verdict and metrics of every shard as hostile input: regular files only, bounded in number and size, and
 * with nothing but what the schemas allow.
 *
 * @param dir one sub-folder per shard, or the files of the only shard directly
 * @throws EvaluationError naming the file that is not what a gate writes
 */
export async function readShards(dir: string): Promise<Shard[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  const folders = entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
  if (folders.length > maxShards)
    throw new EvaluationError({
      code: "shards",
      problem: "too many shards",
      place: dir,
      expected: `at most ${maxShards}`,
      received: String(folders.length),
    });
  const shards: Shard[] = [];
  for (const name of folders) {
    const verdict = await readBounded(join(dir, name, "verdict.json"), verdictFile);
    // A shard whose job died early leaves no verdict. The count of shards reveals that.
    if (verdict === null) continue;
    shards.push({ name, verdict, metrics: await readBounded(join(dir, name, "metrics.json"), metricsFile) });
  }
  // actions/download-artifact puts an artifact into the folder itself when it is the only one that matches. It may hold
  // folders of its own, such as profiles.
  if (shards.length === 0) {
    const verdict = await readBounded(join(dir, "verdict.json"), verdictFile);
    if (verdict !== null)
      shards.push({ name: basename(dir), verdict, metrics: await readBounded(join(dir, "metrics.json"), metricsFile) });
  }
  return shards;
}

async function readBounded<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.infer<Schema> | null> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return null;
  const refuse = (received: string) =>
    new EvaluationError({
      code: "shard-file",
      problem: "the file is not what a gate writes",
      place: path,
      expected: "the published JSON Schema",
      received,
    });
  if (!found.isFile()) throw refuse("not a plain file");
  if (found.size > largestFileBytes) throw refuse(`${found.size} bytes; at most ${largestFileBytes}`);
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch {
    throw refuse("not JSON");
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw refuse(`${issue?.path.join(".") ?? ""}: ${issue?.message ?? "invalid"}`);
}
