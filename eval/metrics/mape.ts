import { type MetricDefinition, regressionTasks } from "./definition.ts";
import { rowMeanSums, sumDefinition } from "./row-mean.ts";

/**
 * Mean absolute percentage error as a fraction, mean of |y - ŷ| / |y|; [0, ∞), lower is better (0.05 is 5 %). Undefined
 * when a label is 0; scikit-learn divides by 2^-52 there and returns a meaningless number. Otherwise as its
 * mean_absolute_percentage_error. Interval: BCa over rows, ABC above 5,000.
 */
export const mape: MetricDefinition = sumDefinition(
  {
    name: "mape",
    tasks: regressionTasks,
    direction: "lower",
    unit: "fraction",
    range: [0, Infinity],
    defaultOptions: {},
  },
  {
    ...rowMeanSums("any", [0, Infinity], ({ labels, scores }) => {
      const zero = labels.indexOf(0);
      return zero >= 0
        ? `the label of row ${zero} is 0: there is no percentage of it`
        : labels.map((label, i) => Math.abs((label - (scores[i] as number)) / label));
    }),
    heavyTails: "of forecasts",
  },
);
