import { imageLibrary } from "../../models/core/preprocess/image-library.ts";

/** Telegram takes photos of up to 10 MB. */
const maxBytes = 10_000_000;

let canDraw: Promise<boolean> | undefined;

/** Whether the image library is here and finds a font: without one, every text would be missing from the picture. */
function drawsText(): Promise<boolean> {
  canDraw ??= (async () => {
    try {
      const sharp = await imageLibrary();
      const probe =
        '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><rect width="40" height="40" fill="#fff"/><text x="4" y="32" font-size="32" font-family="sans-serif">M</text></svg>';
      const { channels } = await sharp(Buffer.from(probe)).stats();
      return channels.some(({ min }) => min < 128);
    } catch {
      return false;
    }
  })();
  return canDraw;
}

/** The picture as PNG; null where it cannot be drawn here, or came out larger than Telegram takes. */
export async function pngOf(svg: string): Promise<Buffer | null> {
  if (!(await drawsText())) return null;
  try {
    const sharp = await imageLibrary();
    const png = await sharp(Buffer.from(svg)).png({ palette: true }).toBuffer();
    return png.length <= maxBytes ? png : null;
  } catch {
    return null;
  }
}
