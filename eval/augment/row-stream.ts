import { createHash } from "node:crypto";
import type { Augmentation } from "../../models/core/manifest/augmentations.ts";
import { RandomStream } from "../stats/random.ts";

/**
 * The random numbers of one row under one augmentation: xoshiro128** seeded with the first 48 bits of the SHA-256 of
 * `sluice-augmentation 1`, the seed (the dataset's id, where none is declared), the augmentation's name, the row's id and
 * what the numbers are for. They depend on nothing else, so that every model and every machine sees the same row.
 */
export function rowStream(
  { seed, name }: Pick<Augmentation, "seed" | "name">,
  datasetId: string,
  rowId: string,
  purpose: "rows" | "change",
): RandomStream {
  const parts = ["sluice-augmentation 1", seed === undefined ? `dataset ${datasetId}` : `seed ${seed}`, name, rowId];
  const hash = createHash("sha256")
    .update(JSON.stringify([...parts, purpose]))
    .digest();
  return new RandomStream(hash.readUIntBE(0, 6));
}

/**
 * Positions of the rows that an augmentation alters, ascending: all of them, each with probability `share`, or the `rows`
 * rows with the smallest draws. A row's draw does not depend on the other rows.
 */
export function chosenRows(
  one: Pick<Augmentation, "seed" | "name" | "share" | "rows">,
  datasetId: string,
  ids: readonly string[],
): number[] {
  const all = [...ids.keys()];
  const { share, rows } = one;
  if (share === undefined && rows === undefined) return all;
  const draws = ids.map((id) => rowStream(one, datasetId, id, "rows").uniform());
  if (share !== undefined) return all.filter((row) => draws[row]! < share);
  return all
    .toSorted((a, b) => draws[a]! - draws[b]! || a - b)
    .slice(0, rows)
    .toSorted((a, b) => a - b);
}
