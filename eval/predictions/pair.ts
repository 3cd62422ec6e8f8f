import type { Predictions } from "./predictions.ts";
import { layoutOf } from "./columns.ts";

/** Candidate and baseline row by row, or why they cannot be compared (INCOMPARABLE). */
export type Pairing =
  | { status: "paired"; candidate: Predictions; baseline: Predictions }
  | { status: "incomparable"; reason: string };

const shown = 5;

function some(items: readonly string[]): string {
  return items.slice(0, shown).join(", ") + (items.length > shown ? `, … (${items.length} in all)` : "");
}

function incomparable(reason: string): Pairing {
  return { status: "incomparable", reason };
}

/**
 * Pairs the predictions of two models on the same rows by id. The order of rows and of classes may differ. They are
 * incomparable when their tasks, dataset digests, classes, row ids, labels, weights, groups or naive scales differ.
 *
 * @returns `baseline` in the candidate's order of rows and classes, with the candidate's slices, groups, weights and
 *   naive scales
 */
export function pairPredictions(candidate: Predictions, baseline: Predictions): Pairing {
  if (candidate.task !== baseline.task)
    return incomparable(`different tasks: candidate ${candidate.task}, baseline ${baseline.task}`);
  if (
    candidate.datasetDigest !== null &&
    baseline.datasetDigest !== null &&
    candidate.datasetDigest !== baseline.datasetDigest
  ) {
    return incomparable(
      `different datasets: candidate ${candidate.datasetDigest.slice(0, 12)}…, baseline ${baseline.datasetDigest.slice(0, 12)}…`,
    );
  }
  const classOrder = matchClasses(candidate, baseline);
  if (typeof classOrder === "string") return incomparable(classOrder);

  for (const [side, { ids }] of [
    ["candidate", candidate],
    ["baseline", baseline],
  ] as const) {
    const twice = duplicates(ids);
    if (twice.length > 0) return incomparable(`duplicated rows: the ${side} has ${some(twice)} more than once`);
  }
  const baselineRow = new Map(baseline.ids.map((id, row) => [id, row]));
  const known = new Set(candidate.ids);
  const onlyCandidate = candidate.ids.filter((id) => !baselineRow.has(id));
  const onlyBaseline = baseline.ids.filter((id) => !known.has(id));
  if (onlyCandidate.length + onlyBaseline.length > 0) {
    const sides = [
      [onlyCandidate, "candidate"],
      [onlyBaseline, "baseline"],
    ] as const;
    return incomparable(
      `different rows: ${sides
        .filter(([ids]) => ids.length > 0)
        .map(([ids, side]) => `only the ${side} has ${some(ids)}`)
        .join("; ")}`,
    );
  }
  const order = candidate.ids.map((id) => baselineRow.get(id)!);

  const differing = (what: string, ours: (row: number) => unknown, theirs: (row: number) => unknown): string | null => {
    const rows = candidate.ids.flatMap((id, row) =>
      ours(row) === theirs(order[row]!) ? [] : [`${id} (${String(ours(row))} against ${String(theirs(order[row]!))})`],
    );
    return rows.length === 0 ? null : `different ${what}: ${some(rows)}`;
  };
  const classCount = candidate.classes.length;
  const labelName = (side: Predictions) => (row: number) =>
    classCount > 2 || layoutOf(side.task) === "multiclass" ? side.classes[side.labels[row]!] : side.labels[row];
  const { groups, weights, naiveScales } = candidate;
  const reason =
    differing("labels", labelName(candidate), labelName(baseline)) ??
    (weights !== null && baseline.weights !== null
      ? differing(
          "weights",
          (row) => weights[row],
          (row) => baseline.weights![row],
        )
      : null) ??
    (groups !== null && baseline.groups !== null
      ? differing(
          "groups",
          (row) => groups[row],
          (row) => baseline.groups![row],
        )
      : null) ??
    (naiveScales !== undefined && baseline.naiveScales !== undefined
      ? differing(
          "naive scales",
          (row) => naiveScales[row],
          (row) => baseline.naiveScales![row],
        )
      : null);
  if (reason !== null) return incomparable(reason);

  const width = classOrder.length;
  const scores = new Float64Array(order.length * width);
  order.forEach((from, row) =>
    classOrder.forEach((column, i) => void (scores[row * width + i] = baseline.scores[from * width + column]!)),
  );
  const { ids, labels, classes, slices } = candidate;
  return {
    status: "paired",
    candidate,
    baseline: {
      ...baseline,
      ids,
      labels,
      classes,
      slices,
      groups,
      weights,
      scores,
      ...(naiveScales === undefined ? {} : { naiveScales }),
    },
  };
}

function duplicates(ids: readonly string[]): string[] {
  const seen = new Set<string>();
  return [...new Set(ids.filter((id) => seen.size === seen.add(id).size))];
}

/**
 * The baseline's score column for each of the candidate's, or why there is none. Names of binary classes may differ.
 */
function matchClasses(candidate: Predictions, baseline: Predictions): number[] | string {
  if (layoutOf(candidate.task) !== "multiclass") return [0];
  const order = candidate.classes.map((name) => baseline.classes.indexOf(name));
  const onlyCandidate = candidate.classes.filter((_, i) => order[i] === -1);
  const onlyBaseline = baseline.classes.filter((name) => !candidate.classes.includes(name));
  if (onlyCandidate.length + onlyBaseline.length === 0) return order;
  return `different classes: ${[
    [onlyCandidate, "candidate"],
    [onlyBaseline, "baseline"],
  ]
    .filter(([names]) => names!.length > 0)
    .map(([names, side]) => `only the ${String(side)} has ${some(names as string[])}`)
    .join("; ")}`;
}
