import type { Augmentation } from "../../models/core/manifest/augmentations.ts";

/** What an augmentation does to a row, e.g. "picture: brightness × 0.6, 200 rows". */
export function augmentationWords(one: Augmentation): string {
  const part =
    one.share !== undefined
      ? `, a share of ${one.share} of the rows`
      : one.rows !== undefined
        ? `, ${one.rows} ${one.rows === 1 ? "row" : "rows"}`
        : "";
  return `${one.field}: ${change(one)}${part}`;
}

function change(one: Augmentation): string {
  switch (one.kind) {
    case "image-brightness":
      return `brightness × ${one.factor}`;
    case "image-blur":
      return `Gaussian blur, sigma ${one.sigma} pixels`;
    case "image-rotate":
      return `rotated by ${one.degrees}°`;
    case "image-noise":
      return `Gaussian noise, level ${one.level}`;
    case "audio-noise":
      return `white noise ${one.snrDb} dB below the sound`;
    case "typos":
      return `typing errors in ${Number((100 * one.rate).toPrecision(3))} % of the words`;
  }
}
