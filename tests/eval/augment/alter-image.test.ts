import { createHash } from "node:crypto";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { alterImage, type ImageAugmentation } from "../../../eval/augment/alter-image.ts";
import { RandomStream } from "../../../eval/stats/random.ts";
import { augmentation } from "../../../models/core/manifest/augmentations.ts";
import { AlteredImage, type Pixels } from "../../../models/core/preprocess/altered-image.ts";
import { compileImage } from "../../../models/core/preprocess/image.ts";
import { imageStep } from "../../../models/core/preprocess/schema.ts";

const declared = (changes: object) => augmentation.parse({ name: "one", ...changes }) as ImageAugmentation;
const kinds = {
  brightness: (factor: number) => declared({ kind: "image-brightness", factor }),
  blur: (sigma: number) => declared({ kind: "image-blur", sigma }),
  rotate: (degrees: number) => declared({ kind: "image-rotate", degrees, background: "#0a141e" }),
  noise: (level: number) => declared({ kind: "image-noise", level }),
};
const stream = (seed = 1) => new RandomStream(seed);

/** Every pixel of its own colour; with `channels` 4 the last is how opaque it is. */
function colours(width = 9, height = 6, channels: 3 | 4 = 3): Pixels {
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) =>
    i % channels === 3 ? 255 : (i * 29) % 200,
  );
  return { data, width, height, channels };
}
const grey = (value: number, width: number, height = width): Pixels => ({
  data: new Uint8Array(width * height * 3).fill(value),
  width,
  height,
  channels: 3,
});

describe("an alteration", () => {
  it.each([kinds.brightness(0.6), kinds.blur(1.5), kinds.rotate(20), kinds.noise(0.1)])(
    "$kind is the same bytes for the same seed, of the same size, and not the picture's",
    async (one) => {
      for (const pixels of [colours(), colours(7, 7, 4), grey(100, 5, 8)]) {
        const [first, again] = [await alterImage(one, pixels, stream()), await alterImage(one, pixels, stream())];
        expect(first).toEqual(again);
        expect({ ...first, data: first.data.length }).toEqual({ ...pixels, data: pixels.data.length });
        if (one.kind !== "image-blur" || pixels.data.some((value) => value !== 100))
          expect(Buffer.compare(first.data, pixels.data)).not.toBe(0);
      }
    },
  );

  it.each([kinds.brightness(1), kinds.blur(0), kinds.rotate(0), kinds.noise(0)])(
    "$kind that leaves the picture as it is changes no byte",
    async (one) => {
      const pixels = colours();
      expect((await alterImage(one, pixels, stream())).data).toEqual(pixels.data);
    },
  );

  it("noise differs from seed to seed", async () => {
    const made = await Promise.all([1, 2].map((seed) => alterImage(kinds.noise(0.1), colours(), stream(seed))));
    expect(made[0]!.data).not.toEqual(made[1]!.data);
  });
});

it("brightness multiplies each colour, rounds, cuts at 255, and leaves what is opaque", async () => {
  const pixels: Pixels = { data: Uint8Array.of(0, 101, 200, 77), width: 1, height: 1, channels: 4 };
  expect([...(await alterImage(kinds.brightness(0.6), pixels, stream())).data]).toEqual([0, 61, 120, 77]);
  expect([...(await alterImage(kinds.brightness(1.4), pixels, stream())).data]).toEqual([0, 141, 255, 77]);
  expect([...(await alterImage(kinds.brightness(0), pixels, stream())).data]).toEqual([0, 0, 0, 77]);
});

it("blur and rotation give these very bytes (so they do with VIPS_NOVECTOR=1)", async () => {
  const wanted = { blur: "55ff79259e1b", rotate: "5eaa6da02978" };
  const digest = async (one: ImageAugmentation) =>
    createHash("sha256")
      .update((await alterImage(one, colours(40, 30), stream())).data)
      .digest("hex")
      .slice(0, 12);
  const found = { blur: await digest(kinds.blur(2.3)), rotate: await digest(kinds.rotate(20)) };
  expect(found).toEqual(wanted);
});

it("noise of a grey picture is grey, and has the standard deviation that is declared", async () => {
  const { data } = await alterImage(kinds.noise(0.1), grey(128, 200), stream());
  const values = Array.from({ length: data.length / 3 }, (_, i) => data[3 * i]!);
  expect(values.every((value, i) => data[3 * i + 1] === value && data[3 * i + 2] === value)).toBe(true);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  expect(mean).toBeCloseTo(128, 0);
  expect(deviation).toBeGreaterThan(25);
  expect(deviation).toBeLessThan(26);
});

describe("a rotation", () => {
  /** 4 × 4, black but for one white pixel. */
  const spot = (x: number, y: number): Pixels => {
    const pixels = grey(0, 4);
    pixels.data.fill(255, 3 * (4 * y + x), 3 * (4 * y + x) + 3);
    return pixels;
  };
  const whiteOf = ({ data, width }: Pixels) => {
    const at = data.findIndex((value) => value > 200) / 3;
    return [at % width, Math.floor(at / width)];
  };

  it("goes clockwise about the centre", async () => {
    expect(whiteOf(await alterImage(kinds.rotate(90), spot(1, 0), stream()))).toEqual([3, 1]);
    expect(whiteOf(await alterImage(kinds.rotate(-90), spot(1, 0), stream()))).toEqual([0, 2]);
    expect(whiteOf(await alterImage(kinds.rotate(180), spot(1, 0), stream()))).toEqual([2, 3]);
  });

  it("keeps the size of a long picture, and fills what becomes free with the background", async () => {
    const long = grey(200, 10, 2);
    const turned = await alterImage(kinds.rotate(90), long, stream());
    expect([turned.width, turned.height]).toEqual([10, 2]);
    expect([...turned.data.subarray(0, 3)]).toEqual([10, 20, 30]);
    expect([...turned.data.subarray(3 * 5, 3 * 5 + 3)]).toEqual([200, 200, 200]);
  });
});

describe("what the model's own step makes of it", () => {
  const step = imageStep.parse({ kind: "image", resize: { width: 8, height: 8 }, maxBytes: 2_000 });
  const compiled = compileImage(step, (path) => path.join("."));
  const valuesOf = async (image: unknown) => {
    const prepared = await compiled.prepare({ image });
    return prepared.kind === "numbers" ? prepared.values : null;
  };
  const plain = (pixels: Pixels) => pixels;
  const encoded = (format: "png" | "jpeg", channels: 3 | 4 = 3) => {
    const { data, ...raw } = colours(20, 12, channels);
    return sharp(data, { raw }).toFormat(format).toBuffer();
  };
  const greys = () =>
    sharp(Buffer.from([...Array(64).keys()]), { raw: { width: 8, height: 8, channels: 1 } })
      .toColourspace("b-w")
      .png()
      .toBuffer();

  it.each([
    ["a JPEG", () => encoded("jpeg")],
    ["a PNG with transparent pixels", () => encoded("png", 4)],
    ["a grey PNG", greys],
  ])("%s without a change gives the very same values", async (_, make) => {
    const bytes = await make();
    expect(await valuesOf(new AlteredImage(bytes, plain))).toEqual(await valuesOf(bytes));
    expect(await valuesOf(new AlteredImage(bytes.toString("base64"), plain))).toEqual(await valuesOf(bytes));
  });

  it("a picture on its side is turned upright first", async () => {
    const bytes = await sharp(await encoded("jpeg"))
      .withMetadata({ orientation: 6 })
      .toBuffer();
    let size: number[] = [];
    const made = await valuesOf(new AlteredImage(bytes, (pixels) => ((size = [pixels.width, pixels.height]), pixels)));
    expect(size).toEqual([12, 20]);
    // Turned before it is resized or after, a value may be rounded otherwise.
    const own = (await valuesOf(bytes))!;
    expect(Math.max(...made!.map((value, i) => Math.abs(value - own[i]!)))).toBeLessThan(2.1 / 255);
  });

  it("limits count for what came, not for what it became", async () => {
    const bytes = await encoded("jpeg");
    const larger = (): Pixels => grey(9, 600);
    expect(await valuesOf(new AlteredImage(bytes, larger))).toEqual(new Float32Array(192).fill(9 / 255));
    await expect(valuesOf(new AlteredImage(Buffer.alloc(2_001), plain))).rejects.toThrow(/the image is too large/);
    await expect(valuesOf(new AlteredImage(Buffer.from("no"), plain))).rejects.toThrow(/cannot be decoded/);
  });
});
