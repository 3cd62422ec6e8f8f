import type { Augmentation } from "../../models/core/manifest/augmentations.ts";

/** How far from leaving a row as it is, and in which direction. */
function strength(one: Augmentation): number {
  switch (one.kind) {
    case "image-brightness":
      return Math.log(one.factor);
    case "image-blur":
      return one.sigma;
    case "image-rotate":
      return one.degrees;
    case "image-noise":
      return one.level;
    case "audio-noise":
      return 10 ** (-one.snrDb / 20);
    case "typos":
      return one.rate;
  }
}

/**
 * Whether an augmentation asks less than before, or something else: it is gone, it alters the row less, in another way or
 * another field, or it alters fewer rows. What may be harder (a stronger one, more rows) or as hard (another seed) is not weaker.
 */
export function isWeaker(before: Augmentation, after: Augmentation | undefined): boolean {
  if (after === undefined || before.kind !== after.kind || before.field !== after.field) return true;
  const [was, is] = [strength(before), strength(after)];
  if (Math.sign(was) !== Math.sign(is) || Math.abs(is) < Math.abs(was)) return true;
  // Of a share and a number nobody can say here which are more rows.
  if ((before.rows === undefined) !== (after.rows === undefined)) return after.rows !== undefined;
  return (after.share ?? 1) < (before.share ?? 1) || (after.rows ?? 0) < (before.rows ?? 0);
}
