import { createHash } from "node:crypto";
import type { Augmentation } from "../../models/core/manifest/augmentations.ts";
import { canonical } from "./canonical.ts";
import type { DatasetRow } from "./row.ts";

/**
 * SHA-256 (hex) over the good rows in order. It identifies the rows that a model was measured on, not the place or the
 * format that they were read from.
 *
 * Canonical form, UTF-8: the line `sluice-dataset 1`, then one line per row, `[id,row,labels,slices,group,weight]` in
 * the form of `canonical`, with the entity as a seventh where the dataset declares one. Each line ends with "\n".
 */
export function datasetDigester(): { add: (row: DatasetRow) => void; digest: () => string } {
  const hash = createHash("sha256").update("sluice-dataset 1\n");
  return {
    add: ({ id, row, labels, slices, group, weight, entity }) =>
      void hash.update(
        `${canonical([id, row, labels, slices, group, weight, ...(entity === undefined ? [] : [entity])])}\n`,
      ),
    digest: () => hash.digest("hex"),
  };
}

/**
 * The digest of a dataset together with the feature tables that it is judged with: SHA-256 (hex) of the line
 * `sluice-dataset-features 1`, a line with the rows' digest, and one line `STEP SHA256` for each table, by step. Without
 * tables it is the rows' digest.
 */
export function withHistories(rows: string, histories: Readonly<Record<string, { file: { sha256: string } }>>): string {
  const steps = Object.keys(histories).toSorted();
  if (steps.length === 0) return rows;
  const hash = createHash("sha256").update(`sluice-dataset-features 1\n${rows}\n`);
  for (const step of steps) hash.update(`${step} ${histories[step]!.file.sha256}\n`);
  return hash.digest("hex");
}

/**
 * The same together with declared augmentations: SHA-256 (hex) of the line `sluice-dataset-augmentations 1`, a line with
 * the digest so far, and one line for each declaration, in order, in the form of `canonical`. Without any it is the
 * digest so far.
 */
export function withAugmentations(digest: string, augmentations: readonly Augmentation[]): string {
  if (augmentations.length === 0) return digest;
  const hash = createHash("sha256").update(`sluice-dataset-augmentations 1\n${digest}\n`);
  for (const one of augmentations) hash.update(`${canonical(one)}\n`);
  return hash.digest("hex");
}
