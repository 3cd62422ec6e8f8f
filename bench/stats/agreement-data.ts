import type { Sample } from "../../eval/metrics/definition.ts";
import { RandomStream } from "../../eval/stats/random.ts";
import { drawBinary, separationOf } from "./binormal.ts";
import { normals } from "./normals.ts";
import { drawRegression } from "./regressors.ts";

export type Data = { y: Float64Array; a: Float64Array; b: Float64Array; w: Float64Array };

const digits = (values: Float64Array, places: number): Float64Array =>
  values.map((value) => Number(value.toFixed(places)));
const weights = (n: number, seed: number): Float64Array => {
  const random = new RandomStream(seed, 1);
  return Float64Array.from({ length: n }, () => Number((0.2 + 2.8 * random.uniform()).toFixed(2)));
};

/** Probabilities with two digits: many ties, within and between the classes, and on bin edges. None is 0 or 1. */
export function binaryData(n: number, seed: number): Data {
  const world = {
    share: 0.3,
    correlation: 0.9,
    candidate: { separation: separationOf(0.88), shift: 0 },
    baseline: { separation: separationOf(0.9), shift: 0.2 },
  };
  const { candidate, baseline } = drawBinary(world, n, seed, 0).samples("brier");
  const inside = (scores: Float64Array) => digits(scores, 2).map((p) => Math.min(0.99, Math.max(0.01, p)));
  return { y: candidate.labels, a: inside(candidate.scores), b: inside(baseline.scores), w: weights(n, seed) };
}

export function regressionData(n: number, seed: number): Data {
  const { candidate, baseline } = drawRegression(
    { spread: 0.5, correlation: 0.7, candidate: 1.05, baseline: 1 },
    n,
    seed,
    0,
  ).samples("mae");
  const far = (values: Float64Array) =>
    digits(
      values.map((value) => value + 40),
      3,
    );
  return { y: far(candidate.labels), a: far(candidate.scores), b: far(baseline.scores), w: weights(n, seed) };
}

export function multiclassData(n: number, seed: number): Sample {
  const random = new RandomStream(seed, 0);
  const noise = normals(random, 3 * n);
  const labels = Float64Array.from({ length: n }, () => random.below(3));
  const scores = new Float64Array(3 * n);
  labels.forEach((label, i) => {
    const odds = [0, 1, 2].map((c) => Math.exp((noise[3 * i + c] as number) + (c === label ? 1.2 : 0)));
    const total = odds.reduce((sum, one) => sum + one, 0);
    const [first = 0, second = 0] = odds.map((one) => Number((one / total).toFixed(3)));
    scores.set([first, second, Number((1 - first - second).toFixed(3))], 3 * i);
  });
  return { labels, scores, classCount: 3, weights: null, groups: null };
}
