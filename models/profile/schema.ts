import { z } from "zod";
import { gates } from "../core/manifest/gates.ts";
import { modelId, modelVersion } from "../core/manifest/manifest.ts";
import { watchSettings } from "../core/manifest/watch.ts";

const count = z.int().nonnegative();

/** Fewest rows that a cell of a profile holds. Smaller ones are merged with a neighbour, or go to `other`. */
export const MIN_CELL_ROWS = 10;

const named = {
  name: z.string().min(1).describe("STEP.COLUMN of a feature, HEAD.WHAT of an answer."),
  role: z
    .enum(["feature", "answer", "quality"])
    .describe("feature: what the model sees. answer: what it says. quality: what is wrong with what came in."),
};

const numbers = z.strictObject({
  ...named,
  kind: z.literal("numbers"),
  edges: z
    .array(z.number())
    .describe("Ascending. A value is in the cell after the last edge that it reaches: [e, e'), the outer ones open."),
  counts: z.array(count).describe("Rows per cell; one more than there are edges."),
  missing: count.describe("Rows without a value."),
  range: z
    .strictObject({ low: z.number(), high: z.number() })
    .nullable()
    .describe("The tenth smallest and the tenth largest value; null where there are too few rows."),
  outside: count.describe("Rows below or above the range."),
});

const categories = z.strictObject({
  ...named,
  kind: z.literal("categories"),
  categories: z.array(z.string()).describe("Those with at least ten rows, at most 64."),
  counts: z.array(count).describe("Rows per category."),
  other: count.describe("Rows of every other value. It is counted and not kept."),
});

const rate = z.strictObject({ ...named, kind: z.literal("rate"), yes: count, no: count });

const profileVariable = z.discriminatedUnion("kind", [numbers, categories, rate]);
export type ProfileVariable = z.infer<typeof profileVariable>;

/** What the gate knows of the true values, in the cells in which the server counts them again. */
const labelledHead = z.discriminatedUnion("kind", [
  z.strictObject({
    head: z.string(),
    kind: z.literal("classes"),
    classes: z.array(z.string()).max(32),
    confusion: z.array(count).describe("Rows by true class, then by the answer's: row-major."),
    positives: z
      .array(count)
      .optional()
      .describe("Two classes: rows of the positive label per cell of HEAD.score, in which it is the second class."),
    negatives: z.array(count).optional(),
  }),
  z.strictObject({
    head: z.string(),
    kind: z.literal("errors"),
    edges: z.array(z.number()).describe("Of the absolute error, in the head's unit; the last one is its bound."),
    counts: z.array(count),
  }),
]);
export type LabelledHead = z.infer<typeof labelledHead>;

const measured = z.strictObject({
  head: z.string(),
  metric: z.string(),
  value: z.number(),
  interval: z.strictObject({ low: z.number(), high: z.number(), level: z.number() }).nullable(),
  unit: z.string(),
  n: count,
});

/** Slices that a profile holds at most: those with the most rows. */
export const MAX_SLICES = 40;

/** profile.json: how the rows that a model was gated on are distributed, and its answers to them. Never a row. */
export const profileFile = z.strictObject({
  schemaVersion: z.literal(1),
  model: z.strictObject({ id: modelId, version: modelVersion, sha256: z.string().describe("Of the artifact.") }),
  dataset: z.strictObject({ id: z.string(), digest: z.string(), rows: count }),
  rows: z
    .strictObject({
      answered: count,
      refused: count.describe("Rows of the dataset that the model could not take."),
      observed: count.describe("Rows whose features were counted, evenly over the answered ones."),
    })
    .describe("Of the gate's run."),
  variables: z.array(profileVariable),
  left: count.describe("Features beyond the 300 that a profile holds."),
  labels: z.array(labelledHead),
  performance: z.array(measured).describe("What the gate measured over all rows."),
  slices: z
    .array(z.strictObject({ name: z.string().describe("FIELD=VALUE"), performance: z.array(measured) }))
    .max(MAX_SLICES)
    .optional()
    .describe("What the gate measured over the rows of its slices, of the figure that labels can show live."),
  rules: z
    .strictObject({
      gates: gates.nullable().describe("That judged it: those of the base branch."),
      watch: watchSettings.optional().describe("Of model.yaml."),
    })
    .optional()
    .describe("What a watch without the model's model.yaml judges by."),
});
export type Profile = z.infer<typeof profileFile>;
