import { createHash } from "node:crypto";
import { canonical } from "./canonical.ts";
import type { DatasetRow } from "./row.ts";

/**
 * SHA-256 (hex) over the good rows in order, so that it says which rows a model was measured on and nothing about
 * where or in which format they lay.
 *
 * Canonical form, UTF-8: the line `sluice-dataset 1`, then per row one line
 * `[id,row,labels,slices,group,weight]` in the form of `canonical`, each line ended by "\n".
 */
export function datasetDigester(): { add: (row: DatasetRow) => void; digest: () => string } {
  const hash = createHash("sha256").update("sluice-dataset 1\n");
  return {
    add: ({ id, row, labels, slices, group, weight }) =>
      void hash.update(`${canonical([id, row, labels, slices, group, weight])}\n`),
    digest: () => hash.digest("hex"),
  };
}
