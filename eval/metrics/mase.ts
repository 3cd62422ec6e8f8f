import { type MetricDefinition, regressionTasks, type Sample } from "./definition.ts";
import { labelSpread } from "./sample.ts";
import { rowMeanSums, sumDefinition } from "./row-mean.ts";

/** |y - ŷ| / scale of each row, or why there is none. */
function scaledErrors({ labels, scores, naiveScales }: Sample): Float64Array | string {
  if (naiveScales === undefined) {
    return "no naive scale is declared: it is the mean absolute error of the naive (or seasonal naive) forecast on the training data, as `naiveScale` of the label in model.yaml, the column naive_scale of a prediction file, or --naive-scale";
  }
  if (naiveScales.length !== labels.length) return `${naiveScales.length} naive scales for ${labels.length} rows`;
  const wrong = naiveScales.findIndex((scale) => !(scale > 0 && Number.isFinite(scale)));
  if (wrong >= 0)
    return `the naive scale of row ${wrong} is ${naiveScales[wrong]}: ${naiveScales[wrong] === 0 ? "the training data of its series never changes, so no error can be scaled by it" : "it is a finite number above 0"}`;
  return labels.map((label, i) => Math.abs(label - (scores[i] as number)) / (naiveScales[i] as number));
}

/**
 * Mean absolute scaled error, Σ w |y - ŷ| / s / Σ w; [0, ∞), no unit, lower is better. Below 1 the forecast errs less
 * than the naive one did in sample. s is the in-sample mean absolute error of the naive forecast of the row's series,
 * Σ_{t>m} |y_t - y_{t-m}| / (T - m) over its T training observations with season m (1: not seasonal). R. J. Hyndman and
 * A. B. Koehler, Int. J. Forecast. 22 (2006), 679-688.
 *
 * The evaluated rows are not the training data, so s is declared and never estimated from them: a constant for one
 * series, a number per row for several. Undefined without s, and where a scale is 0. As sktime's
 * mean_absolute_scaled_error and R's forecast::accuracy on one series. Interval: BCa over rows, ABC above
 * 5,000, for the given scales.
 */
export const mase: MetricDefinition = sumDefinition(
  {
    name: "mase",
    tasks: regressionTasks,
    direction: "lower",
    unit: "",
    range: [0, Infinity],
    defaultOptions: {},
    listed: ({ naiveScales }) => naiveScales !== undefined,
  },
  rowMeanSums(
    "any",
    [0, Infinity],
    scaledErrors,
    (sample) =>
      labelSpread(sample) /
      (sample.naiveScales ?? new Float64Array()).reduce((least, scale) => Math.min(least, scale), Infinity),
  ),
);
