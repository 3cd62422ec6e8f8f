import { EvaluationError } from "../../models/core/errors.ts";
import { augmentationColumn } from "../../models/core/manifest/augmentations.ts";
import { missingSlice } from "../dataset/slice-values.ts";
import type { Predictions } from "./predictions.ts";
import { selectRows } from "./select-rows.ts";

/**
 * Rows with a value in the column `augmentation` are altered copies, which count in the slices of that column alone.
 * @throws EvaluationError `no-rows` when all of them are
 */
export function withCopiesApart(
  file: string,
  predictions: Predictions,
  notes: string[],
): { predictions: Predictions; notes: string[] } {
  const { [augmentationColumn]: augmentations, ...slices } = predictions.slices;
  if (augmentations === undefined) return { predictions, notes };
  // Made once: the ids of a large file are texts only when somebody asks.
  const { ids } = predictions;
  const isCopy = augmentations.map((value) => value !== missingSlice);
  const positions = (copies: boolean) => Int32Array.from(isCopy.keys()).filter((row) => isCopy[row] === copies);
  const pick = (rows: Int32Array, columns: Record<string, string[]>): Predictions => ({
    ...selectRows({ ...predictions, ids }, rows),
    ids: Array.from(rows, (row) => ids[row]!),
    slices: Object.fromEntries(
      Object.entries(columns).map(([name, values]) => [name, Array.from(rows, (row) => values[row]!)]),
    ),
  });
  const [originals, copies] = [positions(false), positions(true)];
  if (originals.length === 0)
    throw new EvaluationError({
      code: "no-rows",
      place: file,
      problem: `every row has a value in the column "${augmentationColumn}", so that all are altered copies and none is a row as it came`,
      expected: `an empty cell in "${augmentationColumn}" for the rows that are not altered`,
      received: [...new Set(augmentations)].slice(0, 5).join(", "),
    });
  if (copies.length === 0) return { predictions: pick(originals, slices), notes };
  const plural = copies.length === 1 ? "row is an altered copy" : "rows are altered copies";
  return {
    predictions: { ...pick(originals, slices), copies: pick(copies, predictions.slices) },
    notes: [
      ...notes,
      `${file}: ${copies.length} ${plural} (column "${augmentationColumn}") and count in the slices of that column only`,
    ],
  };
}
