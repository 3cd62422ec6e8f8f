/** Interleaved 8-bit sRGB pixels, upright; a fourth channel is how opaque a pixel is. A grey picture has three, too. */
export type Pixels = { data: Uint8Array; width: number; height: number; channels: 3 | 4 };

/**
 * An image field whose picture is altered after it was decoded, and before all else that an image step does. Only an
 * evaluation makes such fields; no request can.
 */
export class AlteredImage {
  /** What the field held: bytes, base64 or a data: URL. */
  readonly original: unknown;
  readonly alter: (pixels: Pixels) => Pixels | Promise<Pixels>;

  constructor(original: unknown, alter: AlteredImage["alter"]) {
    this.original = original;
    this.alter = alter;
  }
}
