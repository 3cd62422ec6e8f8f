import type { MetricResult } from "../schema/metrics.ts";
import { type ContrastResult, type MetricDefinition, regressionTasks, type Sample } from "./definition.ts";
import { selectRows } from "../predictions/select-rows.ts";
import { labelSpread } from "./sample.ts";
import { rowMeanSums } from "./row-mean.ts";
import { contrastSums, measureSums, type SumMetric } from "./sum-metric.ts";

/** Why errors cannot be scaled; null when those of some row can. */
export function scaleProblem({ labels, naiveScales }: Sample): string | null {
  if (naiveScales === undefined) {
    return "no naive scale is declared: it is the mean absolute error of the naive (or seasonal naive) forecast on the training data, as `naiveScale` of the label in model.yaml, the column naive_scale of a prediction file, or --naive-scale";
  }
  if (naiveScales.length !== labels.length) return `${naiveScales.length} naive scales for ${labels.length} rows`;
  const wrong = naiveScales.findIndex((scale) => !(scale >= 0 && Number.isFinite(scale)));
  if (wrong >= 0) return `the naive scale of row ${wrong} is ${naiveScales[wrong]}: it is a finite number above 0`;
  return naiveScales.some((scale) => scale > 0)
    ? null
    : "the naive scale of every row is 0: the training data of its series never changes, so no error can be scaled by it";
}

/** |y - ŷ| / scale of each row, or why there is none. */
function scaledErrors(sample: Sample): Float64Array | string {
  const { labels, scores, naiveScales } = sample;
  return (
    scaleProblem(sample) ??
    labels.map((label, i) => Math.abs(label - (scores[i] as number)) / ((naiveScales as Float64Array)[i] as number))
  );
}

const sums: SumMetric = {
  ...rowMeanSums(
    "any",
    [0, Infinity],
    scaledErrors,
    (sample) =>
      labelSpread(sample) /
      (sample.naiveScales ?? new Float64Array()).reduce((least, scale) => Math.min(least, scale), Infinity),
  ),
  heavyTails: "of forecasts",
};

/** The rows whose series has a scale; null when that is all of them, or none. */
function scaledRows({ labels, scores, naiveScales }: Sample): Int32Array | null {
  if (naiveScales?.includes(0) !== true || naiveScales.length !== labels.length || scores.length !== labels.length)
    return null;
  const rows = Int32Array.from(labels.keys()).filter((row) => naiveScales[row] !== 0);
  return rows.length === 0 ? null : rows;
}

/** What to tell a reader of rows that MASE leaves out; null where it leaves none out. */
export function unscaledNote({ naiveScales, groups }: Pick<Sample, "naiveScales" | "groups">): string | null {
  const rows = [...(naiveScales ?? []).keys()].filter((row) => naiveScales![row] === 0);
  if (rows.length === 0 || rows.length === naiveScales!.length) return null;
  const series = groups === null ? null : new Set(rows.map((row) => groups[row] as string));
  const first = series?.values().next().value;
  return `The naive scale of ${rows.length} of ${naiveScales!.length} rows is 0${series === null ? "" : ` (${series.size === 1 ? "1 series" : `${series.size} series`}, the first is ${JSON.stringify(String(first).slice(0, 80))})`}: the training data never changes there, no error can be scaled by it, and mase leaves those rows out.`;
}

/**
 * Mean absolute scaled error, Σ w |y - ŷ| / s / Σ w; [0, ∞), no unit, lower is better. Below 1 the forecast errs less
 * than the naive one did in sample. s is the in-sample mean absolute error of the naive forecast of the row's series,
 * Σ_{t>m} |y_t - y_{t-m}| / (T - m) over its T training observations with season m (1: not seasonal). R. J. Hyndman and
 * A. B. Koehler, Int. J. Forecast. 22 (2006), 679-688.
 *
 * The evaluated rows are not the training data, so s is declared and never estimated from them: a constant for one
 * series, a number per row for several. Undefined without s, and where every s is 0. Rows whose s is 0 are left out, n
 * counts the others, and reports say how many. As sktime's mean_absolute_scaled_error and R's forecast::accuracy on one
 * series. Interval: BCa over rows, ABC above 5,000, for the given scales; over series, jackknife with t.
 */
export const mase: MetricDefinition = {
  name: "mase",
  tasks: regressionTasks,
  direction: "lower",
  unit: "",
  range: [0, Infinity],
  defaultOptions: {},
  listed: ({ naiveScales }) => naiveScales !== undefined,
  measure(sample, options): MetricResult {
    const rows = scaledRows(sample);
    return measureSums(sums, rows === null ? sample : selectRows(sample, rows), options);
  },
  contrast(candidate, baseline, options): ContrastResult {
    const rows = candidate.labels.length === baseline.labels.length ? scaledRows(candidate) : null;
    return rows === null
      ? contrastSums(sums, candidate, baseline, options)
      : contrastSums(sums, selectRows(candidate, rows), selectRows(baseline, rows), options);
  },
};
