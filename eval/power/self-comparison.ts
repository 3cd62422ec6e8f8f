import type { Predictions } from "../predictions/predictions.ts";
import { RandomStream } from "../stats/random.ts";

/**
 * What each row of a redrawn comparison comes from: a row of the dataset, whether the models change places on it, and
 * its cluster's copy.
 */
export type Redrawn = { rows: Int32Array; swapped: Uint8Array; copies: Int32Array };

/**
 * One comparison without a true difference (A/A): rows, or whole clusters, are drawn anew from the dataset, and on each
 * drawn one a coin decides which model plays the candidate. Both roles are then the same mixture of the two models,
 * while each row keeps what the models truly say about it, so that their correlation stays. Rows are drawn among those
 * of the same slices and class: the dataset's composition is given, not chance. Draw `number` uses its own stream of
 * `seed`.
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
  const drawn = (units: readonly (readonly number[])[]) => {
    for (let k = 0; k < units.length; k++) {
      const unit = units[random.below(units.length)] as readonly number[];
      const coin = random.next() >>> 31;
      copies.push(...unit.map(() => rows.length));
      swapped.push(...unit.map(() => coin));
      rows.push(...unit);
    }
  };
  if (predictions.groups === null) for (const stratum of strata(predictions)) drawn(stratum.map((row) => [row]));
  else drawn(membersOf(predictions.groups));
  return { rows: Int32Array.from(rows), swapped: Uint8Array.from(swapped), copies: Int32Array.from(copies) };
}

/** Rows of the same slices, and of the same class where there are classes. */
function strata({
  ids,
  labels,
  classes,
  slices,
}: Pick<Predictions, "ids" | "labels" | "classes" | "slices">): number[][] {
  const columns = Object.values(slices);
  return membersOf(
    ids.map((_, row) =>
      JSON.stringify([...columns.map((column) => column[row]), classes.length > 0 ? labels[row] : 0]),
    ),
  );
}

/** The candidate's and the baseline's part of a redrawn comparison. A cluster drawn twice is two clusters. */
export function castRoles(
  candidate: Predictions,
  baseline: Predictions,
  { rows, swapped, copies }: Redrawn,
): { candidate: Predictions; baseline: Predictions } {
  const width = candidate.scores.length / candidate.ids.length;
  const part = (first: Predictions, second: Predictions): Predictions => {
    const scores = new Float64Array(rows.length * width);
    rows.forEach((row, i) => {
      const from = swapped[i] === 1 ? second : first;
      for (let k = 0; k < width; k++) scores[i * width + k] = from.scores[row * width + k] as number;
    });
    return {
      ...first,
      scores,
      ids: Array.from(rows, (_, i) => String(i)),
      labels: Float64Array.from(rows, (row) => first.labels[row] as number),
      slices: Object.fromEntries(
        Object.entries(first.slices).map(([column, values]) => [
          column,
          Array.from(rows, (row) => values[row] as string),
        ]),
      ),
      groups: first.groups === null ? null : Array.from(copies, String),
      weights: first.weights === null ? null : Float64Array.from(rows, (row) => first.weights?.[row] as number),
      ...(first.naiveScales === undefined
        ? {}
        : { naiveScales: Float64Array.from(rows, (row) => first.naiveScales?.[row] as number) }),
    };
  };
  return { candidate: part(candidate, baseline), baseline: part(baseline, candidate) };
}

function membersOf(groups: readonly string[]): number[][] {
  const members = new Map<string, number[]>();
  groups.forEach((group, row) => {
    const found = members.get(group);
    if (found === undefined) members.set(group, [row]);
    else found.push(row);
  });
  return [...members.values()];
}
