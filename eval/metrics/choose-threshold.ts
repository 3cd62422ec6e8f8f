import { eachDraw } from "../stats/draws.ts";
import { bootstrapQuantile } from "../stats/quantile.ts";
import { affordableResamples } from "../stats/resamples.ts";
import type { Sample } from "./definition.ts";
import { rocOrder, type RocOrder } from "./roc-order.ts";
import { numberedGroups, sampleProblem } from "./sample.ts";

/** What a threshold is chosen for. Costs are those of one false alarm and of one miss, in any one unit. */
export type ThresholdGoal =
  | { kind: "fpr"; atMost: number }
  | { kind: "recall"; atLeast: number }
  | { kind: "cost"; falseAlarm: number; miss: number };

export type ChosenThreshold =
  | {
      status: "ok";
      threshold: number;
      /** Of the threshold that the population would have: percentile bootstrap over rows, or whole groups. */
      interval: { low: number; high: number; level: number; method: string };
      /** On the rows that it was chosen on. */
      falsePositiveRate: number;
      recall: number;
      n: number;
    }
  | { status: "undefined"; reason: string };

/**
 * The threshold t, a score that occurs, at which `score ≥ t` meets the goal. Rows with one score are on one side
 * together.
 * - fpr: the largest recall whose false-positive rate is at most `atMost`; the highest such threshold.
 * - recall: the highest threshold whose recall is at least `atLeast`.
 * - cost: the smallest sum of costs; the highest such threshold.
 *
 * @param options `level`: two-sided coverage of the interval
 */
export function chooseThreshold(
  sample: Sample,
  goal: ThresholdGoal,
  options: { level: number; seed: number; resamples?: number },
): ChosenThreshold {
  const undefinedFor = (reason: string): ChosenThreshold => ({ status: "undefined", reason });
  const problem = goalProblem(goal) ?? sampleProblem(sample, "any");
  if (problem !== null) return undefinedFor(problem);
  const roc = rocOrder(sample);
  if (typeof roc === "string") return undefinedFor(roc);
  if (goal.kind === "fpr" && roc.negatives * goal.atMost < 1 - 1e-9)
    return undefinedFor(
      `${roc.negatives} negatives cannot show a false-positive rate of ${goal.atMost}; it takes ${Math.ceil(1 / goal.atMost)}`,
    );
  const n = sample.labels.length;
  const base = sample.weights ?? new Float64Array(n).fill(1);
  const found = thresholdFor(roc, base, goal);
  if (found === null)
    return undefinedFor(
      `no score keeps the false-positive rate at or below ${goal.kind === "fpr" ? goal.atMost : ""}: the highest score is shared by too many negatives`,
    );
  const numbered = numberedGroups(sample.groups);
  const units = numbered?.count ?? n;
  const resamples = options.resamples ?? affordableResamples(n);
  // Where no score is high enough in a resample, the highest stands for what would be above it.
  const highest = sample.scores.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
  const replicates: number[] = [];
  const weights = new Float64Array(n);
  const counts = new Float64Array(units);
  for (let r = 0; r < resamples; r++) {
    counts.fill(0);
    eachDraw(options.seed, r, units, (drawn, count) => {
      for (let i = 0; i < count; i++) counts[drawn[i]!]!++;
    });
    for (let i = 0; i < n; i++) weights[i] = base[i]! * counts[numbered === null ? i : numbered.ids[i]!]!;
    replicates.push(thresholdFor(roc, weights, goal)?.threshold ?? highest);
  }
  const tail = (1 - options.level) / 2;
  const sorted = replicates.toSorted((a, b) => a - b);
  return {
    status: "ok",
    threshold: found.threshold,
    interval: {
      low: bootstrapQuantile(sorted, tail),
      high: bootstrapQuantile(sorted, 1 - tail),
      level: options.level,
      method: numbered === null ? "percentile bootstrap" : "percentile bootstrap over groups",
    },
    falsePositiveRate: found.alarms / found.negatives,
    recall: found.hits / found.positives,
    n,
  };
}

function goalProblem(goal: ThresholdGoal): string | null {
  const within = (rate: number, name: string) =>
    rate > 0 && rate < 1 ? null : `${name} of ${rate} lies not in (0, 1)`;
  switch (goal.kind) {
    case "fpr":
      return within(goal.atMost, "a false-positive rate");
    case "recall":
      return goal.atLeast > 0 && goal.atLeast <= 1 ? null : `a recall of ${goal.atLeast} lies not in (0, 1]`;
    case "cost":
      return goal.falseAlarm > 0 && goal.miss > 0 && Number.isFinite(goal.falseAlarm + goal.miss)
        ? null
        : "costs are numbers above 0";
  }
}

type Found = { threshold: number; hits: number; alarms: number; positives: number; negatives: number };

/** Null when no score that occurs meets the goal. */
function thresholdFor(roc: RocOrder, weights: Float64Array, goal: ThresholdGoal): Found | null {
  const { positives, negatives } = roc.totals(weights);
  if (positives === 0 || negatives === 0) return null;
  let found: Found | null = null;
  let least = Number.POSITIVE_INFINITY;
  roc.sweep(weights, (_, __, hits, alarms, threshold) => {
    const one = { threshold, hits, alarms, positives, negatives };
    switch (goal.kind) {
      case "fpr":
        // A little slack, so that 3 of 300 counts as at most 0.01 despite rounding.
        if (alarms > goal.atMost * negatives * (1 + 1e-12)) return true;
        found = one;
        return false;
      case "recall":
        found = one;
        return hits >= goal.atLeast * positives * (1 - 1e-12);
      case "cost": {
        const cost = goal.falseAlarm * alarms + goal.miss * (positives - hits);
        if (cost < least) [least, found] = [cost, one];
        return false;
      }
    }
  });
  return found;
}
