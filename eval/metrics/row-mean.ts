import { contrastSums, measureSums, type SumMetric } from "./sum-metric.ts";
import type { MeasureOptions, MetricDefinition, Sample } from "./definition.ts";
import type { ScoreDemand } from "./sample.ts";

/** Loss (or gain) of each row, length n, or why there is none. */
export type RowValues = (sample: Sample, options: MeasureOptions) => Float64Array | string;

/**
 * A metric that is the weighted mean of one number per row. `costOfAnError` scales the interval of a sample in which
 * there is no error.
 */
export function rowMeanSums(
  demand: ScoreDemand,
  range: readonly [number, number],
  rowValues: RowValues,
  costOfAnError: (sample: Sample) => number = () => 0,
): SumMetric {
  return {
    demand,
    range,
    byClass: false,
    prepare(sample, options) {
      const cells = rowValues(sample, options);
      if (typeof cells === "string") return cells;
      return {
        cells,
        width: 1,
        value: (sums, offset, total) => (sums[offset] as number) / total,
        whyUndefined: "the mean overflows",
        linear: true,
        trials: cells.length,
        largest: cells.reduce((most, cell) => Math.max(most, cell), 0) || costOfAnError(sample),
      };
    },
  };
}

/** A definition whose value, interval and paired contrast all come from column sums. */
export function sumDefinition(
  described: Omit<MetricDefinition, "measure" | "contrast">,
  sums: SumMetric,
): MetricDefinition {
  return {
    ...described,
    measure: (sample, options) => measureSums(sums, sample, options),
    contrast: (candidate, baseline, options) => contrastSums(sums, candidate, baseline, options),
  };
}
