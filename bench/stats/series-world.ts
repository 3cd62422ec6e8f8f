import type { Sample } from "../../eval/metrics/definition.ts";
import { RandomStream } from "../../eval/stats/random.ts";
import { normals } from "./normals.ts";

export const horizon = 6;
/** 5 % of a normal lie beyond it on either side. */
const z90 = 1.6448536269514722;

export type SeriesWorld = {
  series: number;
  /** σ of the series' lognormal sizes. */
  spread: number;
  /** σ of the lognormal weights of the series; 0: no weights. */
  weights?: number;
  /** Errors are ± exp(z) in place of normal: heavy tails. */
  skewed?: boolean;
};

/**
 * Forecasts of series whose six steps share half of their error's variance. The candidate keeps 0.95 of the baseline's
 * error and adds 0.45 of an own one, in units of the series' size. Quantiles are the score's plus those of a normal with
 * that size: the baseline's cover 90 % where errors are normal.
 */
export function drawSeries(
  { series, spread, weights = 0, skewed = false }: SeriesWorld,
  seed: number,
  gate: number,
): { candidate: Sample; baseline: Sample } {
  const random = new RandomStream(seed, gate);
  const n = series * horizon;
  const seriesOf = (i: number): number => Math.floor(i / horizon);
  const names = Array.from({ length: n }, (_, i) => `s${seriesOf(i)}`);
  const draw = (count: number): Float64Array => normals(random, count);
  const [shared, own, sharedMore, ownMore] = [draw(series), draw(n), draw(series), draw(n)];
  const [sizes, benchmark, heavy] = [draw(series), draw(n), draw(series)];
  const size = (i: number): number => Math.exp(spread * (sizes[seriesOf(i)] as number));
  const shape = (z: number): number => (skewed ? Math.sign(z) * (Math.exp(Math.abs(z)) - 1) : z);
  const mix = (a: Float64Array, b: Float64Array, i: number): number =>
    shape(Math.SQRT1_2 * ((a[seriesOf(i)] as number) + (b[i] as number)));
  const error = Float64Array.from({ length: n }, (_, i) => size(i) * mix(shared, own, i));
  const worse = error.map((one, i) => 0.95 * one + 0.45 * size(i) * mix(sharedMore, ownMore, i));
  const labels = error.map((one, i) => 20 * size(i) + one);
  const naiveScales = error.map((_, i) => size(i));
  const rowWeights = weights === 0 ? null : error.map((_, i) => Math.exp(weights * (heavy[seriesOf(i)] as number)));
  const model = (errors: Float64Array): Sample => {
    const scores = labels.map((label, i) => label - (errors[i] as number));
    const levels = [0.05, 0.5, 0.95];
    const values = new Float64Array(n * levels.length);
    scores.forEach((score, i) =>
      [-z90, 0, z90].forEach((z, k) => (values[i * levels.length + k] = score + z * size(i))),
    );
    return {
      labels,
      scores,
      classCount: 0,
      weights: rowWeights,
      groups: names,
      naiveScales,
      forecasts: {
        series: names,
        steps: Int32Array.from({ length: n }, (_, i) => (i % horizon) + 1),
        quantiles: { levels, values },
        naive2: labels.map((label, i) => label - 1.5 * size(i) * (benchmark[i] as number)),
      },
    };
  };
  return { candidate: model(worse), baseline: model(error) };
}
