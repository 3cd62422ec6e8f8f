import type { Augmentation } from "../../models/core/manifest/augmentations.ts";
import type { Pixels } from "../../models/core/preprocess/altered-image.ts";
import { imageLibrary } from "../../models/core/preprocess/image-library.ts";
import type { RandomStream } from "../stats/random.ts";
import { drawNormal } from "./draw-normal.ts";

export type ImageAugmentation = Exclude<Augmentation, { kind: "typos" | "audio-noise" }>;

/** Whether a picture stays as it is. */
export function isUnaltered(one: ImageAugmentation): boolean {
  switch (one.kind) {
    case "image-brightness":
      return one.factor === 1;
    case "image-blur":
      return one.sigma === 0;
    case "image-rotate":
      return one.degrees === 0;
    case "image-noise":
      return one.level === 0;
  }
}

/**
 * A picture with its alteration, of the same size. How opaque a pixel is changes by blur and rotation alone.
 * @param random read by noise alone
 */
export async function alterImage(one: ImageAugmentation, pixels: Pixels, random: RandomStream): Promise<Pixels> {
  if (isUnaltered(one)) return pixels;
  switch (one.kind) {
    case "image-brightness":
      return brightened(pixels, one.factor);
    case "image-blur":
      return blurred(pixels, one.sigma);
    case "image-rotate":
      return rotated(pixels, one.degrees, one.background);
    case "image-noise":
      return noisy(pixels, 255 * one.level, random);
  }
}

const rounded = (value: number) => Math.min(255, Math.max(0, Math.round(value)));

/** By rounding, where the image library cuts off. */
function brightened(pixels: Pixels, factor: number): Pixels {
  const to = Uint8Array.from({ length: 256 }, (_, value) => rounded(value * factor));
  const data = Uint8Array.from(pixels.data);
  for (let at = 0; at < data.length; at += pixels.channels)
    for (let c = 0; c < 3; c++) data[at + c] = to[data[at + c]!]!;
  return { ...pixels, data };
}

/** One draw a pixel where the picture is grey, and one a colour value where it is not. */
function noisy(pixels: Pixels, sigma: number, random: RandomStream): Pixels {
  const data = Uint8Array.from(pixels.data);
  const { channels } = pixels;
  const grey = isGrey(pixels);
  for (let at = 0; at < data.length; at += channels) {
    let noise = 0;
    for (let c = 0; c < 3; c++) {
      if (c === 0 || !grey) noise = sigma * drawNormal(random);
      data[at + c] = rounded(data[at + c]! + noise);
    }
  }
  return { ...pixels, data };
}

function isGrey({ data, channels }: Pixels): boolean {
  for (let at = 0; at < data.length; at += channels)
    if (data[at] !== data[at + 1] || data[at] !== data[at + 2]) return false;
  return true;
}

/** In floating point: the integers of the default come out otherwise where a machine has no vector instructions. */
async function blurred(pixels: Pixels, sigma: number): Promise<Pixels> {
  const { data, ...raw } = pixels;
  const sharp = await imageLibrary();
  return { ...pixels, data: await sharp(data, { raw }).blur({ sigma, precision: "float" }).raw().toBuffer() };
}

/** The rotated picture is larger; the frame shows its middle. */
async function rotated(pixels: Pixels, degrees: number, background: string): Promise<Pixels> {
  const { data, ...raw } = pixels;
  const { width, height, channels } = raw;
  const sharp = await imageLibrary();
  // A border first: turned by about a quarter, a long picture would not fill its frame.
  const side = Math.ceil(Math.hypot(width, height));
  const [left, top] = [Math.ceil((side - width) / 2), Math.ceil((side - height) / 2)];
  const bordered = await sharp(data, { raw })
    .extend({ left, right: left, top, bottom: top, background })
    .raw()
    .toBuffer({ resolveWithObject: true });
  // Steps of their own, because the library has an order of its own for the steps of one pipeline.
  const size = { width: bordered.info.width, height: bordered.info.height };
  const turned = await sharp(bordered.data, { raw: { ...size, channels } })
    .rotate(degrees, { background })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const framed = await sharp(turned.data, { raw: { width: turned.info.width, height: turned.info.height, channels } })
    .extract({
      left: Math.round((turned.info.width - width) / 2),
      top: Math.round((turned.info.height - height) / 2),
      width,
      height,
    })
    .raw()
    .toBuffer();
  return { ...pixels, data: framed };
}
