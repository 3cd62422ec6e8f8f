import type { Sample } from "../../eval/metrics/definition.ts";
import { RandomStream } from "../../eval/stats/random.ts";
import { normals } from "./normals.ts";

/**
 * Two correlated regressors. y is normal with standard deviation 3. A row's error is the row's own scale (log-normal,
 * with `spread` on the log scale: 0 for normal errors, 0.8 for heavy tails) times a standard normal, correlated between
 * the models, times the model's size.
 */
export type RegressionWorld = { spread: number; correlation: number; candidate: number; baseline: number };

export type RegressionMetric = "mae" | "rmse" | "r2";
export const regressionMetrics: readonly RegressionMetric[] = ["mae", "rmse", "r2"];

const labelDeviation = 3;

export function drawRegression(world: RegressionWorld, n: number, seed: number, stream: number) {
  const random = new RandomStream(seed, stream);
  const noise = normals(random, 4 * n);
  const rest = Math.sqrt(1 - world.correlation ** 2);
  const labels = new Float64Array(n);
  const candidate = new Float64Array(n);
  const baseline = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const [one, two, three, four] = noise.subarray(4 * i, 4 * i + 4) as unknown as [number, number, number, number];
    labels[i] = labelDeviation * one;
    const scale = Math.exp(world.spread * two);
    baseline[i] = (labels[i] as number) + world.baseline * scale * three;
    candidate[i] = (labels[i] as number) + world.candidate * scale * (world.correlation * three + rest * four);
  }
  const sampleOf = (scores: Float64Array): Sample => ({ labels, scores, classCount: 0, weights: null, groups: null });
  const samples = { candidate: sampleOf(candidate), baseline: sampleOf(baseline) };
  return { fewest: n, samples: (_: RegressionMetric) => samples };
}

/**
 * The metric's true value, in closed form: E|e| = size √(2/π) E[scale], E[e²] = size² E[scale²], with E[scaleᵏ] =
 * exp(k² spread²/2).
 */
export function trueRegression(metric: RegressionMetric, world: RegressionWorld, size: number): number {
  const { spread } = world;
  const squares = size ** 2 * Math.exp(2 * spread ** 2);
  switch (metric) {
    case "mae":
      return size * Math.sqrt(2 / Math.PI) * Math.exp(spread ** 2 / 2);
    case "rmse":
      return Math.sqrt(squares);
    case "r2":
      return 1 - squares / labelDeviation ** 2;
  }
}
