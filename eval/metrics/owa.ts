import type { MetricDefinition, Sample } from "./definition.ts";
import { sumDefinition } from "./row-mean.ts";
import { scaleProblem } from "./mase.ts";
import { symmetricError } from "./smape.ts";
import type { SumParts } from "./sum-metric.ts";

/** Per row: the sMAPE and MASE parts of the forecast, then of Naive2. */
const width = 4;

function prepare(sample: Sample): SumParts | string {
  const { labels, scores, naiveScales, forecasts } = sample;
  const naive2 = forecasts?.naive2;
  if (naive2 === undefined)
    return "no forecast of Naive2 is given: OWA compares with it, and the rows under test do not hold the history that it is made from; it is `naive2` of the label in model.yaml, or the column naive2 of a prediction file";
  if (naive2.length !== labels.length) return `${naive2.length} forecasts of Naive2 for ${labels.length} rows`;
  const wrong = naive2.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) return `the forecast of Naive2 in row ${wrong} is ${naive2[wrong]}`;
  const problem = scaleProblem(sample);
  if (problem !== null) return problem;
  const cells = new Float64Array(labels.length * width);
  const scaled = (row: number, forecast: number): number => {
    const scale = (naiveScales as Float64Array)[row] as number;
    // A series without a scale has no MASE; its rows are left out of both averages of it.
    return scale === 0 ? 0 : Math.abs((labels[row] as number) - forecast) / scale;
  };
  for (let row = 0; row < labels.length; row++) {
    const [label, score, benchmark] = [labels[row] as number, scores[row] as number, naive2[row] as number];
    cells[row * width] = symmetricError(label, score);
    cells[row * width + 1] = scaled(row, score);
    cells[row * width + 2] = symmetricError(label, benchmark);
    cells[row * width + 3] = scaled(row, benchmark);
  }
  const largestOf = (k: number): number => {
    let most = 0;
    for (let at = k; at < cells.length; at += width) most = Math.max(most, cells[at] as number);
    return most;
  };
  const meanOf = (k: number): number => {
    let sum = 0;
    for (let at = k; at < cells.length; at += width) sum += (cells[at] as number) / labels.length;
    return sum;
  };
  const [errors, scaledErrors] = [meanOf(2), meanOf(3)];
  return {
    cells,
    width,
    linear: false,
    whyUndefined: "Naive2 makes no error: there is nothing to divide by",
    trials: labels.length,
    largest: (Math.max(largestOf(0), largestOf(2)) / errors + Math.max(largestOf(1), largestOf(3)) / scaledErrors) / 2,
    value: (sums, offset) => {
      const at = (k: number): number => sums[offset + k] as number;
      return at(2) > 0 && at(3) > 0 ? (at(0) / at(2) + at(1) / at(3)) / 2 : Number.NaN;
    },
  };
}

/**
 * Overall weighted average of the M4 competition: half of sMAPE / sMAPE of Naive2 plus half of MASE / MASE of Naive2;
 * [0, ∞), no unit, lower is better; below 1 beats Naive2. The averages are taken over all rows first, then the ratios
 * (S. Makridakis, E. Spiliotis and V. Assimakopoulos, Int. J. Forecast. 36 (2020), 54-74). M4 averages each series
 * first: where horizons differ, the weight 1 / horizon of each row gives the same.
 *
 * Naive2 is a forecast from the history (the last value, seasonally adjusted where a test of autocorrelation finds
 * seasons), which the rows under test do not hold, so it is given row by row. Interval: BCa over rows, ABC above 5,000;
 * over series, jackknife with t.
 */
export const owa: MetricDefinition = sumDefinition(
  {
    name: "owa",
    tasks: ["forecasting"],
    direction: "lower",
    unit: "",
    range: [0, Infinity],
    defaultOptions: {},
    listed: ({ forecasts, naiveScales }) => forecasts?.naive2 !== undefined && naiveScales !== undefined,
  },
  { demand: "any", range: [0, Infinity], byClass: false, heavyTails: "of forecasts", prepare },
);
