import { createHash } from "node:crypto";
import { EvaluationError } from "../../models/core/errors.ts";
import { augmentationColumn, type Augmentation } from "../../models/core/manifest/augmentations.ts";
import { AlteredImage } from "../../models/core/preprocess/altered-image.ts";
import { copyId } from "../dataset/copy-id.ts";
import type { EvaluationDataset } from "../dataset/read.ts";
import type { DatasetRow } from "../dataset/row.ts";
import { alterImage, isUnaltered } from "./alter-image.ts";
import { chosenRows, rowStream } from "./row-stream.ts";
import { withTypos } from "./typos.ts";

/**
 * A dataset with the altered copies of its rows that its augmentations ask for, as a dataset of their own: what counts
 * rows, times them or plots them sees none of them. A copy has its row's true values, slices, group and weight. Pictures
 * and texts are altered when they are read, so that no copy is kept.
 *
 * @throws EvaluationError `augmentation-id` where a row has an id that a copy needs
 */
export function withCopies(dataset: EvaluationDataset): EvaluationDataset {
  const { augmentations = [] } = dataset;
  if (augmentations.length === 0) return dataset;
  const ids = dataset.rows.map(({ id }) => id);
  const known = new Set(ids);
  const rows: DatasetRow[] = [];
  const origins: number[] = [];
  for (const one of augmentations)
    for (const at of chosenRows(one, dataset.id, ids)) {
      const row = dataset.rows[at]!;
      const held = Object.getOwnPropertyDescriptor(row.row, one.field);
      // What has nothing to alter is no altered copy, and would only hide what the others show.
      if (held === undefined || isEmpty(held)) continue;
      const id = copyId(one.name, row.id);
      if (known.has(id))
        throw new EvaluationError({
          code: "augmentation-id",
          place: dataset.placeOf(ids.indexOf(id)),
          problem: `row ${id} has the id that the copy ${one.name} of row ${row.id} needs`,
          expected: "an augmentation of another name",
        });
      origins.push(at);
      rows.push({
        ...row,
        id,
        row: alteredRow(one, dataset.id, row),
        slices: { ...row.slices, [augmentationColumn]: one.name },
      });
    }
  if (rows.length === 0) return dataset;
  const { maxBadRows } = dataset;
  const { augmentations: _declared, ...rest } = dataset;
  return {
    ...dataset,
    copies: {
      ...rest,
      digest: createHash("sha256").update(`sluice-dataset-copies 1\n${dataset.id}\n${dataset.digest}\n`).digest("hex"),
      rows,
      badRows: [],
      // A row that a model refuses, it refuses with every alteration.
      maxBadRows: typeof maxBadRows === "number" ? maxBadRows * augmentations.length : maxBadRows,
      slices: [...dataset.slices, augmentationColumn],
      placeOf: (index) => `${dataset.placeOf(origins[index]!)}, ${rows[index]!.slices[augmentationColumn]}`,
      notes: [],
    },
  };
}

/** The contents of a folder's files are read when they are used, and so not here. */
const isEmpty = ({ get, value }: PropertyDescriptor) => get === undefined && (value ?? "") === "";

/** The row with a field that gives what it held before, altered. What is no picture or text stays as it is. */
function alteredRow(one: Augmentation, datasetId: string, { id, row }: DatasetRow): Record<string, unknown> {
  const altered = Object.defineProperties({}, Object.getOwnPropertyDescriptors(row)) as Record<string, unknown>;
  return Object.defineProperty(altered, one.field, {
    get: () => alteredValue(one, row[one.field], () => rowStream(one, datasetId, id, "change")),
    enumerable: true,
    configurable: true,
  });
}

function alteredValue(one: Augmentation, value: unknown, random: () => ReturnType<typeof rowStream>): unknown {
  if (one.kind === "typos") return typeof value === "string" ? withTypos(value, one.rate, random()) : value;
  return value === undefined || value === null || isUnaltered(one)
    ? value
    : new AlteredImage(value, (pixels) => alterImage(one, pixels, random()));
}
