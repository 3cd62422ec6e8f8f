import type { MetricResult } from "../schema/metrics.ts";
import type { Interval } from "../schema/verdict.ts";
import {
  type AurocComponents,
  aurocComponents,
  clusteredMoments,
  logitInterval,
  type Moments,
  noVariance,
  sameKernelInterval,
  stratifiedMoments,
  waldInterval,
} from "../stats/deLong.ts";
import {
  classificationTasks,
  type ContrastResult,
  type MeasureOptions,
  type MetricDefinition,
  type Sample,
} from "./definition.ts";
import { classCounts, contrastProblem, numberedGroups, sampleProblem } from "./sample.ts";

/**
 * AUROC with each row's contribution. For more than two classes, the mean over one-vs-rest AUROCs and contributions.
 */
function components({ labels, scores, classCount, weights }: Sample): AurocComponents {
  if (classCount === 2) return aurocComponents(scores, labels, weights);
  const influence = new Float64Array(labels.length);
  let auroc = 0;
  for (let c = 0; c < classCount; c++) {
    const one = aurocComponents(
      labels.map((_, i) => scores[i * classCount + c] as number),
      labels.map((label) => (label === c ? 1 : 0)),
      weights,
    );
    auroc += one.auroc / classCount;
    for (let i = 0; i < influence.length; i++)
      influence[i] = (influence[i] as number) + (one.influence[i] as number) / classCount;
  }
  return { auroc, influence };
}

function missingClass(sample: Sample): string | null {
  const empty = classCounts(sample).indexOf(0);
  if (empty < 0) return null;
  return sample.classCount === 2
    ? `there are no ${empty === 1 ? "positive" : "negative"} rows`
    : `class ${empty} has no rows`;
}

function moments(sample: Sample, influence: Float64Array): Moments & { clustered: boolean } {
  const groups = numberedGroups(sample.groups);
  if (groups === null)
    return { ...stratifiedMoments(influence, sample.labels, sample.classCount, sample.weights), clustered: false };
  return { ...clusteredMoments(influence, groups.ids, groups.count), clustered: true };
}

/**
 * Number of pairs that share no row and no cluster. With more than two classes, every class has its own pairs and a
 * share of the error rate. That share is taken off the number of pairs here, which bounds it from below.
 */
function disjointPairs(sample: Sample): number {
  const pairs = Math.min(...classCounts(sample)) / Math.max(1, Math.log2(sample.classCount));
  const groups = numberedGroups(sample.groups);
  return groups === null ? pairs : Math.min(pairs, groups.count / 2);
}

function intervalOf(
  sample: Sample,
  estimate: number,
  influence: Float64Array,
  level: number,
  lowest: number,
  highest: number,
  logit: boolean,
): Interval | null {
  const found = moments(sample, influence);
  const name = found.clustered ? "Obuchowski, t over clusters" : "DeLong, Welch-Satterthwaite t";
  if (Number.isNaN(found.variance)) return null;
  if (found.variance <= noVariance)
    return {
      ...sameKernelInterval(estimate, disjointPairs(sample), level, lowest, highest),
      level,
      method: "no variation seen: rule of three over disjoint pairs",
    };
  if (logit) return { ...logitInterval(estimate, found, level), level, method: `${name}, logit scale` };
  return { ...waldInterval(estimate, found, level, lowest, highest), level, method: name };
}

function measure(sample: Sample, options: MeasureOptions): MetricResult {
  const n = sample.labels.length;
  const problem = sampleProblem(sample, "any") ?? missingClass(sample);
  if (problem !== null) return { status: "undefined", reason: problem, n };
  const { auroc, influence } = components(sample);
  if (options.intervals === false) return { status: "ok", value: auroc, interval: null, n };
  return {
    status: "ok",
    value: auroc,
    interval: intervalOf(sample, auroc, influence, options.level, 0, 1, auroc > 0 && auroc < 1),
    n,
  };
}

function contrast(candidate: Sample, baseline: Sample, options: MeasureOptions): ContrastResult {
  const n = candidate.labels.length;
  const problem = contrastProblem(candidate, baseline, "any") ?? missingClass(candidate);
  if (problem !== null) return { status: "undefined", reason: problem, n };
  const one = components(candidate);
  const two = components(baseline);
  const relative = options.scale === "relative";
  if (relative && two.auroc === 0)
    return { status: "undefined", reason: "the baseline's value is 0: there is no relative change", n };
  // Delta method for the ratio A/B - 1: its contributions are (φA - (A/B) φB) / B.
  const unit = relative ? two.auroc : 1;
  const ratio = relative ? one.auroc / two.auroc : 1;
  const { influence } = one;
  if (relative)
    for (let i = 0; i < n; i++) influence[i] = ((influence[i] as number) - ratio * (two.influence[i] as number)) / unit;
  else for (let i = 0; i < n; i++) influence[i] = (influence[i] as number) - (two.influence[i] as number);
  const difference = relative ? ratio - 1 : one.auroc - two.auroc;
  const interval = intervalOf(candidate, difference, influence, options.level, -1 / unit, 1 / unit, false);
  if (interval === null)
    return {
      status: "undefined",
      reason: "a class with a single row, or a single cluster, leaves no variance to estimate",
      n,
    };
  return { status: "ok", candidate: one.auroc, baseline: two.auroc, difference, interval, n };
}

/**
 * Area under the ROC curve: P(score of a positive > score of a negative), ties one half; [0, 1], higher is better. Any
 * finite scores; weights allowed. More than two classes: the unweighted mean over one-vs-rest AUROCs (macro), undefined
 * unless all occur.
 *
 * Interval: DeLong's variance with Welch-Satterthwaite degrees of freedom (Brunner and Munzel 2000), on the logit scale
 * for one AUROC and symmetric for the paired difference; with clusters Obuchowski's variance and t over clusters. A
 * variance of 0 gives the conservative bound of `sameKernelInterval`. Values as pROC's auc and scikit-learn's
 * roc_auc_score(average="macro", multi_class="ovr").
 */
export const auroc: MetricDefinition = {
  name: "auroc",
  tasks: classificationTasks,
  direction: "higher",
  unit: "",
  range: [0, 1],
  defaultOptions: {},
  measure,
  contrast,
};
