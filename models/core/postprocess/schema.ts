import { z } from "zod";

/** Undoes a training transform of the target. Several are applied in order, in float64. */
const inverse = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("affine"), scale: z.number(), offset: z.number() }).describe("x * scale + offset"),
  z.strictObject({ kind: z.literal("exp") }).describe("exp(x), the inverse of log"),
  z.strictObject({ kind: z.literal("expm1") }).describe("exp(x) - 1, the inverse of log1p"),
  z.strictObject({ kind: z.literal("clip"), min: z.number().optional(), max: z.number().optional() }),
]);

const classificationHead = z.strictObject({
  name: z.string().min(1).describe("Name of the head in answers, predictions and gates."),
  from: z.string().min(1).describe("Graph output that it reads."),
  kind: z.literal("classification"),
  activation: z
    .enum(["softmax", "sigmoid", "none"])
    .describe(
      "softmax over one logit per label; sigmoid over a single logit; none when the graph already gives probabilities.",
    ),
  labels: z.array(z.string()).min(2).describe("In the order of the graph's classes."),
  positive: z.string().optional().describe("The positive label of a binary task; default: the last label."),
  threshold: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .describe(
      "Of two labels: the answer is the positive one where its probability is at least this. Without it the more probable label is the answer. `sluice plan` proposes one.",
    ),
});

const regressionHead = z.strictObject({
  name: z.string().min(1),
  from: z.string().min(1),
  kind: z.literal("regression"),
  inverse: z
    .union([inverse, z.array(inverse)])
    .optional()
    .transform((one) => (one === undefined ? [] : Array.isArray(one) ? one : [one])),
  unit: z.string().optional().describe("Unit of the value, for people."),
});

export const head = z.discriminatedUnion("kind", [classificationHead, regressionHead]);

export type Inverse = z.infer<typeof inverse>;
export type ClassificationHead = z.infer<typeof classificationHead>;
export type RegressionHead = z.infer<typeof regressionHead>;
export type Head = z.infer<typeof head>;
