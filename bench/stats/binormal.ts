import type { Sample } from "../../eval/metrics/definition.ts";
import { normalCdf, normalQuantile } from "../../eval/stats/normal.ts";
import { RandomStream } from "../../eval/stats/random.ts";
import { findRoot } from "../../eval/stats/rootfind.ts";
import { normals } from "./normals.ts";

/**
 * Two correlated classifiers. Row i is positive with probability `share`. Each model's latent score is separation · y +
 * ε with standard normal ε, correlated between the models. Everything that a metric needs follows from that score.
 */
export type BinormalWorld = {
  share: number;
  correlation: number;
  candidate: BinormalModel;
  baseline: BinormalModel;
};
/** `shift` is added to the true log odds that the score implies; 0 is perfectly calibrated. */
export type BinormalModel = { separation: number; shift: number };

export type BinaryMetric =
  | "auroc"
  | "average_precision"
  | "accuracy"
  | "f1"
  | "log_loss"
  | "brier"
  | "ece"
  | "precision"
  | "recall"
  | "partial_auroc"
  | "tpr_at_fpr";
/** Those of bench/results/calibration.md. */
export const binaryMetrics: readonly BinaryMetric[] = [
  "auroc",
  "average_precision",
  "log_loss",
  "brier",
  "ece",
  "accuracy",
  "f1",
];

/** Metrics that get the probability; the others get the latent score. */
const onProbability: ReadonlySet<BinaryMetric> = new Set(["log_loss", "brier", "ece"]);

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

/** Log odds of a positive given the latent score, by Bayes: ln(π/(1-π)) + d s - d²/2, plus the model's shift. */
function logOdds(world: BinormalWorld, model: BinormalModel, score: number): number {
  return Math.log(world.share / (1 - world.share)) + model.separation * score - model.separation ** 2 / 2 + model.shift;
}

/** The decision threshold on the latent score at which the baseline predicts as many positives as there are. */
export function threshold(world: BinormalWorld): number {
  const predicted = (t: number): number =>
    world.share * normalCdf(world.baseline.separation - t) + (1 - world.share) * normalCdf(-t);
  return findRoot((t) => predicted(t) - world.share, -8, 12);
}

/** n rows from one random stream, with the scores of both models. `draw` gives two standard normal numbers per row. */
export function drawBinary(
  world: BinormalWorld,
  n: number,
  seed: number,
  stream: number,
  draw: (random: RandomStream, count: number) => Float64Array = (random, count) => normals(random, 2 * count),
) {
  const random = new RandomStream(seed, stream);
  const labels = new Float64Array(n);
  for (let i = 0; i < n; i++) labels[i] = random.uniform() < world.share ? 1 : 0;
  const noise = draw(random, n);
  const rest = Math.sqrt(1 - world.correlation ** 2);
  const latent = { candidate: new Float64Array(n), baseline: new Float64Array(n) };
  for (let i = 0; i < n; i++) {
    const shared = noise[2 * i] as number;
    latent.baseline[i] = world.baseline.separation * (labels[i] as number) + shared;
    latent.candidate[i] =
      world.candidate.separation * (labels[i] as number) +
      world.correlation * shared +
      rest * (noise[2 * i + 1] as number);
  }
  const sampleOf = (scores: Float64Array): Sample => ({ labels, scores, classCount: 2, weights: null, groups: null });
  const probabilities = new Map<string, Sample>();
  const probability = (role: "candidate" | "baseline"): Sample => {
    const found =
      probabilities.get(role) ?? sampleOf(latent[role].map((s) => logistic(logOdds(world, world[role], s))));
    probabilities.set(role, found);
    return found;
  };
  const positives = labels.reduce((sum, y) => sum + y, 0);
  const pick = (metric: BinaryMetric, role: "candidate" | "baseline") =>
    onProbability.has(metric) ? probability(role) : sampleOf(latent[role]);
  return {
    fewest: Math.min(positives, n - positives),
    samples: (metric: BinaryMetric) => ({ candidate: pick(metric, "candidate"), baseline: pick(metric, "baseline") }),
  };
}

/**
 * The metric's value in an infinite sample, with false-positive rate `at`: in closed form where there is one, otherwise
 * by Simpson's rule over the latent score on 20,000 panels from -10 to separation + 10 (for ECE on 400 panels within each of its 15 bins).
 */
export function trueBinary(metric: BinaryMetric, world: BinormalWorld, model: BinormalModel, at = 0.1): number {
  const { share } = world;
  const d = model.separation;
  const t = threshold(world);
  const hits = normalCdf(d - t);
  const alarms = normalCdf(-t);
  const density = (s: number): { positive: number; negative: number } => ({
    positive: share * normalDensity(s - d),
    negative: (1 - share) * normalDensity(s),
  });
  const over = (f: (s: number) => number): number => simpson(f, -10, d + 10, 20_000);
  switch (metric) {
    case "auroc":
      return normalCdf(d / Math.SQRT2);
    case "tpr_at_fpr":
      return normalCdf(d - normalQuantile(1 - at));
    case "partial_auroc": {
      const area = simpson((s) => normalCdf(d - s) * normalDensity(s), normalQuantile(1 - at), 12, 20_000);
      return 0.5 * (1 + (area - (at * at) / 2) / (at - (at * at) / 2));
    }
    case "precision":
      return (share * hits) / (share * hits + (1 - share) * alarms);
    case "recall":
      return hits;
    case "accuracy":
      return share * hits + (1 - share) * (1 - alarms);
    case "f1":
      return (2 * share * hits) / (share + share * hits + (1 - share) * alarms);
    case "average_precision":
      return over((s) => {
        const found = share * normalCdf(d - s);
        return (found / (found + (1 - share) * normalCdf(-s))) * normalDensity(s - d);
      });
    case "log_loss":
      return over((s) => {
        const odds = logOdds(world, model, s);
        const { positive, negative } = density(s);
        return positive * softplus(-odds) + negative * softplus(odds);
      });
    case "brier":
      return over((s) => {
        const p = logistic(logOdds(world, model, s));
        const { positive, negative } = density(s);
        return positive * (1 - p) ** 2 + negative * p ** 2;
      });
    case "ece": {
      const edge = (p: number): number =>
        Math.min(d + 10, Math.max(-10, (Math.log(p / (1 - p)) - logOdds(world, model, 0)) / d));
      let sum = 0;
      for (let k = 0; k < 15; k++) {
        sum += Math.abs(
          simpson(
            (s) => {
              const p = logistic(logOdds(world, model, s));
              const { positive, negative } = density(s);
              return p * (positive + negative) - positive;
            },
            edge(k / 15),
            edge((k + 1) / 15),
            400,
          ),
        );
      }
      return sum;
    }
  }
}

const normalDensity = (x: number): number => Math.exp(-(x * x) / 2) / Math.sqrt(2 * Math.PI);
const softplus = (x: number): number => (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x)));

function simpson(f: (x: number) => number, from: number, to: number, panels: number): number {
  if (!(to > from)) return 0;
  const step = (to - from) / panels;
  let sum = f(from) + f(to);
  for (let i = 1; i < panels; i++) sum += f(from + i * step) * (i % 2 === 1 ? 4 : 2);
  return (sum * step) / 3;
}

/** Separation of a model with this AUROC: √2 Φ⁻¹(AUROC). */
export const separationOf = (auroc: number): number => Math.SQRT2 * normalQuantile(auroc);
