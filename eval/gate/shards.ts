import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { EvaluationError } from "../../models/core/errors.ts";
import type { Manifest } from "../../models/core/manifest/manifest.ts";
import type { EvaluationDataset } from "../dataset/read.ts";
import type { Shard } from "../dataset/shard.ts";
import { idsOf } from "../predict/columns.ts";
import type { Predictions } from "../predictions/predictions.ts";
import { headColumns } from "../predict/head-columns.ts";
import { labelledPredictions } from "../predict/labelled.ts";
import { mergeShards, type MergedShards } from "../predict/merge.ts";
import type { PredictedDataset } from "../predict/predict.ts";
import { readShard } from "../predict/shard-file.ts";

/** Whose predictions a shard holds. */
export type ShardOwner = {
  id: string;
  role: "candidate" | "baseline";
  /** Whether it holds the altered copies of the rows. */
  copies?: boolean;
};

const ownerName = ({ id, role, copies }: ShardOwner) => `${id}.${role}${copies === true ? ".copies" : ""}`;

/** OUT/shards/MODEL.ROLE.INDEX-of-COUNT; of altered copies OUT/shards/MODEL.ROLE.copies.INDEX-of-COUNT */
export function shardFolder(out: string, owner: ShardOwner, { index, count }: Shard): string {
  return join(out, "shards", `${ownerName(owner)}.${index}-of-${count}`);
}

/**
 * All shards of one model below a folder, merged as if one job had predicted them. They are found at any depth, because
 * the artifacts of a matrix land in folders of their own. Only scores are taken from them: true values, slices, groups
 * and weights are the dataset's.
 *
 * @param manifest the model's
 * @throws EvaluationError when shards are missing, duplicated, or of another model or dataset
 */
export async function mergedPredictions(
  folder: string,
  owner: ShardOwner,
  modelSha256: string,
  manifest: Manifest,
  dataset: EvaluationDataset,
): Promise<PredictedDataset & Pick<MergedShards, "parts">> {
  if (!existsSync(folder))
    throw new EvaluationError({
      code: "shards-missing",
      problem: "there is no such folder of shards",
      place: folder,
      expected: "a folder that `sluice gate MODEL --shard I/N` wrote to",
      received: "nothing",
    });
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const { id } = owner;
  const role = owner.copies === true ? `${owner.role} on altered copies` : owner.role;
  const prefix = `${ownerName(owner)}.`;
  const own = (name: string) => name.startsWith(prefix) && /^\d+-of-\d+$/.test(name.slice(prefix.length));
  const folders = entries
    .filter((entry) => entry.isFile() && entry.name === "shard.json" && own(basename(entry.parentPath)))
    .map((entry) => entry.parentPath)
    .toSorted();
  const merged = mergeShards(await Promise.all(folders.map(readShard)), dataset);
  const difference =
    merged.modelSha256 !== modelSha256
      ? ["model", modelSha256, merged.modelSha256]
      : merged.datasetDigest !== dataset.digest
        ? ["dataset", dataset.digest, merged.datasetDigest]
        : null;
  if (difference !== null)
    throw new EvaluationError({
      code: "shards-differ",
      problem: `the shards of ${id}'s ${role} are of another ${difference[0]}`,
      place: folder,
      expected: difference[1] as string,
      received: difference[2] as string,
      hint: "shard and merge the same commit",
    });
  const known = new Set(dataset.badRows.map((row) => row.place));
  const predictions = headColumns(manifest, dataset.heads).map((column) => {
    const { head, task, classes } = column;
    const found = merged.predictions.find((one) => one.head === head);
    const taken = found === undefined ? null : rowsOf(found, dataset);
    const answers =
      found === undefined ||
      taken === null ||
      found.task !== task ||
      JSON.stringify(found.classes) !== JSON.stringify(classes)
        ? null
        : column.recover(
            found,
            taken.map((row) => dataset.rows[row]!),
          );
    if (answers === null)
      throw new EvaluationError({
        code: "shards-differ",
        problem: `the shards of ${id}'s ${role} do not hold the answers of its head ${head} to the dataset's rows`,
        place: folder,
        expected: `${task}, classes ${classes.join(", ") || "none"}, rows in the dataset's order`,
        received: found === undefined ? "no such head" : `${found.task}, classes ${found.classes.join(", ") || "none"}`,
      });
    return labelledPredictions(column, answers, taken!, dataset);
  });
  return {
    parts: merged.parts,
    predictions: predictions.map((one) => one.predictions),
    expandedHeads: predictions.flatMap((one) => (one.expanded ? [one.predictions.head] : [])),
    ruled: merged.ruled,
    badRows: merged.badRows.filter((row) => !known.has(row.place)),
    from: 0,
    to: dataset.rows.length,
    cachedRows: 0,
    notes: [],
  };
}

/** The rows of the dataset that predictions are about, in its order; null where the predictions hold anything else. */
function rowsOf({ head, ids }: Predictions, dataset: EvaluationDataset): number[] | null {
  const taken: number[] = [];
  let at = 0;
  for (const [row, one] of dataset.rows.entries()) {
    const own = idsOf(one, head);
    if (!own.every((id, i) => ids[at + i] === id)) continue;
    taken.push(row);
    at += own.length;
  }
  return at === ids.length ? taken : null;
}
