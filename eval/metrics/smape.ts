import { type MetricDefinition, regressionTasks } from "./definition.ts";
import { rowMeanSums, sumDefinition } from "./row-mean.ts";

/** 2|y - ŷ| / (|y| + |ŷ|), 0 where both are 0. */
export function symmetricError(label: number, score: number): number {
  const size = Math.abs(label) + Math.abs(score);
  return size === 0 ? 0 : (2 * Math.abs(label - score)) / size;
}

/**
 * Symmetric mean absolute percentage error as a fraction, mean of 2|y - ŷ| / (|y| + |ŷ|); [0, 2], lower is better.
 * A row with y = ŷ = 0 is exact and counts 0. The M3 and M4 competitions print 100 times this (at most 200); Nixtla's
 * utilsforecast takes half of it (at most 1).
 * Interval: BCa over rows, ABC above 5,000.
 */
export const smape: MetricDefinition = sumDefinition(
  { name: "smape", tasks: regressionTasks, direction: "lower", unit: "fraction", range: [0, 2], defaultOptions: {} },
  {
    ...rowMeanSums("any", [0, 2], ({ labels, scores }) =>
      labels.map((label, i) => symmetricError(label, scores[i] as number)),
    ),
    heavyTails: "of forecasts",
  },
);
