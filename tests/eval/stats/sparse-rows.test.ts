import { describe, expect, it } from "vitest";
import { abc } from "../../../eval/stats/abc.ts";
import { bootstrapReplicates } from "../../../eval/stats/bootstrap.ts";
import { leaveOneOut } from "../../../eval/stats/jackknife.ts";
import { RandomStream } from "../../../eval/stats/random.ts";
import { sideBySide, sparseRowsAlike, type SparseRows } from "../../../eval/stats/sparse-rows.ts";
import { collapseGroups, columnSums, type SumStatistic, unitCount } from "../../../eval/stats/sums.ts";
import { metric, options, sample } from "../metrics/samples.ts";

const classes = 12;
const rows = 400;
const random = new RandomStream(8);
const labels = Float64Array.from({ length: rows }, () => random.below(classes));
const guesses = (): Float64Array => labels.map((label) => (random.uniform() < 0.6 ? label : random.below(classes)));
const guessed = guesses();

/** Macro F1 from counts: the same table once as it is and once sparsely. */
const value = (sums: Float64Array): number => {
  let mean = 0;
  for (let c = 0; c < classes; c++) mean += sums[2 * c]! / sums[2 * c + 1]! / classes;
  return mean;
};
const sparse: SparseRows = {
  rows,
  perRow: 3,
  columns: new Int32Array(3 * rows).fill(-1),
  values: new Float64Array(3 * rows),
};
const cells = new Float64Array(rows * 2 * classes);
labels.forEach((label, i) => {
  const entries: [number, number][] = [
    [2 * label + 1, 1],
    [2 * guessed[i]! + 1, 1],
  ];
  if (label === guessed[i]) entries.push([2 * label, 2]);
  entries.forEach(([column, amount], k) => {
    sparse.columns[3 * i + k] = column;
    sparse.values[3 * i + k] = amount;
    cells[i * 2 * classes + column]! += amount;
  });
});
const dense: SumStatistic = { cells, width: 2 * classes, value };
const thin: SumStatistic = { cells: new Float64Array(0), sparse, width: 2 * classes, value };

describe("sparse rows give what the plain table gives", () => {
  it("in sums, units and groups", () => {
    expect(unitCount(thin)).toBe(rows);
    expect(columnSums(thin)).toEqual(columnSums(dense));
    const groups = Uint32Array.from(labels, (_, i) => i % 7);
    expect(collapseGroups(thin, groups, 7).cells).toEqual(collapseGroups(dense, groups, 7).cells);
  });
  it("in resamples and in the jackknife, exactly", () => {
    expect(bootstrapReplicates(thin, 3, 50)).toEqual(bootstrapReplicates(dense, 3, 50));
    expect(leaveOneOut(thin)).toEqual(leaveOneOut(dense));
  });
  it("in ABC, up to the rounding of its numerical derivatives", () => {
    const [one, two] = [abc(thin, 0.9)!, abc(dense, 0.9)!];
    expect(one.low).toBeCloseTo(two.low, 7);
    expect(one.high).toBeCloseTo(two.high, 7);
    expect(one.standardError).toBeCloseTo(two.standardError, 9);
  });
  it("side by side, and in whether rows are alike", () => {
    const both = sideBySide([
      { sparse, width: 2 * classes },
      { sparse, width: 2 * classes },
    ]);
    const sums = columnSums({ ...thin, sparse: both, width: 4 * classes });
    expect([...sums]).toEqual([...columnSums(dense), ...columnSums(dense)]);
    expect(sparseRowsAlike(sparse)).toBe(false);
    expect(sparseRowsAlike({ rows: 2, perRow: 1, columns: Int32Array.of(3, 3), values: Float64Array.of(1, 1) })).toBe(
      true,
    );
  });
});

describe("macro figures of many classes", () => {
  const probabilities = (of: Float64Array): Float64Array =>
    Float64Array.from({ length: rows * classes }, (_, i) => (i % classes === of[Math.floor(i / classes)] ? 1 : 0));
  const one = sample(labels, probabilities(guessed), classes);
  const two = sample(labels, probabilities(guesses()), classes);
  it.each(["macro_f1", "recall", "precision"] as const)("%s: weights that are all alike change nothing", (name) => {
    const weights = new Float64Array(rows).fill(3);
    const plain = metric(name).contrast(one, two, { ...options, resamples: 200 });
    const weighted = metric(name).contrast({ ...one, weights }, { ...two, weights }, { ...options, resamples: 200 });
    if (plain.status !== "ok" || weighted.status !== "ok") throw new Error("undefined");
    expect(weighted.difference).toBeCloseTo(plain.difference, 12);
    expect(weighted.interval.low).toBeCloseTo(plain.interval.low, 12);
  });
  it("every row its own cluster has the standard error of rows", () => {
    const grouped = (of: typeof one) => ({ ...of, groups: Array.from(labels, (_, i) => String(i)) });
    const [plain, clustered] = [
      metric("macro_f1").contrast(one, two, options),
      metric("macro_f1").contrast(grouped(one), grouped(two), options),
    ];
    if (plain.status !== "ok" || clustered.status !== "ok") throw new Error("undefined");
    const width = ({ low, high }: { low: number; high: number }) => high - low;
    expect(width(clustered.interval) / width(plain.interval)).toBeGreaterThan(0.9);
    expect(width(clustered.interval) / width(plain.interval)).toBeLessThan(1.2);
  });
  it("a model against itself: 0, with an interval of width", () => {
    expect(metric("macro_f1").contrast(one, one, options)).toMatchObject({ status: "ok", difference: 0 });
  });
});

describe("macro_f1", () => {
  it("of two classes is the mean of both classes' F1, as scikit-learn's", () => {
    // f1_score([1,1,0,0,1], [1,0,0,1,1], average="macro") is 0.583333: F1 2/3 and 1/2.
    const two = sample([1, 1, 0, 0, 1], [0.9, 0.1, 0.2, 0.8, 0.7], 2);
    const found = metric("macro_f1").measure(two, { ...options, intervals: false });
    expect(found).toMatchObject({ status: "ok", value: expect.closeTo(7 / 12, 12) as number });
  });
});
