import type { Manifest } from "../../models/core/manifest/manifest.ts";
import { cellTypes, parseCell, type CellType } from "../dataset/formats/cells.ts";
import type { DatasetRow } from "../dataset/row.ts";
import { selectRows } from "../predictions/select-rows.ts";
import type { Predictions } from "../predictions/predictions.ts";

/**
 * The candidate on the rows that the baseline answers, where it answers more: a row more is no reason not to compare the
 * rest. Null where it does not, or leaves rows out; those two cannot be told apart from leaving out what is hard.
 *
 * Null, too, where the baseline may have refused a row only because the cells were read as the candidate declares them:
 * a change of types could otherwise choose the rows that are compared.
 *
 * The same holds for the copies of rows, for themselves.
 *
 * @param preprocess the baseline's
 */
export function onCommonRows(
  candidate: Predictions,
  baseline: Predictions,
  preprocess: Manifest["preprocess"],
  dataset: JudgedRows & { copies?: JudgedRows },
): Predictions | null {
  const rows = commonRows(candidate, baseline, preprocess, dataset);
  const copies =
    candidate.copies === undefined || baseline.copies === undefined || dataset.copies === undefined
      ? null
      : commonRows(candidate.copies, baseline.copies, preprocess, dataset.copies);
  if (rows === null && copies === null) return null;
  return { ...(rows ?? candidate), ...(copies === null ? {} : { copies }) };
}

type JudgedRows = { rows: readonly Pick<DatasetRow, "id" | "row">[] };

function commonRows(
  candidate: Predictions,
  baseline: Predictions,
  preprocess: Manifest["preprocess"],
  dataset: JudgedRows,
): Predictions | null {
  if (candidate.ids.length <= baseline.ids.length) return null;
  const answered = new Set(baseline.ids);
  const common = Int32Array.from(candidate.ids.keys()).filter((row) => answered.has(candidate.ids[row] as string));
  if (common.length < answered.size) return null;
  const more = new Set(candidate.ids.filter((id) => !answered.has(id)));
  const types = cellTypes(preprocess, { rename: {}, slices: [], labels: {} });
  const alike = dataset.rows.every(
    ({ id, row }) => !more.has(id) || [...types].every(([field, type]) => isReadAs(type, row[field])),
  );
  if (!alike) return null;
  const { slices } = candidate;
  const picked = (values: readonly string[]) => Array.from(common, (row) => values[row] as string);
  return {
    ...selectRows(candidate, common),
    ids: picked(candidate.ids),
    slices: Object.fromEntries(Object.entries(slices).map(([name, values]) => [name, picked(values)])),
  };
}

/** Whether a cell that was read by some type has the value that it would have by this one. */
function isReadAs(type: CellType, value: unknown): boolean {
  if (value === undefined || value === null) return true;
  // What stayed a text could be a number with either decimal mark.
  if (typeof value === "string") return ([".", ","] as const).every((mark) => parseCell(value, type, mark) === value);
  return type === "json" || typeof value === type;
}
