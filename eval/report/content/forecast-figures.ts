import type { Predictions } from "../../predictions/predictions.ts";
import { rowsByValue } from "../../metrics/rows.ts";

/** Mean absolute error of each step, over all series; rows weigh alike. */
export function errorBySteps({ labels, scores, forecasts }: Predictions): { step: number; error: number }[] {
  if (forecasts === undefined) return [];
  const sums = new Map<number, { error: number; rows: number }>();
  labels.forEach((label, row) => {
    const step = forecasts.steps[row] as number;
    const one = sums.get(step) ?? { error: 0, rows: 0 };
    sums.set(step, one);
    one.error += Math.abs(label - (scores[row] as number));
    one.rows++;
  });
  return [...sums]
    .map(([step, { error, rows }]) => ({ step, error: error / rows }))
    .toSorted((a, b) => a.step - b.step);
}

/** The share of labels at or below each quantile, which is its level where it is calibrated. */
export function coverageByLevel({ labels, forecasts }: Predictions): { level: number; share: number }[] {
  const quantiles = forecasts?.quantiles ?? null;
  if (quantiles === null) return [];
  const { levels, values } = quantiles;
  return levels.map((level, k) => {
    let below = 0;
    for (let row = 0; row < labels.length; row++)
      if ((labels[row] as number) <= (values[row * levels.length + k] as number)) below++;
    return { level, share: below / labels.length };
  });
}

export type ShownSeries = {
  series: string;
  why: string;
  steps: number[];
  actual: number[];
  forecast: number[];
  /** Lowest and highest quantile; null where only a point is forecast. */
  band: { low: number[]; high: number[] } | null;
  baseline: number[] | null;
};

/**
 * The series that the candidate forecasts worst, in the middle, and best, by mean absolute error over the naive scale
 * where there is one, else over the mean size of the labels. At most three.
 */
export function shownSeries(candidate: Predictions, baseline: Predictions | null): ShownSeries[] {
  const { forecasts, labels, scores, naiveScales } = candidate;
  if (forecasts === undefined) return [];
  const ranked = [...rowsByValue(forecasts.series)]
    .map(([series, rows]) => {
      let [error, size] = [0, 0];
      for (const row of rows) {
        error += Math.abs((labels[row] as number) - (scores[row] as number));
        size += naiveScales === undefined ? Math.abs(labels[row] as number) : (naiveScales[row] as number);
      }
      return { series, rows, error: size > 0 ? error / size : 0 };
    })
    .toSorted((a, b) => b.error - a.error);
  const last = ranked.length - 1;
  const chosen = new Map([
    [0, "the worst"],
    ...(last > 1 ? [[Math.floor(last / 2), "in the middle"] as const] : []),
    ...(last > 0 ? [[last, "the best"] as const] : []),
  ]);
  return [...chosen].map(([position, why]): ShownSeries => {
    const { series, rows } = ranked[position] as (typeof ranked)[number];
    const inOrder = [...rows].toSorted((a, b) => (forecasts.steps[a] as number) - (forecasts.steps[b] as number));
    const picked = (values: ArrayLike<number>, width = 1, at = 0): number[] =>
      inOrder.map((row) => values[row * width + at] as number);
    const { quantiles } = forecasts;
    const width = quantiles?.levels.length ?? 0;
    return {
      series,
      why,
      steps: picked(forecasts.steps),
      actual: picked(labels),
      forecast: picked(scores),
      band:
        quantiles === null || width < 2
          ? null
          : { low: picked(quantiles.values, width, 0), high: picked(quantiles.values, width, width - 1) },
      baseline: baseline === null ? null : picked(baseline.scores),
    };
  });
}
