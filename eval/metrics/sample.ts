import type { MeasureOptions, Sample } from "./definition.ts";

/** What a metric requires of its scores. */
export type ScoreDemand = "any" | "probability";

/**
 * How far a row's probabilities may add up to something other than 1: enough for float16 softmax and for rounded columns,
 * too little for logits. `eval/judge/score-notes.ts` tells of sums that are not 1.
 */
const sumTolerance = 0.05;

/**
 * Why no metric can be computed on this sample, naming the first offending row (counted from 0); null when all is well.
 * Reasons: empty input, lengths that do not fit, NaN or infinite numbers, labels that are not a class index, negative
 * or all-zero weights, and, where probabilities are required, scores outside [0, 1] or rows that do not add up to 1.
 */
export function sampleProblem(sample: Sample, demand: ScoreDemand): string | null {
  const { labels, scores, classCount, weights, groups } = sample;
  const n = labels.length;
  if (n === 0) return "there are no rows";
  if (classCount === 1 || classCount < 0 || !Number.isInteger(classCount)) return `${classCount} classes make no task`;
  const width = classCount > 2 ? classCount : 1;
  if (scores.length !== n * width) return `${scores.length} scores for ${n} rows of ${width}`;
  if (weights !== null && weights.length !== n) return `${weights.length} weights for ${n} rows`;
  if (groups !== null && groups.length !== n) return `${groups.length} groups for ${n} rows`;
  return (
    labelProblem(labels, classCount) ??
    scoreProblem(scores, width, classCount > 0 ? demand : "any") ??
    (weights === null ? null : weightProblem(weights))
  );
}

function labelProblem(labels: Float64Array, classCount: number): string | null {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as number;
    if (!Number.isFinite(label)) return `the label of row ${i} is ${label}`;
    if (classCount > 0 && !(Number.isInteger(label) && label >= 0 && label < classCount))
      return `the label of row ${i} is ${label}, which is none of the ${classCount} classes`;
  }
  return null;
}

function scoreProblem(scores: Float64Array, width: number, demand: ScoreDemand): string | null {
  const probability = demand === "probability";
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] as number;
    if (!Number.isFinite(score)) return `the score of row ${Math.floor(i / width)} is ${score}`;
    if (probability && (score < 0 || score > 1))
      return `the score of row ${Math.floor(i / width)} is ${score}, which is no probability`;
  }
  if (!probability || width === 1) return null;
  for (let at = 0; at < scores.length; at += width) {
    let sum = 0;
    for (let c = 0; c < width; c++) sum += scores[at + c] as number;
    if (Math.abs(sum - 1) > sumTolerance) return `the probabilities of row ${at / width} add up to ${sum}`;
  }
  return null;
}

function weightProblem(weights: Float64Array): string | null {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i] as number;
    if (!(weight >= 0 && Number.isFinite(weight))) return `the weight of row ${i} is ${weight}`;
    sum += weight;
  }
  return sum > 0 ? null : "all weights are 0";
}

/**
 * Why two samples are not a pair, or null. The caller must check the identity of rows; this sees only counts, labels
 * and weights.
 */
function pairProblem(candidate: Sample, baseline: Sample): string | null {
  const n = candidate.labels.length;
  if (baseline.labels.length !== n) return `the candidate has ${n} rows and the baseline ${baseline.labels.length}`;
  if (candidate.classCount !== baseline.classCount)
    return `the candidate has ${candidate.classCount} classes and the baseline ${baseline.classCount}`;
  for (let i = 0; i < n; i++) if (candidate.labels[i] !== baseline.labels[i]) return `the labels of row ${i} differ`;
  if ((candidate.weights === null) !== (baseline.weights === null)) return "only one of the two has weights";
  if (candidate.weights !== null)
    for (let i = 0; i < n; i++)
      if (candidate.weights[i] !== (baseline.weights as Float64Array)[i]) return `the weights of row ${i} differ`;
  return null;
}

/** The first thing wrong with two samples or with their pairing, or null. */
export function contrastProblem(candidate: Sample, baseline: Sample, demand: ScoreDemand): string | null {
  const wrongBaseline = sampleProblem(baseline, demand);
  return (
    sampleProblem(candidate, demand) ??
    (wrongBaseline === null ? pairProblem(candidate, baseline) : `baseline: ${wrongBaseline}`)
  );
}

/** What a metric computes from a valid sample before it measures; a string says why it cannot. */
type Preparation<Parts> = {
  demand: ScoreDemand;
  prepare(sample: Sample, options: MeasureOptions): Parts | string;
};

/** A valid sample's parts, or what is wrong with the sample. */
export function prepareSample<Parts>(
  metric: Preparation<Parts>,
  sample: Sample,
  options: MeasureOptions,
): Parts | string {
  return sampleProblem(sample, metric.demand) ?? metric.prepare(sample, options);
}

/** The parts of a valid pair of samples, candidate first, or what is wrong with the pair. */
export function preparePair<Parts>(
  metric: Preparation<Parts>,
  candidate: Sample,
  baseline: Sample,
  options: MeasureOptions,
): readonly [Parts, Parts] | string {
  const problem = contrastProblem(candidate, baseline, metric.demand);
  if (problem !== null) return problem;
  const one = metric.prepare(candidate, options);
  if (typeof one === "string") return one;
  const two = metric.prepare(baseline, options);
  return typeof two === "string" ? `baseline: ${two}` : [one, two];
}

/** Rows per class. Rows of weight 0 do not count. */
export function classCounts({ labels, classCount, weights }: Sample): number[] {
  const counts = Array.from({ length: classCount }, () => 0);
  for (let i = 0; i < labels.length; i++)
    if (weights === null || weights[i] !== 0) (counts[labels[i] as number] as number)++;
  return counts;
}

/** Groups as numbers 0 … count - 1, in order of first appearance; null without groups. */
export function numberedGroups(groups: string[] | null): { ids: Uint32Array; count: number } | null {
  if (groups === null) return null;
  const numbers = new Map<string, number>();
  const ids = new Uint32Array(groups.length);
  groups.forEach((group, i) => {
    let number = numbers.get(group);
    if (number === undefined) numbers.set(group, (number = numbers.size));
    ids[i] = number;
  });
  return { ids, count: numbers.size };
}

/**
 * Predicted class per row: binary, score ≥ threshold is class 1; otherwise the largest probability, the first of equals
 * (as NumPy's argmax).
 */
export function predictedClasses({ labels, scores, classCount }: Sample, threshold: number): Uint32Array {
  const predicted = new Uint32Array(labels.length);
  for (let i = 0; i < labels.length; i++) {
    if (classCount === 2) predicted[i] = (scores[i] as number) >= threshold ? 1 : 0;
    else {
      const at = i * classCount;
      let best = 0;
      for (let c = 1; c < classCount; c++) if ((scores[at + c] as number) > (scores[at + best] as number)) best = c;
      predicted[i] = best;
    }
  }
  return predicted;
}

/** Threshold of the decision metrics when none is given. */
export const defaultThreshold = 0.5;

/** The threshold at which a binary sample is decided: the one that is asked for, else its model's own, else 0.5. */
export function thresholdOf(sample: Pick<Sample, "threshold">, options: Pick<MeasureOptions, "threshold">): number {
  return options.threshold ?? sample.threshold ?? defaultThreshold;
}

/** Largest label minus smallest: the scale of an error when no error has been seen. */
export function labelSpread({ labels }: Sample): number {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const label of labels) {
    low = Math.min(low, label);
    high = Math.max(high, label);
  }
  return high - low;
}
