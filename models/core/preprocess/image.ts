import type { Sharp } from "sharp";
import { ConfigurationError } from "../errors.ts";
import { AlteredImage, type Pixels } from "./altered-image.ts";
import type { CompiledStep, StepPlace } from "./compiled.ts";
import { encodedBytes } from "./encoded-bytes.ts";
import { fixedSize } from "./fixed-size.ts";
import { imageLibrary } from "./image-library.ts";
import { fieldOf, RowError } from "../row.ts";
import type { ImageStep } from "./schema.ts";

/**
 * Encoded image → normalised pixels: decode, turn upright (EXIF), flatten on the background, resize, centre crop, then
 * (value * scale - mean) / std per channel.
 *
 * @throws ConfigurationError when the size would vary from row to row, or mean/std do not fit the channels.
 */
export function compileImage(step: ImageStep, place: StepPlace): CompiledStep {
  const size = step.centerCrop ?? step.resize;
  if (size === undefined)
    throw new ConfigurationError({
      code: "image-size",
      place: place([]),
      problem: "an image step without a size",
      expected: "`resize`, `centerCrop` or both, so that the rows of a batch are alike",
      received: "neither",
      example: "resize: {width: 224, height: 224}",
    });
  const { width, height } = size;
  const channels = step.channels === "gray" ? 1 : 3;
  for (const name of ["mean", "std"] as const) {
    if (step[name].length < channels)
      throw new ConfigurationError({
        code: "image-normalise",
        place: place([name]),
        problem: `${name} has too few values`,
        expected: `${channels}, one per channel`,
        received: String(step[name].length),
        example: "mean: [0.485, 0.456, 0.406]",
      });
  }
  if (step.std.slice(0, channels).includes(0))
    throw new ConfigurationError({
      code: "image-normalise",
      place: place(["std"]),
      problem: "a std of 0",
      expected: "values other than 0",
      received: `[${step.std.join(", ")}]`,
    });
  const order = step.channels === "bgr" ? [2, 1, 0] : [0, 1, 2];
  // A pixel has 256 values only, so each is computed once per channel.
  const tables = Array.from({ length: channels }, (_, c) =>
    Float32Array.from({ length: 256 }, (_, byte) => (byte * step.scale - step.mean[c]!) / step.std[c]!),
  );
  const plane = width * height;
  const [perPixel, perChannel] = step.layout === "chw" ? [1, plane] : [channels, 1];
  const normalised = (pixels: Uint8Array): Float32Array => {
    const values = new Float32Array(channels * plane);
    for (const [c, table] of tables.entries())
      for (let i = 0; i < plane; i++) values[i * perPixel + c * perChannel] = table[pixels[i * channels + order[c]!]!]!;
    return values;
  };
  let plain: Promise<Float32Array> | null = null;

  return {
    ...fixedSize("pixels", step.layout === "chw" ? [channels, height, width] : [height, width, channels]),
    async prepare(row) {
      try {
        const value = fieldOf(row, step.field);
        const altered = value instanceof AlteredImage ? value : null;
        const bytes = imageBytes(altered === null ? value : altered.original, step);
        return { kind: "numbers", values: normalised(await decode(bytes, step, altered?.alter)) };
      } catch (error) {
        if (step.missing === "reject" || !(error instanceof Unusable)) throw error;
        const { placeholder } = step.missing;
        plain ??= plainPicture(placeholder, step.resize ?? size).then(async (bytes) =>
          normalised(await decode(bytes, step)),
        );
        return {
          kind: "numbers",
          values: await plain,
          replaced: { field: step.field, problem: error.diagnostic.problem, used: `a plain picture of ${placeholder}` },
        };
      }
    },
  };
}

/**
 * The image is absent or cannot be used: a placeholder may replace it. Every other RowError is a mistake in the
 * request.
 */
class Unusable extends RowError {}

/** A PNG of one colour. It goes through the same steps as every other image. */
async function plainPicture(
  background: string,
  { width, height }: { width: number; height: number },
): Promise<Uint8Array> {
  const sharp = await imageLibrary();
  return sharp({ create: { width, height, channels: 3, background } })
    .png()
    .toBuffer();
}

/** Raw interleaved 8-bit pixels of the final size: sRGB, or one channel for gray. */
async function decode(bytes: Uint8Array, step: ImageStep, alter?: AlteredImage["alter"]): Promise<Uint8Array> {
  const sharp = await imageLibrary();
  const bad = (problem: string, expected: string, shown: string, cause?: unknown) =>
    new Unusable(step.field, problem, expected, undefined, { shown, cause });
  try {
    let image = (alter === undefined ? upright(sharp, bytes, step) : await altered(sharp, bytes, step, alter))
      .flatten({ background: step.background })
      .toColourspace("srgb");
    // Shrinking while a JPEG is decoded is faster, but gives other pixels than the resize of the training.
    if (step.resize !== undefined)
      image = image.resize({ ...step.resize, background: step.background, fastShrinkOnLoad: false });
    if (step.channels === "gray") image = image.grayscale();
    const { data, info } = await image.removeAlpha().raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
    return step.centerCrop === undefined ? data : crop(data, info, step.centerCrop, bad);
  } catch (error) {
    if (error instanceof RowError) throw error;
    const message = String((error as Error).message).split("\n", 1)[0] ?? "";
    if (/exceeds pixel limit/i.test(message))
      throw bad("the image has too many pixels", `at most ${step.maxPixels} pixels`, message, error);
    throw bad(
      "the image cannot be decoded",
      "a whole JPEG, PNG, WebP, GIF, AVIF or TIFF image",
      `${bytes.length} bytes: ${message}`,
      error,
    );
  }
}

type Library = Awaited<ReturnType<typeof imageLibrary>>;

const upright = (sharp: Library, bytes: Uint8Array, step: ImageStep) =>
  sharp(bytes, { limitInputPixels: step.maxPixels, failOn: "error" }).rotate();

async function altered(
  sharp: Library,
  bytes: Uint8Array,
  step: ImageStep,
  alter: AlteredImage["alter"],
): Promise<Sharp> {
  const { data, info } = await upright(sharp, bytes, step)
    .toColourspace("srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const made = await alter({ data, width, height, channels: info.channels as Pixels["channels"] });
  return sharp(made.data, { raw: { width: made.width, height: made.height, channels: made.channels } });
}

/**
 * The picture in an image step's field as the step sees it before all else.
 * @throws RowError when the field holds none
 */
export async function uprightPixels(value: unknown, step: ImageStep): Promise<Pixels> {
  let seen: Pixels | undefined;
  await decode(imageBytes(value, step), step, (pixels) => (seen = pixels));
  return seen!;
}

function crop(
  data: Uint8Array,
  from: { width: number; height: number; channels: number },
  to: { width: number; height: number },
  bad: (problem: string, expected: string, shown: string) => RowError,
): Uint8Array {
  if (from.width < to.width || from.height < to.height)
    throw bad(
      "the image is smaller than the crop",
      `at least ${to.width} × ${to.height} pixels`,
      `${from.width} × ${from.height}`,
    );
  const left = Math.floor((from.width - to.width) / 2);
  const top = Math.floor((from.height - to.height) / 2);
  const out = new Uint8Array(to.width * to.height * from.channels);
  for (let y = 0; y < to.height; y++) {
    const start = ((top + y) * from.width + left) * from.channels;
    out.set(data.subarray(start, start + to.width * from.channels), y * to.width * from.channels);
  }
  return out;
}

const imageBytes = (value: unknown, step: ImageStep): Uint8Array =>
  encodedBytes(value, {
    field: step.field,
    what: "image",
    media: ["image"],
    maxBytes: step.maxBytes,
    unusable: (problem, expected, received, shown) =>
      new Unusable(step.field, problem, expected, received, shown === undefined ? {} : { shown }),
  });
