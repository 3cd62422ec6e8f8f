import { originOf } from "../dataset/copy-id.ts";
import type { Predictions } from "../predictions/predictions.ts";
import { mixAnswers } from "../predictions/select-answers.ts";
import { rowsByValue } from "../metrics/rows.ts";
import { selectRows } from "../predictions/select-rows.ts";
import { RandomStream } from "../stats/random.ts";

/**
 * What each row of a redrawn comparison comes from: a row of the dataset, whether the models swap roles on it, and the
 * copy of its cluster.
 */
export type Redrawn = { rows: Int32Array; swapped: Uint8Array; copies: Int32Array };

/**
 * One comparison without a true difference (A/A). Rows, or whole clusters, are drawn anew from the dataset, and for
 * each draw a coin decides which model plays the candidate. Both roles are then the same mixture of the two models.
 * Each row keeps what the models really answered, so their correlation stays. Rows are drawn within the same slices and
 * class, because the dataset's composition is given, not random. Draw `number` uses its own stream of `seed`.
 */
export function redraw(
  predictions: Pick<Predictions, "ids" | "labels" | "classes" | "slices" | "groups">,
  seed: number,
  number: number,
): Redrawn {
  const random = new RandomStream(seed, number);
  const rows: number[] = [];
  const swapped: number[] = [];
  const copies: number[] = [];
  const drawn = (units: readonly Iterable<number>[]) => {
    for (let k = 0; k < units.length; k++) {
      const unit = [...(units[random.below(units.length)] as Iterable<number>)];
      const coin = random.next() >>> 31;
      copies.push(...unit.map(() => rows.length));
      swapped.push(...unit.map(() => coin));
      rows.push(...unit);
    }
  };
  if (predictions.groups === null)
    for (const stratum of strata(predictions)) drawn(Array.from(stratum, (row) => [row]));
  else drawn([...rowsByValue(predictions.groups).values()]);
  return { rows: Int32Array.from(rows), swapped: Uint8Array.from(swapped), copies: Int32Array.from(copies) };
}

/** Rows of the same slices, and of the same class where there are classes. */
function strata({
  ids,
  labels,
  classes,
  slices,
}: Pick<Predictions, "ids" | "labels" | "classes" | "slices">): Int32Array[] {
  const columns = Object.values(slices);
  const stratumOf = (row: number) =>
    JSON.stringify([...columns.map((column) => column[row]), classes.length > 0 ? labels[row] : 0]);
  return [...rowsByValue(ids.map((_, row) => stratumOf(row))).values()];
}

/**
 * The candidate's and the baseline's part of a redrawn comparison. A cluster that is drawn twice counts as two
 * clusters.
 */
export function assignRoles(
  candidate: Predictions,
  baseline: Predictions,
  redrawn: Redrawn,
): { candidate: Predictions; baseline: Predictions } {
  const { rows, swapped, copies } = redrawn;
  const altered =
    candidate.copies === undefined || baseline.copies === undefined
      ? null
      : assignRoles(candidate.copies, baseline.copies, redrawnCopies(redrawn, candidate.ids, candidate.copies.ids));
  const part = ({ copies: _altered, ...first }: Predictions, second: Predictions): Predictions => {
    const selected = selectRows(first, rows);
    const other = selectRows(second, rows);
    const mixed = (mine: Float64Array, others: Float64Array): Float64Array => {
      const width = others.length / rows.length;
      return mine.map((value, i) => (swapped[Math.floor(i / width)] === 1 ? (others[i] as number) : value));
    };
    const quantiles = selected.forecasts?.quantiles ?? null;
    const otherQuantiles = other.forecasts?.quantiles ?? null;
    return {
      ...selected,
      scores: mixed(selected.scores, other.scores),
      ...(selected.answers === undefined || other.answers === undefined
        ? {}
        : { answers: mixAnswers(selected.answers, other.answers, swapped) }),
      ...(selected.forecasts === undefined
        ? {}
        : {
            forecasts: {
              ...selected.forecasts,
              quantiles:
                quantiles === null || otherQuantiles === null
                  ? null
                  : { ...quantiles, values: mixed(quantiles.values, otherQuantiles.values) },
            },
          }),
      ids: Array.from(rows, (_, i) => String(i)),
      slices: Object.fromEntries(
        Object.entries(first.slices).map(([column, values]) => [
          column,
          Array.from(rows, (row) => values[row] as string),
        ]),
      ),
      groups: first.groups === null ? null : Array.from(copies, String),
    };
  };
  return {
    candidate: { ...part(candidate, baseline), ...(altered === null ? {} : { copies: altered.candidate }) },
    baseline: { ...part(baseline, candidate), ...(altered === null ? {} : { copies: altered.baseline }) },
  };
}

/** The altered copies of the rows that were drawn: a copy goes with its row, and so do its role and its cluster. */
function redrawnCopies(
  { rows, swapped, copies }: Redrawn,
  ids: readonly string[],
  copyIds: readonly string[],
): Redrawn {
  const copiesOf = Map.groupBy(copyIds.keys(), (row) => originOf(copyIds[row]!));
  const drawn = Array.from(rows, (row, i) => (copiesOf.get(ids[row]!) ?? []).map((copy) => ({ copy, i }))).flat();
  return {
    rows: Int32Array.from(drawn, ({ copy }) => copy),
    swapped: Uint8Array.from(drawn, ({ i }) => swapped[i]!),
    copies: Int32Array.from(drawn, ({ i }) => copies[i]!),
  };
}
