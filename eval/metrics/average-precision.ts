import { argsort } from "../stats/argsort.ts";
import type { MetricDefinition, Sample } from "./definition.ts";
import { type Components, influenceDefinition } from "./influence-metric.ts";

/**
 * Average precision with each row's contribution w ∂AP/∂w. With h, H and N the positive weight at a distinct score, the
 * positive and the whole weight from there upwards, and P all positive weight, AP = Σ h H / (N P). A row changes H and N
 * at its own score and all lower ones, and if positive h and P. O(n) after the sort.
 */
function components({ labels, scores, weights }: Sample): Components {
  const n = labels.length;
  const order = argsort(scores);
  const weightOf = (i: number): number => (weights === null ? 1 : (weights[i] as number));
  // Ends of the runs of tied scores, from the highest score down.
  const runs: { from: number; to: number; found: number; above: number; rows: number }[] = [];
  let positives = 0;
  let rows = 0;
  for (let from = n - 1; from >= 0;) {
    let to = from;
    let found = 0;
    const score = scores[order[from] as number];
    for (; to >= 0 && scores[order[to] as number] === score; to--) {
      const i = order[to] as number;
      rows += weightOf(i);
      if (labels[i] === 1) found += weightOf(i);
    }
    positives += found;
    runs.push({ from, to, found, above: positives, rows });
    from = to;
  }
  let value = 0;
  for (const { found, above, rows: seen } of runs) if (seen > 0) value += (found * above) / seen / positives;
  const influence = new Float64Array(n);
  // What one more row at this score or above adds at it and below: as a positive, and as any row.
  let asPositive = 0;
  let asRow = 0;
  for (const { from, to, found, above, rows: seen } of runs.toReversed()) {
    if (seen > 0) {
      asPositive += found / seen / positives;
      asRow += (found * above) / (seen * seen) / positives;
    }
    for (let at = from; at > to; at--) {
      const i = order[at] as number;
      const own = labels[i] === 1 && seen > 0 ? asPositive + (above / seen - value) / positives : 0;
      influence[i] = weightOf(i) * (own - asRow);
    }
  }
  return { value, influence };
}

/**
 * Average precision, Σ (R_k - R_{k-1}) P_k over the distinct scores from high to low, without interpolation; (0, 1],
 * higher is better. The step convention of scikit-learn's average_precision_score: tied scores are one threshold.
 * Binary; needs both classes. Interval: infinitesimal jackknife (Jaeckel 1972; Efron 1982) over rows or clusters with
 * Welch and Satterthwaite's t; on the logit scale for one sample, lengthened for skewness for the paired difference.
 */
export const averagePrecision: MetricDefinition = influenceDefinition(
  {
    name: "average_precision",
    tasks: ["binary-classification"],
    direction: "higher",
    unit: "",
    range: [0, 1],
    defaultOptions: {},
  },
  {
    method: { rows: "infinitesimal jackknife", clusters: "cluster jackknife" },
    // Its standard error is small where its value is high, which the contributions do not show. With 1.5, as for means,
    // 6.9 % of losses of the margin pass with 100 positives of 10,000 rows.
    skewness: { from: 0, factor: 3 },
    components,
  },
);
