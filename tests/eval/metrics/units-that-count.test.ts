import { describe, expect, it } from "vitest";
import { metricsFor, type Sample } from "../../../eval/metrics/catalog.ts";
import { jackknifeInterval } from "../../../eval/stats/weighted-statistic.ts";
import { studentQuantile } from "../../../eval/stats/student.ts";
import { normalQuantile } from "../../../eval/stats/normal.ts";
import { RandomStream } from "../../../eval/stats/random.ts";
import type { MetricName } from "../../../models/core/manifest/gates.ts";
import {
  binaryA,
  binaryB,
  metric,
  numberA,
  numberB,
  numberWeights,
  binaryWeights,
  options,
  rowMetrics,
  sample,
} from "./samples.ts";

type Interval = { low: number; high: number };
function contrast(name: MetricName, one: Sample, two: Sample, level = 0.9): Interval & { difference: number } {
  const result = metric(name).contrast(one, two, { ...options, level, at: 0.1 });
  if (result.status !== "ok") throw new Error(result.reason);
  return { ...result.interval, difference: result.difference };
}

/** Binormal scores of clusters of ten rows, half of them positive, so that every cluster weighs alike. */
function clusters(count: number, noise: number): [Sample, Sample] {
  const random = new RandomStream(41);
  const normal = () => normalQuantile(random.uniform());
  const rows = Array.from({ length: 10 * count }, (_, i) => ({ label: i % 2, group: `g${Math.floor(i / 10)}` }));
  const common = rows.map(({ label }) => label + normal());
  const of = () =>
    sample(
      rows.map(({ label }) => label),
      common.map((score) => score + noise * normal()),
      2,
      { groups: rows.map(({ group }) => group) },
    );
  return [of(), of()];
}

describe("AUROC over clusters", () => {
  it.each([5, 30, 60])("has the degrees of freedom of %d clusters, not of their rows", (count) => {
    const [one, two] = clusters(count, 0.6);
    // The side that no skewness lengthens is t · error, whose ratio at two levels names the degrees of freedom.
    const half = (level: number): number => {
      const { low, high, difference } = contrast("auroc", one, two, level);
      return Math.min(difference - low, high - difference);
    };
    const [t90, t99] = [studentQuantile(0.95, count - 1), studentQuantile(0.995, count - 1)];
    expect(half(0.99) / half(0.9)).toBeCloseTo(t99 / t90, 6);
  });

  it("that order every pair alike: the rule of three counts pairs of clusters", () => {
    const [one] = clusters(12, 0.6);
    const { low, high } = contrast("auroc", one, one);
    // Six pairs of clusters share none, and each of two sides has half of 1 - level.
    expect(high).toBeCloseTo(1 - 0.05 ** (1 / 6), 12);
    expect(low).toBeCloseTo(-high, 12);
    const rows = contrast("auroc", { ...one, groups: null }, { ...one, groups: null });
    expect(rows.high).toBeCloseTo(1 - 0.05 ** (1 / 60), 12);
  });
});

describe("rows of weight 0", () => {
  const pairs: [MetricName, Sample, Sample, Float64Array][] = [
    ...rowMetrics.map((name): [MetricName, Sample, Sample, Float64Array] => [name, binaryA, binaryB, binaryWeights]),
    ...metricsFor("regression").map(({ name }): [MetricName, Sample, Sample, Float64Array] => [
      name,
      numberA,
      numberB,
      numberWeights,
    ]),
  ];
  /** Metrics whose interval is drawn by resampling rows: other draws, so only about the same ends. */
  const drawn = new Set(["ece", "median_absolute_error", "tpr_at_fpr"]);
  // Where the statistic is not linear, the mean over leave-one-out values moves a little: by 2e-4 of the width at most.
  it.each(pairs)("%s: change neither the value nor the interval", (name, one, two, some) => {
    const without = contrast(name, { ...one, weights: some }, { ...two, weights: some });
    const extra = 15;
    const longer = (of: Sample): Sample => ({
      ...of,
      labels: Float64Array.from([...of.labels, ...of.labels.slice(0, extra)]),
      scores: Float64Array.from([...of.scores, ...of.scores.slice(7, 7 + extra)]),
      weights: Float64Array.from([...some, ...new Float64Array(extra)]),
      ...(of.naiveScales === undefined
        ? {}
        : { naiveScales: Float64Array.from([...of.naiveScales, ...of.naiveScales.slice(0, extra)]) }),
    });
    const found = contrast(name, longer(one), longer(two));
    const width = without.high - without.low;
    expect(found.difference).toBeCloseTo(without.difference, 10);
    const digits = drawn.has(name) ? 0 : 3;
    expect((found.low - without.low) / width).toBeCloseTo(0, digits);
    expect((found.high - without.high) / width).toBeCloseTo(0, digits);
  });
});

it("the delete-a-group jackknife of a mean is SciPy's t interval over the groups", () => {
  const means = [0.12, 0.4, -0.1, 0.1, 0.2];
  const leftOut = Float64Array.from(means, (one) => (5 * 0.144 - one) / 4);
  // scipy.stats.t.interval(0.9, 4, mean, sd/√5), SciPy 1.17.1
  const { low, high } = jackknifeInterval(leftOut, 0.144, 0.9)!;
  expect(low).toBeCloseTo(-0.02835028699815559, 10);
  expect(high).toBeCloseTo(0.3163502869981555, 10);
});
