import { sparseGroupSums, type SparseRows } from "../stats/sparse-rows.ts";
import type { MeasureOptions, Sample } from "./definition.ts";
import { predictedClasses, thresholdOf } from "./sample.ts";
import type { SumMetric, SumParts } from "./sum-metric.ts";

/** What the denominator of a per-class ratio counts: rows predicted as the class, rows of the class, or both. */
export type Denominator = "predicted" | "true" | "both";

/**
 * True positives over a count, per class: precision (predicted), recall (true), F1 as 2TP / (predicted + true). Binary:
 * of class 1, unless every class is asked for. More than two classes: the unweighted mean (macro) over the classes that occur. For recall, a class
 * occurs when it has rows, otherwise when it has rows or predictions. A class that has rows but is never predicted has
 * no precision, and then the macro mean has none either.
 */
export function classRatio(
  denominator: Denominator,
  of: "positive class" | "every class" = "positive class",
): SumMetric {
  return {
    demand: "any",
    range: [0, 1],
    byClass: true,
    // Of rare positives only those count that the two models decide differently: with 100 of 10,000 rows, 6.5 % of losses
    // of the margin pass without this.
    carriedByFew: true,
    prepare: (sample, options) => prepare(sample, options, denominator, of),
  };
}

/** Up to so many columns a plain table is smaller and faster. */
const denseWidth = 6;

function prepare(
  sample: Sample,
  options: MeasureOptions,
  denominator: Denominator,
  of: "positive class" | "every class",
): SumParts | string {
  const { labels, classCount } = sample;
  const predicted = predictedClasses(sample, thresholdOf(sample, options));
  const occurs = Array.from({ length: classCount }, () => ({ labelled: 0, predicted: 0 }));
  labels.forEach((label, i) => {
    if (sample.weights !== null && sample.weights[i] === 0) return;
    (occurs[label] as { labelled: number }).labelled++;
    (occurs[predicted[i] as number] as { predicted: number }).predicted++;
  });
  const onlyPositive = classCount === 2 && of === "positive class";
  const classes = onlyPositive
    ? [1]
    : occurs.flatMap((one, c) => (one.labelled > 0 || (denominator !== "true" && one.predicted > 0) ? [c] : []));
  for (const c of classes) {
    const one = occurs[c] as { labelled: number; predicted: number };
    const name = onlyPositive ? "positive" : `class ${c}`;
    if (denominator === "predicted" && one.predicted === 0) return `no row is predicted ${name}: precision is 0/0`;
    if (denominator === "true" && one.labelled === 0) return `there are no ${name} rows: recall is 0/0`;
    if (one.labelled + one.predicted === 0) return `no row is ${name} or predicted so: F1 is 0/0`;
  }
  // Each row counts in one class or two, however many there are.
  const column = new Int32Array(classCount).fill(-1);
  classes.forEach((c, k) => (column[c] = 2 * k));
  const width = 2 * classes.length;
  const perRow = 3;
  const sparse: SparseRows = {
    rows: labels.length,
    perRow,
    columns: new Int32Array(labels.length * perRow).fill(-1),
    values: new Float64Array(labels.length * perRow),
  };
  const put = (at: number, c: number, which: 0 | 1, amount: number): void => {
    const k = column[c] as number;
    if (k < 0) return;
    sparse.columns[at] = k + which;
    sparse.values[at] = amount;
  };
  labels.forEach((label, i) => {
    const guess = predicted[i] as number;
    const at = i * perRow;
    if (label === guess) put(at, label, 0, denominator === "both" ? 2 : 1);
    if (denominator !== "predicted") put(at + 1, label, 1, 1);
    if (denominator !== "true") put(at + 2, guess, 1, 1);
  });
  return {
    ...(width > denseWidth
      ? { cells: new Float64Array(0), sparse }
      : { cells: sparseGroupSums(sparse, width, Uint32Array.from(labels.keys()), labels.length) }),
    width,
    linear: false,
    whyUndefined: "a class has no rows or predictions",
    largest: 1,
    trials: Math.min(...classes.map((c) => Math.max(1, (occurs[c] as { labelled: number }).labelled))),
    value: (sums, offset) => {
      let mean = 0;
      for (let k = offset; k < offset + width; k += 2)
        mean += (sums[k] as number) / (sums[k + 1] as number) / classes.length;
      return mean;
    },
  };
}
