import { z } from "zod";
import { didYouMean } from "../did-you-mean.ts";
import type { Head } from "../postprocess/schema.ts";
import { spansStep } from "../postprocess/spans-step.ts";
import type { PreprocessStep } from "../preprocess/schema.ts";
import type { RightValue } from "./config-issues.ts";

/** The slice column that altered copies of rows have in checks, reports and prediction files. No dataset may have it. */
export const augmentationColumn = "augmentation";

const common = {
  name: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]{0,39}$/, "letters, digits, '.', '_' and '-', at most 40")
    .describe("The slice is augmentation=NAME."),
  seed: z
    .int()
    .nonnegative()
    .optional()
    .describe("Names what is random, together with `name` and the row's id. Default: the dataset's id names it."),
  share: z.number().gt(0).max(1).optional().describe("Only this share of the rows, drawn by the seed. Default: all."),
  rows: z.int().positive().optional().describe("Only so many rows, drawn by the seed. Default: all."),
};

const image = {
  ...common,
  field: z.string().min(1).default("image").describe("Row field that an image step reads."),
};

const colour = z.string().regex(/^#[0-9a-fA-F]{6}$/, "#RRGGBB");

/** How a copy of a row differs from the row. The values that leave it as it is: factor 1, and 0 for all others. */
export const augmentation = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("image-brightness"),
    ...image,
    factor: z.number().min(0).max(10).describe("Each colour value is multiplied by it, and cut at 255."),
  }),
  z.strictObject({
    kind: z.literal("image-blur"),
    ...image,
    sigma: z
      .number()
      .min(0)
      .max(100)
      .refine((sigma) => sigma === 0 || sigma >= 0.3, "0, or from 0.3 to 100")
      .describe("Standard deviation of a Gaussian blur, in pixels of the picture as it came."),
  }),
  z.strictObject({
    kind: z.literal("image-rotate"),
    ...image,
    degrees: z.number().min(-180).max(180).describe("Clockwise about the centre; the picture keeps its size."),
    background: colour.default("#000000").describe("Colour of the corners that become free."),
  }),
  z.strictObject({
    kind: z.literal("image-noise"),
    ...image,
    level: z
      .number()
      .min(0)
      .max(1)
      .describe("Standard deviation of Gaussian noise on each colour value, as a share of the range from 0 to 255."),
  }),
  z.strictObject({
    kind: z.literal("audio-noise"),
    ...common,
    field: z.string().min(1).default("audio").describe("Row field that an audio step reads."),
    snrDb: z
      .number()
      .min(-20)
      .max(100)
      .describe("White Gaussian noise, so many dB below the power of the whole sound; 20 is a busy room, 0 as loud."),
  }),
  z.strictObject({
    kind: z.literal("typos"),
    ...common,
    field: z.string().min(1).default("text").describe("Row field that a text step reads."),
    rate: z.number().min(0).max(1).describe("Share of the words, of two letters or more, that get one typing error."),
  }),
]);
export type Augmentation = z.infer<typeof augmentation>;

/** The kind of step that reads what an augmentation alters. */
export const alteredBy = ({ kind }: Pick<Augmentation, "kind">): Altered =>
  kind === "typos" ? "text" : kind === "audio-noise" ? "audio" : "image";

type Altered = "image" | "text" | "audio";
const words: Readonly<Record<Altered, string>> = { image: "an image", text: "a text", audio: "a sound" };
const steps: Readonly<Record<Altered, string>> = { image: "an image", text: "a text", audio: "an audio" };

/** The row fields that steps of a kind read. */
function fieldsRead(preprocess: Readonly<Record<string, PreprocessStep>>, kind: Altered): string[] {
  return Object.values(preprocess).flatMap((step) =>
    step.kind !== kind ? [] : step.kind === "text" ? [step.field, ...step.append] : [step.field],
  );
}

/** Whether a model reads the field that an augmentation alters as what the augmentation takes it for. */
export function readsAltered(
  preprocess: Readonly<Record<string, PreprocessStep>>,
  one: Pick<Augmentation, "kind" | "field">,
): boolean {
  return fieldsRead(preprocess, alteredBy(one)).includes(one.field);
}

type Issue = { path: (string | number)[]; message: string; right?: RightValue };

/** What in `dataset.augmentations` does not fit the model. Paths begin at the list. */
export function augmentationIssues(
  augmentations: readonly Augmentation[],
  preprocess: Readonly<Record<string, PreprocessStep>>,
  heads: readonly Head[],
): Issue[] {
  const seen = new Set<string>();
  return augmentations.flatMap((one, i): Issue[] => {
    const twice = seen.has(one.name);
    seen.add(one.name);
    return [
      ...(twice ? [{ path: [i, "name"], message: `an augmentation "${one.name}" stands before this one` }] : []),
      ...(one.share !== undefined && one.rows !== undefined
        ? [{ path: [i], message: "`share` and `rows` both say which rows are taken: leave one out" }]
        : []),
      ...fieldIssues(one, preprocess, heads).map((issue) => ({ ...issue, path: [i, ...issue.path] })),
    ];
  });
}

function fieldIssues(
  one: Augmentation,
  preprocess: Readonly<Record<string, PreprocessStep>>,
  heads: readonly Head[],
): Issue[] {
  const kind = alteredBy(one);
  const fields = fieldsRead(preprocess, kind);
  if (fields.length === 0)
    return [
      {
        path: ["kind"],
        message: `${one.kind} alters ${words[kind]}, and no step of the model reads one`,
        right: { expected: `an augmentation of what the model reads, or ${steps[kind]} step in preprocess` },
      },
    ];
  if (!fields.includes(one.field))
    return [
      {
        path: ["field"],
        message: `no ${kind} step reads the field "${one.field}"`,
        right: { expected: `one of ${fields.join(", ")}`, example: didYouMean(one.field, fields) ?? fields[0] },
      },
    ];
  const appended = heads.some((head) => {
    const step = head.kind === "spans" ? preprocess[spansStep(head, preprocess)] : undefined;
    return step?.kind === "text" && step.append.includes(one.field);
  });
  return kind === "text" && appended
    ? [
        {
          path: ["field"],
          message: `"${one.field}" is appended to a text of which true spans are places, and where it begins differs from row to row`,
          right: { expected: "the first field of that text" },
        },
      ]
    : [];
}
