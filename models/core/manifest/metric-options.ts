import { z } from "zod";

/** Rules by which texts are made alike before their words or characters are compared (wer, cer). */
export const normaliserNames = [
  "none",
  "lower",
  "lower-no-punctuation",
  "lower-punctuation-space",
  "whisper-basic",
] as const;
export type NormaliserName = (typeof normaliserNames)[number];

/** How BLEU cuts a text into words, by the names of sacreBLEU. */
export const tokenizerNames = ["13a", "intl", "char", "zh", "none"] as const;
export type TokenizerName = (typeof tokenizerNames)[number];

/** What takes a place among the first k of a group. */
export const placeNames = ["row", "entity"] as const;

export const gainNames = ["linear", "exponential"] as const;

/** Options that change what a metric means. A metric reads those that its page names, and no others. */
export const metricOptionShape = {
  threshold: z
    .number()
    .optional()
    .describe(
      "Decision threshold for accuracy, precision, recall, false_positive_rate, f1 and macro_f1; default: the head's own, else 0.5.",
    ),
  at: z
    .number()
    .optional()
    .describe(
      "False-positive rate of tpr_at_fpr and partial_auroc; nominal coverage of interval_coverage; level of quantile_loss.",
    ),
  k: z
    .int()
    .positive()
    .optional()
    .describe("Cut-off of the metrics of rankings: ndcg_at_k, recall_at_k and so on; default: 10. mrr: none."),
  per: z
    .enum(placeNames)
    .optional()
    .describe(
      "What takes a place among the first k of precision_at_k of binary answers: a row (the default), or an entity with the largest score of its rows in the group, positive where any of them is.",
    ),
  gain: z
    .enum(gainNames)
    .optional()
    .describe("What ndcg_at_k counts for an item of gain g: g (linear, the default) or 2^g - 1 (exponential)."),
  normaliser: z.enum(normaliserNames).optional().describe("What wer and cer do to both texts first; default: none."),
  tokenizer: z.enum(tokenizerNames).optional().describe("How bleu cuts texts into words; default: 13a."),
  lowercase: z.boolean().optional().describe("true: bleu and chrf ignore case; default: false."),
  wordOrder: z.int().min(0).max(2).optional().describe("Longest word n-gram of chrf; default: 0. 2 is chrF++."),
  scaled: z
    .boolean()
    .optional()
    .describe(
      "true: quantile_loss divides each row's loss by its naive scale, so that large series do not outweigh small ones; default: false.",
    ),
  entityType: z.string().min(1).optional().describe("Only entities of this type count for entity_f1."),
};

/** The options of a metric, or of whatever else holds them. Those that are not given are left out. */
export type MetricOptions = z.infer<z.ZodObject<typeof metricOptionShape>>;

const keys = Object.keys(metricOptionShape) as (keyof MetricOptions)[];

/** Only the options, in one order, without those that are not given. */
export function metricOptionsOf(holder: MetricOptions): MetricOptions {
  return Object.fromEntries(keys.flatMap((key) => (holder[key] === undefined ? [] : [[key, holder[key]]])));
}
