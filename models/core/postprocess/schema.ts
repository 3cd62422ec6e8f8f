import { z } from "zod";
import { catalogueFile } from "../catalogue/schema.ts";
import { namedFile } from "../named-file.ts";

/** Undoes a training transform of the target. Several are applied in order, in float64. */
const inverse = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("affine"), scale: z.number(), offset: z.number() }).describe("x * scale + offset"),
  z.strictObject({ kind: z.literal("exp") }).describe("exp(x), the inverse of log"),
  z.strictObject({ kind: z.literal("expm1") }).describe("exp(x) - 1, the inverse of log1p"),
  z.strictObject({ kind: z.literal("clip"), min: z.number().optional(), max: z.number().optional() }),
]);

const inverses = z
  .union([inverse, z.array(inverse)])
  .optional()
  .transform((one) => (one === undefined ? [] : Array.isArray(one) ? one : [one]));

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
  top: z
    .int()
    .min(1)
    .optional()
    .describe(
      "The answer's JSON lists only this many labels, most probable first, in the place of every probability; measurements use all.",
    ),
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
  inverse: inverses,
  unit: z.string().optional().describe("Unit of the value, for people."),
});

const rankingHead = z
  .strictObject({
    name: z.string().min(1),
    kind: z.literal("ranking"),
    scores: z
      .string()
      .min(1)
      .describe("Graph output [batch, n] with a score per item: of the items in `ids`, else of the whole catalogue."),
    ids: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Graph output [batch, n] with the items that `scores` are of, best first, as row numbers of the catalogue from 0. Without it the graph scores the whole catalogue, in its order.",
      ),
    k: z.int().min(1).describe("Items in an answer."),
    catalogue: z
      .strictObject({
        ...catalogueFile.shape,
        title: z.string().min(1).optional().describe("Field that holds its name for people."),
      })
      .describe("File of the items in the graph's order: CSV, JSON Lines, or a JSON list."),
    exclude: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Row field with a list of item ids that the answer must not hold, for instance those that the user has seen.",
      ),
  })
  .describe("The k best items of a catalogue: by score, and by id (code-unit order) where scores are equal.");

const seriesHead = z
  .strictObject({
    name: z.string().min(1),
    from: z.string().min(1).describe("Graph output [batch, horizon], or [batch, horizon, quantiles]."),
    kind: z.literal("series"),
    horizon: z.int().min(1).describe("Steps that are forecast."),
    quantiles: z
      .array(z.number().gt(0).lt(1))
      .min(1)
      .optional()
      .describe("Levels of the output's last dimension, ascending; 0.5, the point forecast, is one of them."),
    crossing: z
      .enum(["reject", "sort"])
      .default("reject")
      .describe(
        "Quantiles of a step that are not in order: no answer, or sorted (Chernozhukov, Fernández-Val and Galichon 2010).",
      ),
    inverse: inverses,
    unit: z.string().optional().describe("Unit of the values, for people."),
    history: z
      .string()
      .min(1)
      .optional()
      .describe("Row field with the values before the forecast, oldest first; the page draws them too."),
    flag: z
      .strictObject({
        observed: z
          .string()
          .min(1)
          .describe("Row field with the values of the first steps, once they are known; null for one that is not."),
        level: z
          .number()
          .gt(0)
          .lt(1)
          .describe("Nominal coverage of the interval; its ends, (1 - level)/2 and (1 + level)/2, are `quantiles`."),
      })
      .optional()
      .describe(
        "Flags observed values outside a prediction interval: a row with the field gets `flagged`, the steps, values and ends.",
      ),
  })
  .describe("A forecast of several steps.");

const spansHead = z
  .strictObject({
    name: z.string().min(1),
    from: z.string().min(1).describe("Graph output [batch, tokens, labels] with a logit per label."),
    kind: z.literal("spans"),
    labels: z
      .array(z.string().min(1))
      .min(2)
      .describe("In the order of the graph's classes: O, and B-TYPE, I-TYPE (or also E-/L-TYPE and S-/U-TYPE)."),
    text: z
      .string()
      .min(1)
      .optional()
      .describe("Text step whose tokens the labels are of; needed where there are several."),
  })
  .describe("Pieces of the text with a type. A word's label is that of its first token.");

const textHead = z
  .strictObject({
    name: z.string().min(1),
    from: z
      .string()
      .min(1)
      .describe("Graph output: token ids [batch, length], logits [batch, length, tokens], or texts [batch] (string)."),
    kind: z.literal("text"),
    tokenizer: z
      .strictObject(namedFile)
      .optional()
      .describe("Hugging Face tokenizer.json that turns the ids into text."),
    vocabulary: z
      .strictObject({ ...namedFile, separator: z.string().default("").describe("Between two tokens.") })
      .optional()
      .describe("The tokens by id, in the place of a tokenizer: a JSON list, or a file with one on each line."),
    end: z.int().min(0).optional().describe("Id that ends the text. Without one the whole output is the text."),
    ctc: z
      .strictObject({ blank: z.int().min(0).describe("Id of the blank.") })
      .optional()
      .describe("The ids are frames of a CTC model: repeats become one, then blanks are left out."),
  })
  .describe("A text that the graph itself writes.");

export const head = z.discriminatedUnion("kind", [
  classificationHead,
  regressionHead,
  rankingHead,
  seriesHead,
  spansHead,
  textHead,
]);

export type Inverse = z.infer<typeof inverse>;
export type ClassificationHead = z.infer<typeof classificationHead>;
export type RegressionHead = z.infer<typeof regressionHead>;
export type RankingHead = z.infer<typeof rankingHead>;
export type SeriesHead = z.infer<typeof seriesHead>;
export type SpansHead = z.infer<typeof spansHead>;
export type TextHead = z.infer<typeof textHead>;
export type Head = z.infer<typeof head>;

/** Graph outputs that a head reads: the one that gives its numbers first. */
export function outputsOf(head: Head): string[] {
  if (head.kind !== "ranking") return [head.from];
  return head.ids === undefined ? [head.scores] : [head.scores, head.ids];
}
