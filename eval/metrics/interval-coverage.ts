import type { MeasureOptions, MetricDefinition, Sample } from "./definition.ts";
import { centralInterval, hasQuantiles, quantilesOf, widestNominal } from "./quantiles.ts";
import { rowMeanSums } from "./row-mean.ts";
import { contrastShare, measureShare } from "./share.ts";
import type { SumMetric } from "./sum-metric.ts";

/** 1 for each row whose label lies in the interval, ends included. */
const coveredRows: SumMetric = {
  ...rowMeanSums("any", [0, 1], (sample, options) => {
    const ends = centralInterval(sample, options);
    return typeof ends === "string"
      ? ends
      : sample.labels.map((label, row) =>
          label >= (ends.low[row] as number) && label <= (ends.high[row] as number) ? 1 : 0,
        );
  }),
  heavyTails: "of forecasts",
};

/** The nominal coverage that is asked for, else that of the candidate's widest interval, for both models alike. */
function named(sample: Sample, options: MeasureOptions): MeasureOptions {
  if (options.at !== undefined) return options;
  const quantiles = quantilesOf(sample);
  const at = typeof quantiles === "string" ? null : widestNominal(quantiles.levels);
  return at === null ? options : { ...options, at };
}

/**
 * Share of rows whose label lies in the central prediction interval, ends included; [0, 1]. `at` is the nominal
 * coverage, whose ends are the quantiles (1 - at)/2 and (1 + at)/2; default: the widest pair that is forecast.
 *
 * Neither more nor less of it is better: closeness to the nominal value is. It is therefore gated by a limit with `min`
 * and `max` around that value, or by equivalence with the baseline, and by no rule that rewards one direction.
 * Interval: Wilson; of a paired difference Tango's score interval; over series, jackknife with t and Tango's score.
 */
export const intervalCoverage: MetricDefinition = {
  name: "interval_coverage",
  tasks: ["forecasting"],
  direction: "higher",
  closeness: true,
  rules: {
    kinds: ["limit", "equivalence"],
    why: "neither more nor less coverage is better: a limit with min and max around the nominal coverage, or equivalence with the baseline, decides it",
  },
  unit: "fraction",
  range: [0, 1],
  defaultOptions: {},
  furtherOptions: ["at"],
  listed: hasQuantiles,
  measure: (sample, options) => measureShare(coveredRows, sample, named(sample, options)),
  contrast: (candidate, baseline, options) =>
    contrastShare(coveredRows, candidate, baseline, named(candidate, options)),
};
