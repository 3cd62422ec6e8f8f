import { classificationTasks, type MetricDefinition, type Sample } from "./definition.ts";
import { rowMeanSums, sumDefinition } from "./row-mean.ts";

/** Probabilities are clipped this far from 0 and 1, as scikit-learn clips float64. The worst row costs 36.04 nats. */
const smallest = Number.EPSILON;

const clipped = (p: number): number => Math.min(1 - smallest, Math.max(smallest, p));

/**
 * -ln of the probability given to the true class. Multiclass rows are clipped and not normalised, as in scikit-learn since
 * 1.5.
 */
function rowLoss({ labels, scores, classCount }: Sample): Float64Array {
  return labels.map((label, i) => {
    if (classCount === 2) {
      const p = clipped(scores[i] as number);
      return -Math.log(label === 1 ? p : 1 - p);
    }
    return -Math.log(clipped(scores[i * classCount + label] as number));
  });
}

/**
 * Log loss (cross-entropy), mean of -ln p(true class) in nats; [0, ∞), lower is better. Scores must be probabilities.
 * Interval: BCa over rows, ABC above 5,000. As scikit-learn's log_loss with eps = 2^-52.
 */
export const logLoss: MetricDefinition = sumDefinition(
  {
    name: "log_loss",
    tasks: classificationTasks,
    direction: "lower",
    ofOneClass: true,
    unit: "nats",
    range: [0, Infinity],
    defaultOptions: {},
  },
  rowMeanSums("probability", [0, Infinity], rowLoss),
);
