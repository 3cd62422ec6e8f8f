import { describe, expect, it } from "vitest";
import { chooseThreshold, type ThresholdGoal } from "../../../eval/metrics/choose-threshold.ts";
import { tprAtFpr } from "../../../eval/metrics/tpr-at-fpr.ts";
import { normalQuantile } from "../../../eval/stats/normal.ts";
import { RandomStream } from "../../../eval/stats/random.ts";
import type { Sample } from "../../../eval/metrics/definition.ts";
import { sample as sampleOf } from "./samples.ts";

const sample = (labels: number[], scores: number[], more: Partial<Sample> = {}) => sampleOf(labels, scores, 2, more);
const options = { level: 0.9, seed: 1, resamples: 200 };
const chosen = (one: Sample, goal: ThresholdGoal, more: Partial<typeof options> = {}) => {
  const result = chooseThreshold(one, goal, { ...options, ...more });
  if (result.status !== "ok") throw new Error(result.reason);
  return result;
};

describe("values", () => {
  // sklearn.metrics.roc_curve(labels, scores, drop_intermediate=False) of scikit-learn 1.2.1: thresholds
  // .9 .8 .7 .6 .5 .3 .2 with FPR 0 0 .25 .25 .5 .75 1 and TPR .25 .5 .5 .75 1 1 1.
  const labels = [1, 1, 0, 1, 1, 0, 0, 0];
  const scores = [0.9, 0.8, 0.7, 0.6, 0.5, 0.5, 0.3, 0.2];

  it.each([
    [{ kind: "fpr", atMost: 0.25 }, 0.6, 0.25, 0.75],
    [{ kind: "fpr", atMost: 0.49 }, 0.6, 0.25, 0.75],
    [{ kind: "fpr", atMost: 0.5 }, 0.5, 0.5, 1],
    [{ kind: "recall", atLeast: 0.5 }, 0.8, 0, 0.5],
    [{ kind: "recall", atLeast: 0.51 }, 0.6, 0.25, 0.75],
    [{ kind: "recall", atLeast: 1 }, 0.5, 0.5, 1],
    [{ kind: "cost", falseAlarm: 10, miss: 1 }, 0.8, 0, 0.5],
    [{ kind: "cost", falseAlarm: 1, miss: 10 }, 0.5, 0.5, 1],
  ] as const)("%o", (goal, threshold, falsePositiveRate, recall) => {
    expect(chosen(sample(labels, scores), goal)).toMatchObject({ threshold, falsePositiveRate, recall, n: 8 });
  });

  it("weights count as so many rows", () => {
    const weights = Float64Array.from([1, 1, 3, 1, 1, 1, 1, 1]);
    const goal = { kind: "fpr", atMost: 0.4 } as const;
    expect(chosen(sample(labels, scores, { weights }), goal)).toMatchObject({ threshold: 0.8, falsePositiveRate: 0 });
    const doubled = sample([...labels, 0, 0], [...scores, 0.7, 0.7]);
    expect(chosen(doubled, goal)).toMatchObject({ threshold: 0.8, falsePositiveRate: 0 });
  });

  it("rows with one score are on one side together, and tpr_at_fpr agrees", () => {
    const random = new RandomStream(3, 0);
    const many = Array.from({ length: 400 }, () => (random.uniform() < 0.3 ? 1 : 0));
    const tied = sample(
      many,
      many.map((label) => Math.round(10 * Math.min(1, random.uniform() + 0.3 * label)) / 10),
    );
    for (const atMost of [0.05, 0.1, 0.2, 0.3, 0.5]) {
      const metric = tprAtFpr.measure(tied, { level: 0.9, seed: 1, at: atMost, intervals: false });
      if (metric.status !== "ok" || metric.value === 0) continue;
      const { threshold, recall, falsePositiveRate } = chosen(tied, { kind: "fpr", atMost });
      expect(recall).toBeCloseTo(metric.value, 12);
      expect(falsePositiveRate).toBeLessThanOrEqual(atMost);
      const negatives = [...tied.labels.keys()].filter((i) => tied.labels[i] === 0);
      expect(negatives.filter((i) => tied.scores[i]! >= threshold).length / negatives.length).toBe(falsePositiveRate);
    }
  });
});

describe("calibration where the population's threshold is known", () => {
  // Negatives are N(0, 1), or a cluster's mean and a row's own part that make N(0, 1) together.
  const goal = { kind: "fpr", atMost: 0.1 } as const;
  const truth = normalQuantile(0.9);
  const drawn = (seed: number, clusters: boolean): Sample => {
    const random = new RandomStream(99, seed);
    const normal = () => normalQuantile(Math.min(1 - 1e-12, Math.max(1e-12, random.uniform())));
    const labels: number[] = [];
    const scores: number[] = [];
    const groups: string[] = [];
    for (let group = 0; group < 80; group++) {
      const shared = clusters ? normal() * Math.SQRT1_2 : 0;
      // Groups of uneven sizes.
      for (let row = 0; row < 3 + (group % 5) * 3; row++) {
        const label = row % 3 === 0 ? 1 : 0;
        labels.push(label);
        groups.push(String(group));
        scores.push(label + shared + normal() * (clusters ? Math.SQRT1_2 : 1));
      }
    }
    return sample(labels, scores, { groups: clusters ? groups : null });
  };

  it.each([
    ["independent rows", false],
    ["clusters of uneven sizes", true],
  ])("%s: an interval of level .9 holds the true threshold about nine times in ten", (_, clusters) => {
    const runs = 300;
    let held = 0;
    for (let seed = 0; seed < runs; seed++) {
      const { interval } = chosen(drawn(seed, clusters), goal, { seed, resamples: 200 });
      if (interval.low <= truth && truth <= interval.high) held++;
    }
    // 3 standard errors of 300 runs at .9 are .052; thresholds are scores that occur, which widens nothing.
    expect(held / runs).toBeGreaterThan(0.84);
    expect(held / runs).toBeLessThanOrEqual(0.96);
  });
});

describe("degenerate cases", () => {
  it.each([
    ["no rows", sample([], []), { kind: "fpr", atMost: 0.1 }, /no rows/],
    ["one class", sample([1, 1], [0.1, 0.2]), { kind: "recall", atLeast: 0.5 }, /no negative rows/],
    ["too few negatives", sample([1, 0, 0], [0.9, 0.1, 0.2]), { kind: "fpr", atMost: 0.01 }, /it takes 100/],
    ["one score for all", sample([1, 0, 0], [0.5, 0.5, 0.5]), { kind: "fpr", atMost: 0.5 }, /shared by too many/],
    ["NaN", sample([1, 0], [Number.NaN, 0.5]), { kind: "recall", atLeast: 0.5 }, /score of row 0 is NaN/],
    ["no rate", sample([1, 0], [0.9, 0.5]), { kind: "fpr", atMost: 1 }, /lies not in/],
    ["no cost", sample([1, 0], [0.9, 0.5]), { kind: "cost", falseAlarm: 0, miss: 1 }, /above 0/],
  ] as const)("%s", (_, one, goal, reason) => {
    expect(chooseThreshold(one, goal, options)).toEqual({ status: "undefined", reason: expect.stringMatching(reason) });
  });

  it("a single score that meets the goal is the threshold and both ends", () => {
    const one = sample([1, 1, 0, 0], [0.7, 0.7, 0.1, 0.1]);
    expect(chosen(one, { kind: "recall", atLeast: 1 })).toMatchObject({
      threshold: 0.7,
      interval: { low: 0.7, high: 0.7 },
    });
  });
});
