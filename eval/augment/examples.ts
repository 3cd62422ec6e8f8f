import { augmentationColumn, alteredBy, type Augmentation } from "../../models/core/manifest/augmentations.ts";
import { AlteredImage, type Pixels } from "../../models/core/preprocess/altered-image.ts";
import { uprightPixels } from "../../models/core/preprocess/image.ts";
import { imageLibrary } from "../../models/core/preprocess/image-library.ts";
import type { PreprocessStep } from "../../models/core/preprocess/schema.ts";
import { RowError } from "../../models/core/row.ts";
import { originOf } from "../dataset/copy-id.ts";
import type { EvaluationDataset } from "../dataset/read.ts";
import type { AugmentationExample } from "../report/content/augmentation-example.ts";

/** Augmentations of which an example is made, and rows that are tried for each. */
const maxExamples = 12;
const maxTried = 5;
/** Longest side of a picture, in pixels. */
const largestSide = 160;

/** A row of each augmentation beside its copy: the first that shows the alteration. */
export async function augmentationExamples(
  modelId: string,
  { augmentations = [], rows, copies }: EvaluationDataset,
  preprocess: Readonly<Record<string, PreprocessStep>>,
): Promise<AugmentationExample[]> {
  const rowOf = new Map(rows.map((row) => [row.id, row.row]));
  const examples: AugmentationExample[] = [];
  for (const one of augmentations.slice(0, maxExamples)) {
    const altered = (copies?.rows ?? []).filter(({ slices }) => slices[augmentationColumn] === one.name);
    for (const { id, row } of altered.slice(0, maxTried)) {
      const origin = originOf(id);
      const shown = await exampleOf(one, rowOf.get(origin)![one.field], row[one.field], preprocess);
      if (shown === null) continue;
      examples.push({ modelId, name: one.name, row: origin, ...shown });
      break;
    }
  }
  return examples;
}

type Shown =
  | { kind: "picture"; width: number; height: number; before: string; after: string }
  | { kind: "text"; before: string; after: string };

async function exampleOf(
  one: Augmentation,
  before: unknown,
  after: unknown,
  preprocess: Readonly<Record<string, PreprocessStep>>,
): Promise<Shown | null> {
  if (alteredBy(one) === "text")
    return typeof before === "string" && typeof after === "string" && before !== after
      ? { kind: "text", before, after }
      : null;
  const step = Object.values(preprocess).find((step) => step.kind === "image" && step.field === one.field);
  if (step?.kind !== "image" || !(after instanceof AlteredImage)) return null;
  try {
    const pixels = await uprightPixels(before, step);
    const [first, second] = [await thumbnail(pixels), await thumbnail(await after.alter(pixels))];
    return { kind: "picture", width: first.width, height: first.height, before: first.url, after: second.url };
  } catch (error) {
    // A picture that the model cannot read is none to show.
    if (error instanceof RowError) return null;
    throw error;
  }
}

/** Small pictures are enlarged pixel by pixel, by a whole number. */
async function thumbnail({ data, ...raw }: Pixels): Promise<{ url: string; width: number; height: number }> {
  const sharp = await imageLibrary();
  const longest = Math.max(raw.width, raw.height);
  const times = longest > largestSide ? largestSide / longest : Math.max(1, Math.floor(largestSide / longest));
  const [width, height] = [raw.width, raw.height].map((side) => Math.max(1, Math.round(side * times))) as [
    number,
    number,
  ];
  const jpeg = await sharp(data, { raw })
    .flatten({ background: "#ffffff" })
    .resize({ width, height, fit: "fill", kernel: times >= 1 ? "nearest" : "lanczos3" })
    .jpeg({ quality: 82 })
    .toBuffer();
  return { url: `data:image/jpeg;base64,${jpeg.toString("base64")}`, width, height };
}
