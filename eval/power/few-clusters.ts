import type { MetricName } from "../../models/core/manifest/gates.ts";
import type { Sample } from "../metrics/definition.ts";

/**
 * With fewer clusters than this no interval holds its level unless the clusters' differences are normal, and that cannot
 * be seen in so few. From here on t over clusters does (bench/results/calibration-clusters.md).
 */
const fewestClusters = 5;

/**
 * Metrics that need more. ECE's value is biased by what the rows of a cluster share. Where a model errs more in a text or
 * finds less for a user, its errors also vary more from cluster to cluster, and with so few t lets 7 to 8 % through
 * (bench/results/calibration-answers.md).
 */
const fewestFor: Readonly<Partial<Record<MetricName, number>>> = {
  ece: 12,
  mrr: 8,
  wer: 12,
  cer: 12,
  bleu: 12,
  chrf: 12,
};

/** Metrics that compare classes, so that each class must be in several clusters. */
const comparesClasses: ReadonlySet<MetricName> = new Set([
  "auroc",
  "average_precision",
  "partial_auroc",
  "tpr_at_fpr",
  "precision",
  "recall",
  "false_positive_rate",
  "f1",
  "macro_f1",
]);

/**
 * One model's value: what moves a whole cluster moves it more than a difference of two models, and skews it, which so
 * few clusters do not show.
 */
const fewestForValue = 20;

/**
 * Why a metric cannot be decided on so few clusters, and what would help; null where it can. Rows of weight 0 are none.
 *
 * @param ofValue whether the interval is that of one model's value (a confident limit), not of a difference
 */
export function fewClusters(
  metric: MetricName,
  { labels, classCount, groups, weights }: Sample,
  ofValue: boolean,
): string | null {
  if (groups === null) return null;
  const fewest = ofValue ? fewestForValue : (fewestFor[metric] ?? fewestClusters);
  const counts = (rows: (label: number) => boolean): boolean => {
    const seen = new Set<string>();
    for (let i = 0; i < groups.length && seen.size < fewest; i++)
      if (rows(labels[i] as number) && (weights === null || weights[i] !== 0)) seen.add(groups[i] as string);
    return seen.size < fewest;
  };
  const words = (what: string, rows: (label: number) => boolean): string => {
    const found = new Set(groups.filter((_, i) => rows(labels[i] as number) && (weights === null || weights[i] !== 0)));
    return `too few clusters to decide: ${what}${found.size === 1 ? "1 cluster" : `${found.size} clusters`} of dataset.group, and at least ${fewest} are needed${ofValue ? " for a confident limit" : ""}; add rows of other clusters (more rows of these do not help), or take dataset.group away if the rows are independent`;
  };
  if (counts(() => true)) return words("", () => true);
  if (!comparesClasses.has(metric)) return null;
  for (let c = 0; c < classCount; c++) {
    const ofClass = (label: number): boolean => label === c;
    if (counts(ofClass))
      return words(
        `${classCount === 2 ? (c === 1 ? "the positives" : "the negatives") : `the rows of class ${c}`} are in `,
        ofClass,
      );
  }
  return null;
}
