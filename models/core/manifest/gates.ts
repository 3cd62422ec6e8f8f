import { z } from "zod";
import { metricOptionShape } from "./metric-options.ts";

/**
 * Metrics that a manifest may name. `eval/metrics/catalog.ts` says which task has which of them. A check of a metric
 * that has no definition there is refused.
 */
export const metricNames = [
  "auroc",
  "average_precision",
  "log_loss",
  "brier",
  "ece",
  "accuracy",
  "precision",
  "recall",
  "false_positive_rate",
  "f1",
  "macro_f1",
  "mae",
  "rmse",
  "r2",
  "median_absolute_error",
  "mape",
  "smape",
  "mase",
  "owa",
  "quantile_loss",
  "interval_coverage",
  "wer",
  "cer",
  "bleu",
  "chrf",
  "entity_f1",
  "ndcg_at_k",
  "recall_at_k",
  "precision_at_k",
  "map_at_k",
  "mrr",
  "hit_rate_at_k",
  "coverage_at_k",
  "tpr_at_fpr",
  "partial_auroc",
  "latency_p50_ms",
  "latency_p95_ms",
  "latency_p99_ms",
  "throughput_rows_s",
  "throughput_tokens_s",
  "time_to_first_token_ms",
  "rtf",
  "cold_start_ms",
  "peak_rss_bytes",
  "model_bytes",
] as const;
export const metricName = z.enum(metricNames);
export type MetricName = z.infer<typeof metricName>;

/** The slice column of a classification head's true classes. No dataset may have it. */
export const classColumn = "label";

const margin = z
  .union([
    z.number().nonnegative(),
    z.strictObject({ relative: z.number().nonnegative().describe("Fraction of the baseline's value, e.g. 0.02.") }),
  ])
  .describe("Largest loss that is still acceptable, in the metric's unit, or relative to the baseline.");

const common = {
  metric: metricName,
  head: z.string().optional().describe("Which head; needed only when the model has several that the metric fits."),
  slices: z
    .array(z.string())
    .default([])
    .describe(
      "Slice columns of the dataset: the check is made once per value of each. `label` stands for the head's classes, `augmentation` for altered copies. Empty: once over all rows.",
    ),
  alpha: z.number().gt(0).lt(0.5).optional().describe("One-sided error rate of this check; default: the gates' alpha."),
  ...metricOptionShape,
};

/** A gate check as it stands in model.yaml. */
export const checkPolicy = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("limit"),
    ...common,
    min: z.number().optional(),
    max: z.number().optional(),
    confident: z
      .boolean()
      .default(false)
      .describe("true: the interval's conservative end must clear the limit; false: the observed value."),
  }),
  z
    .strictObject({ kind: z.literal("non-inferiority"), ...common, margin })
    .describe("PASS only when the candidate is shown to be worse by less than the margin."),
  z
    .strictObject({ kind: z.literal("superiority"), ...common, margin: margin.default(0) })
    .describe("PASS only when the candidate is shown to be better by more than the margin."),
  z
    .strictObject({ kind: z.literal("equivalence"), ...common, margin })
    .describe("PASS only when the difference is shown to lie within ± the margin."),
]);
export type CheckPolicy = z.infer<typeof checkPolicy>;
export type CheckKind = CheckPolicy["kind"];

export const gates = z.strictObject({
  alpha: z.number().gt(0).lt(0.5).default(0.05).describe("One-sided error rate of every check that names none."),
  minimumPerClass: z
    .int()
    .nonnegative()
    .default(30)
    .describe("Fewest rows of each class (or rows, for regression) that a slice needs to be decided on."),
  onInsufficient: z
    .enum(["fail", "warn"])
    .default("fail")
    .describe("A slice below the minimum: INCONCLUSIVE for the gate (fail), or shown without deciding (warn)."),
  checks: z.array(checkPolicy).min(1),
});
export type Gates = z.infer<typeof gates>;
