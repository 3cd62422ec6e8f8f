import { type MetricDefinition, regressionTasks } from "./definition.ts";
import { sumDefinition } from "./row-mean.ts";

/**
 * Coefficient of determination, 1 - Σ w (y - ŷ)² / Σ w (y - ȳ)², ȳ the weighted mean of these labels; (-∞, 1], higher
 * is better. Undefined with constant labels or fewer than two rows. As scikit-learn's r2_score. Interval: BCa over rows,
 * ABC above 5,000; the mean of the labels is resampled with them.
 */
export const r2: MetricDefinition = sumDefinition(
  { name: "r2", tasks: regressionTasks, direction: "higher", unit: "", range: [-Infinity, 1], defaultOptions: {} },
  {
    demand: "any",
    byClass: false,
    // Both its sums vary, and with 8 clusters 6.2 % of losses of the margin pass without this.
    skewFactor: 3,
    range: [-Infinity, 1],
    prepare: ({ labels, scores }) => {
      const first = labels[0] as number;
      if (labels.every((label) => label === first)) return "the labels are constant: there is no variance to explain";
      // Labels are centred on their mean, so that Σy² - (Σy)²/n does not cancel.
      const centre = labels.reduce((sum, label) => sum + label / labels.length, 0);
      const cells = new Float64Array(labels.length * 3);
      labels.forEach((label, i) => {
        cells[3 * i] = (label - (scores[i] as number)) ** 2;
        cells[3 * i + 1] = label - centre;
        cells[3 * i + 2] = (label - centre) ** 2;
      });
      return {
        cells,
        width: 3,
        whyUndefined: "the rows that carry weight have constant labels",
        linear: false,
        trials: labels.length,
        largest: 1,
        value: (sums, offset, total) => {
          const spread = (sums[offset + 2] as number) - (sums[offset + 1] as number) ** 2 / total;
          return spread > 0 ? 1 - (sums[offset] as number) / spread : Number.NaN;
        },
      };
    },
  },
);
