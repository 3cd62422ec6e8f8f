import { normalQuantile } from "../stats/normal.ts";

/**
 * How many timed queries a tail latency needs before it may gate, by MLPerf Inference's rule: z² · p (1 - p) / margin²,
 * with margin = (1 - p) / 20 and 99 % confidence, rounded up to a multiple of 2^13 (Reddi et al., MLPerf Inference
 * Benchmark, ISCA 2020, section III-D): 24,576 for p90, 57,344 for p95, 270,336 for p99. A median does not need this
 * rule, because its interval shows its precision.
 *
 * @param p the quantile, in (0.5, 1)
 */
export function queriesNeeded(p: number): number {
  const margin = (1 - p) / 20;
  const z = normalQuantile((1 - 0.99) / 2);
  return Math.ceil((z * z * p * (1 - p)) / (margin * margin) / 2 ** 13) * 2 ** 13;
}
