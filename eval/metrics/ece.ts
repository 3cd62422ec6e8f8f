import type { MetricDefinition, Sample } from "./definition.ts";
import { classificationTasks } from "./definition.ts";
import { rankedDefinition, type RankedMetric } from "./ranked-metric.ts";

const defaultBins = 15;

/**
 * Confidence of each row and whether it came true. Binary: P(positive) and the label. Otherwise: the largest
 * probability and whether that class is right.
 */
function confidences({ labels, scores, classCount }: Sample): { confidence: Float64Array; outcome: Uint8Array } {
  const confidence = new Float64Array(labels.length);
  const outcome = new Uint8Array(labels.length);
  for (let i = 0; i < labels.length; i++) {
    if (classCount === 2) {
      confidence[i] = scores[i] as number;
      outcome[i] = labels[i] as number;
      continue;
    }
    let best = 0;
    for (let c = 1; c < classCount; c++)
      if ((scores[i * classCount + c] as number) > (scores[i * classCount + best] as number)) best = c;
    confidence[i] = scores[i * classCount + best] as number;
    outcome[i] = labels[i] === best ? 1 : 0;
  }
  return { confidence, outcome };
}

/** Bin of a confidence: (k/bins, (k+1)/bins], with 0 in the first. An edge belongs to the lower bin. */
export function binOf(confidence: number, bins: number): number {
  const k = Math.max(0, Math.ceil(confidence * bins) - 1);
  // The product may be rounded across an edge. The edges themselves, k/bins, decide.
  if (k > 0 && confidence <= k / bins) return k - 1;
  return k < bins - 1 && confidence > (k + 1) / bins ? k + 1 : k;
}

/** Expected calibration error with a given number of bins. */
export function eceWithBins(bins: number): RankedMetric {
  return {
    demand: "probability",
    range: [0, 1],
    byClass: false,
    // Within a cluster rows err alike, and the absolute value of a bin's gap hides which way: 10 % wrong passes with 5
    // clusters without this.
    biased: true,
    smooth: true,
    prepare: (sample) => {
      const { confidence, outcome } = confidences(sample);
      const bin = Uint8Array.from(confidence, (p) => binOf(p, bins));
      return {
        trials: sample.labels.length,
        largest: 1,
        value: (weights) => {
          const gap = new Float64Array(bins);
          let total = 0;
          for (let i = 0; i < bin.length; i++) {
            const w = weights[i] as number;
            const k = bin[i] as number;
            gap[k] = (gap[k] as number) + w * ((confidence[i] as number) - (outcome[i] as number));
            total += w;
          }
          return gap.reduce((sum, one) => sum + Math.abs(one), 0) / total;
        },
      };
    },
  };
}

/**
 * Expected calibration error: Σ_bins (rows in bin / rows) · |mean confidence - share that came true|, 15 equal-width
 * bins; [0, 1], lower is better. Binary: on P(positive). More than two classes: on the largest probability (Guo et al.,
 * ICML 2017). Bins are closed above, as in scikit-learn's calibration_curve. In small samples the estimate is biased
 * upwards (noise in a bin never cancels), and intervals inherit part of that. Interval: jackknife over rows, clusters
 * or groups of them with t; on the logit scale for one sample.
 */
export const ece: MetricDefinition = rankedDefinition(
  { name: "ece", tasks: classificationTasks, direction: "lower", unit: "", range: [0, 1], defaultOptions: {} },
  eceWithBins(defaultBins),
);
