import { z } from "zod";
import { expression, tabularColumn } from "../preprocess/schema.ts";

const probability = z.number().min(0).max(1);
const one = (values: Readonly<Record<string, unknown>>) =>
  Object.values(values).filter((value) => value !== undefined).length === 1;

const override = z
  .strictObject({
    label: z.string().optional().describe("Becomes the answer, with probability 1."),
    score: probability.optional().describe("Of two labels: the probability of the positive one."),
    value: z.number().optional().describe("Of a regression head."),
  })
  .refine(one, { error: "exactly one of `label`, `score` and `value`" });

const add = z
  .strictObject({
    score: z
      .number()
      .min(-1)
      .max(1)
      .optional()
      .describe("Of two labels: added to the positive one's probability, which stays within 0 and 1."),
    atLeast: probability
      .optional()
      .describe("Of two labels: the positive one's probability becomes the larger of the two."),
    value: z.number().optional().describe("Of a regression head: added to the value."),
  })
  .refine(one, { error: "exactly one of `score`, `atLeast` and `value`" });

const rule = z
  .strictObject({
    id: z
      .string()
      .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, "lower-case letters, digits, '_' and '-', at most 64")
      .describe("Names the rule in answers, reports and metrics."),
    description: z.string().optional(),
    when: expression.describe(
      "filtrex expression over the row and the model's own answer (HEAD.label, HEAD.score, HEAD.value). The rule fires when it is exactly true.",
    ),
    head: z.string().optional().describe("Whose answer it changes; needed only when the model has several heads."),
    override: override.optional().describe("Takes the place of the answer."),
    add: add.optional().describe("Moves the answer."),
    reasons: z
      .array(z.string().min(1).max(300))
      .default([])
      .describe("Sentences that an answer shows when the rule fired."),
  })
  .refine((r) => r.override === undefined || r.add === undefined, { error: "`override` or `add`, not both" })
  .refine((r) => r.override !== undefined || r.add !== undefined || r.reasons.length > 0, {
    error: "a rule that does nothing: give it `override`, `add` or `reasons`",
  });

/** Rules beside a model: part of how it answers, and versioned. */
export const rules = z.strictObject({
  version: z
    .string()
    .regex(/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/, "semantic version, e.g. 1.4.0")
    .describe("Of the rules; to be raised when they change."),
  columns: z
    .record(z.string().min(1), tabularColumn)
    .default({})
    .describe("Row fields that only the rules read, declared like the columns of a tabular step."),
  derive: z
    .record(z.string().min(1), expression)
    .default({})
    .describe("Derived values in order; later ones may use earlier ones."),
  list: z
    .array(rule)
    .min(1)
    .describe(
      "Every condition sees the model's own answer. Effects follow the order of the list: a later rule changes what earlier ones left.",
    ),
});

export type Rules = z.infer<typeof rules>;
export type Rule = Rules["list"][number];
