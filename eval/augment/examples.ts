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

/** A row of each augmentation beside its copy: of the first few, the picture that changes most, or the first text. */
export async function augmentationExamples(
  modelId: string,
  { augmentations = [], rows, copies }: EvaluationDataset,
  preprocess: Readonly<Record<string, PreprocessStep>>,
): Promise<AugmentationExample[]> {
  const rowOf = new Map(rows.map((row) => [row.id, row.row]));
  const examples: AugmentationExample[] = [];
  for (const one of augmentations.slice(0, maxExamples)) {
    const altered = (copies?.rows ?? []).filter(({ slices }) => slices[augmentationColumn] === one.name);
    let best: { row: string; shown: Shown; change: number } | null = null;
    for (const { id, row } of altered.slice(0, maxTried)) {
      const origin = originOf(id);
      const found = await exampleOf(one, rowOf.get(origin)![one.field], row[one.field], preprocess);
      if (found !== null && found.change > (best?.change ?? 0)) best = { row: origin, ...found };
      if (found?.shown.kind === "text") break;
    }
    if (best !== null) examples.push({ modelId, name: one.name, row: best.row, ...best.shown });
  }
  return examples;
}

type Shown =
  | { kind: "picture"; width: number; height: number; before: string; after: string }
  | { kind: "text"; before: string; after: string };

/** `change`: how much the two differ, per colour value of a picture. */
async function exampleOf(
  one: Augmentation,
  before: unknown,
  after: unknown,
  preprocess: Readonly<Record<string, PreprocessStep>>,
): Promise<{ shown: Shown; change: number } | null> {
  if (alteredBy(one) === "text")
    return typeof before === "string" && typeof after === "string" && before !== after
      ? { shown: { kind: "text", before, after }, change: 1 }
      : null;
  // A page cannot show a sound.
  if (alteredBy(one) === "audio") return null;
  const step = Object.values(preprocess).find((step) => step.kind === "image" && step.field === one.field);
  if (step?.kind !== "image" || !(after instanceof AlteredImage)) return null;
  try {
    const pixels = await uprightPixels(before, step);
    const made = await after.alter(pixels);
    const [first, second] = [await thumbnail(pixels), await thumbnail(made)];
    const { width, height } = first;
    const change = pixels.data.reduce((sum, value, i) => sum + Math.abs(value - made.data[i]!), 0) / pixels.data.length;
    return { shown: { kind: "picture", width, height, before: first.url, after: second.url }, change };
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
