import { z } from "zod";
import { catalogueFile } from "../catalogue/schema.ts";
import { audioStep } from "./audio-schema.ts";
import { lookupStep } from "../lookup/schema.ts";

export const expression = z
  .string()
  .min(1)
  .describe(
    "A filtrex expression over the columns and the derived values before it. docs/serving.md lists the functions: of dates, lists and texts.",
  );

/** Text → token ids through a Hugging Face tokenizer.json. Outputs: `ids`, `attention_mask`, `token_type_ids`. */
export const textStep = z.strictObject({
  kind: z.literal("text"),
  field: z.string().min(1).default("text").describe("Row field that holds the text."),
  append: z
    .array(z.string().min(1))
    .default([])
    .describe(
      "Further text fields that follow it in this order; one that is absent, null or empty is left out together with its separator.",
    ),
  separator: z.string().default(" ").describe("Between the texts of `field` and `append`."),
  prefix: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Stands before every text: `translate English to German: ` (T5), `>>de<< ` (Marian). It is no part of a row.",
    ),
  maxCharacters: z
    .int()
    .positive()
    .default(20_000)
    .describe("Longer texts are refused, never silently cut; each field is counted for itself."),
  tokenizer: z
    .string()
    .min(1)
    .default("tokenizer.json")
    .describe("Path of a Hugging Face tokenizer.json, relative to model.yaml."),
  tokenizerConfig: z.string().min(1).optional().describe("Path of its tokenizer_config.json, where it has one."),
  maxTokens: z.int().min(1).default(512).describe("Truncation length, special tokens included."),
  padId: z.int().min(0).default(0).describe("Id that fills shorter rows of a batch; masked with 0 in attention_mask."),
  padTo: z
    .union([z.literal("longest"), z.int().positive()])
    .default("longest")
    .describe("Pad to the longest row of a batch, or always to this many tokens."),
});

const missing = z
  .union([z.literal("reject"), z.strictObject({ fill: z.union([z.number(), z.string()]) })])
  .default("reject")
  .describe("What an absent or null value becomes. `reject` refuses the row.");

const missingNumber = z
  .union([z.literal("reject"), z.literal("nan"), z.strictObject({ fill: z.union([z.number(), z.string()]) })])
  .default("reject")
  .describe(
    "What an absent or null number becomes. `reject` refuses the row; `nan` hands NaN to the graph, for trees. A derived value of NaN refuses the row.",
  );

/** The columns that a tabular step reads from a row. */
export const tabularColumn = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("number"),
    missing: missingNumber,
    min: z.number().optional(),
    max: z.number().optional(),
  }),
  z.strictObject({ type: z.literal("string"), missing }),
  z.strictObject({ type: z.literal("boolean"), missing }),
  z
    .strictObject({ type: z.literal("present"), field: z.string().min(1).describe("Row field that is asked about.") })
    .describe(
      "true where another field is there and not null, whatever it holds; false too where an image step's placeholder took its place.",
    ),
  z.strictObject({ type: z.literal("date"), missing }).describe("ISO 8601 calendar date, YYYY-MM-DD."),
  z.strictObject({
    type: z.literal("number-list"),
    length: z.int().positive().describe("Exact number of values, oldest first."),
  }),
  z
    .strictObject({
      type: z.literal("lookup"),
      from: z
        .string()
        .regex(/^[\w-]+\.[\w-]+$/, "STEP.FEATURE")
        .describe("A lookup step and one of its features, e.g. card.spend_7d."),
    })
    .describe(
      "A number that a lookup step found. The row has no such field; the step says what a missing one becomes.",
    ),
]);

/** One feature: a column or derived value and how it becomes one or several float32 numbers. */
export const tabularFeature = z.discriminatedUnion("encode", [
  z.strictObject({ column: z.string(), encode: z.literal("number") }).describe("As it is; booleans become 0 and 1."),
  z
    .strictObject({
      column: z.string(),
      encode: z.literal("standardize"),
      mean: z.number(),
      std: z.number().positive(),
    })
    .describe("(x - mean) / std"),
  z
    .strictObject({ column: z.string(), encode: z.literal("min-max"), min: z.number(), max: z.number() })
    .describe("(x - min) / (max - min)"),
  z.strictObject({
    column: z.string(),
    encode: z.literal("one-hot"),
    categories: z.array(z.union([z.string(), z.number(), z.boolean()])).min(1),
    unknown: z
      .enum(["reject", "zeros"])
      .default("reject")
      .describe("A value outside `categories`: refuse the row, or all zeros."),
  }),
  z.strictObject({ column: z.string(), encode: z.literal("list") }).describe("Every value of a number-list, in order."),
]);

/** Named columns → one float32 vector. Output: `features`. */
export const tabularStep = z.strictObject({
  kind: z.literal("tabular"),
  columns: z.record(z.string(), tabularColumn),
  derive: z
    .record(z.string(), expression)
    .default({})
    .describe("Derived values in order; later ones may use earlier ones."),
  features: z.array(tabularFeature).min(1).describe("The vector, in order."),
});

/** Encoded image bytes → a normalised tensor. Output: `pixels`. */
export const imageStep = z.strictObject({
  kind: z.literal("image"),
  field: z
    .string()
    .min(1)
    .default("image")
    .describe(
      "Row field: the encoded image as base64, a data: URL or raw bytes; a dataset of format `folder` delivers the bytes of its files.",
    ),
  urls: z
    .boolean()
    .default(false)
    .describe(
      "A server may be given a public http(s) URL in this field and fetches it, whatever its --image-urls says.",
    ),
  missing: z
    .union([
      z.literal("reject"),
      z.strictObject({
        placeholder: z
          .string()
          .regex(/^#[0-9a-fA-F]{6}$/, "#RRGGBB")
          .describe("Colour of the picture that takes its place."),
      }),
    ])
    .default("reject")
    .describe(
      "What an image becomes that is absent, null, not decodable or too large, or whose URL was not fetched. `reject` refuses the row; a placeholder is reported in the answer's `notes`.",
    ),
  maxBytes: z.int().positive().default(10_000_000),
  maxPixels: z.int().positive().default(50_000_000),
  resize: z
    .strictObject({
      width: z.int().positive(),
      height: z.int().positive(),
      fit: z.enum(["fill", "cover", "contain"]).default("fill"),
      kernel: z.enum(["nearest", "linear", "cubic", "mitchell", "lanczos2", "lanczos3"]).default("linear"),
    })
    .optional(),
  centerCrop: z.strictObject({ width: z.int().positive(), height: z.int().positive() }).optional(),
  channels: z.enum(["rgb", "bgr", "gray"]).default("rgb"),
  layout: z.enum(["chw", "hwc"]).default("chw"),
  background: z.string().default("#ffffff").describe("Colour under transparent pixels."),
  scale: z
    .number()
    .default(1 / 255)
    .describe("Multiplied to each 0..255 value before mean and std."),
  mean: z.array(z.number()).default([0, 0, 0]),
  std: z.array(z.number()).default([1, 1, 1]),
});

/** Numbers that the graph takes as they are. Output: `values`. */
const tensorStep = z.strictObject({
  kind: z.literal("tensor"),
  field: z.string().min(1).describe("Row field: a number or a (nested) list of numbers."),
  shape: z
    .array(z.int().positive())
    .default([])
    .describe(
      "Shape of one row, without the batch dimension. Lists whose length varies are tokens: a text step pads and masks them.",
    ),
});

/** Texts that the graph itself encodes. Output: `values`. */
const stringsStep = z.strictObject({
  kind: z.literal("strings"),
  fields: z.array(z.string().min(1)).min(1).describe("Row fields, in the order of the graph's columns."),
  missing: z
    .union([z.literal("reject"), z.strictObject({ fill: z.string() })])
    .default("reject")
    .describe("What an absent or null value becomes. `reject` refuses the row."),
});

/** A list of item ids → their row numbers in a catalogue. Outputs: `ids`, `mask`. */
const itemsStep = z.strictObject({
  kind: z.literal("items"),
  field: z
    .string()
    .min(1)
    .describe("Row field with a list of item ids, the oldest first where time matters; [] for none."),
  catalogue: catalogueFile.describe(
    "File of the items in the order of the graph's embedding: CSV, JSON Lines, or a JSON list. Shorter lists of a batch are filled with the number of items: a row that the graph's embedding has after the last item.",
  ),
  maxItems: z.int().positive().default(512).describe("Of a longer list only the last ones are read."),
  repeats: z
    .enum(["keep", "drop"])
    .default("keep")
    .describe("An id that the list has several times: counted every time, or only where it stands last."),
  unknown: z
    .enum(["skip", "reject"])
    .default("skip")
    .describe("An id that the catalogue does not have: as if it were not there, or the row is refused."),
});

/** The values of a series before a forecast, as many as there are. Outputs: `values`, `length`. */
const seriesStep = z.strictObject({
  kind: z.literal("series"),
  field: z.string().min(1).default("history").describe("Row field: a list of numbers, oldest first."),
  maxLength: z.int().positive().describe("Values that the graph takes: the newest ones; older ones are left out."),
  minLength: z.int().positive().default(1).describe("A row with fewer values is refused."),
  min: z.number().optional().describe("A row with a lower value is refused."),
  pad: z.number().default(0).describe("What stands before the first value of a shorter row."),
});

export const preprocessStep = z.discriminatedUnion("kind", [
  textStep,
  tabularStep,
  imageStep,
  audioStep,
  tensorStep,
  itemsStep,
  seriesStep,
  stringsStep,
  lookupStep,
]);

export type TextStep = z.infer<typeof textStep>;
export type TabularStep = z.infer<typeof tabularStep>;
export type ImageStep = z.infer<typeof imageStep>;
export type ItemsStep = z.infer<typeof itemsStep>;
export type TensorStep = z.infer<typeof tensorStep>;
export type SeriesStep = z.infer<typeof seriesStep>;
export type { AudioStep } from "./audio-schema.ts";
export type StringsStep = z.infer<typeof stringsStep>;
export type PreprocessStep = z.infer<typeof preprocessStep>;

/** What each kind of step can feed to a graph input (`from: STEP.OUTPUT`). */
export const stepOutputs = {
  text: ["ids", "attention_mask", "token_type_ids"],
  tabular: ["features"],
  image: ["pixels"],
  audio: ["samples", "mask", "length", "features"],
  tensor: ["values"],
  items: ["ids", "mask"],
  series: ["values", "length"],
  strings: ["values"],
  lookup: ["features"],
} as const satisfies Record<PreprocessStep["kind"], readonly string[]>;
