import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { compileImage } from "../../../models/core/preprocess/image.ts";
import { RowError } from "../../../models/core/row.ts";
import { imageStep } from "../../../models/core/preprocess/schema.ts";
import { compileTensor } from "../../../models/core/preprocess/tensor.ts";
import { refusal } from "./build.ts";

const compile = (changes: object) =>
  compileImage(imageStep.parse({ kind: "image", ...changes }), (path) => path.join("."));
const pixels = async (image: unknown, changes: object) => {
  const prepared = await compile(changes).prepare({ image });
  return prepared.kind === "numbers" ? [...prepared.values] : null;
};
/** 4 × 2: the left half red, the right half blue. */
const redBlue = (format: "png" | "jpeg" = "png") => {
  const raw = Buffer.from(Array.from({ length: 8 }, (_, i) => (i % 4 < 2 ? [255, 0, 0] : [0, 0, 255])).flat());
  return sharp(raw, { raw: { width: 4, height: 2, channels: 3 } })
    .toFormat(format)
    .toBuffer();
};
const exact = { resize: { width: 4, height: 2, kernel: "nearest" } };

describe("pixels", () => {
  it("are laid out by channel or by pixel, in the order the model wants", async () => {
    const image = await redBlue();
    const crop = { ...exact, centerCrop: { width: 2, height: 1 } };
    expect(await pixels(image, crop)).toEqual([1, 0, 0, 0, 0, 1]);
    expect(await pixels(image, { ...crop, layout: "hwc" })).toEqual([1, 0, 0, 0, 0, 1]);
    expect(await pixels(image, { ...crop, channels: "bgr" })).toEqual([0, 1, 0, 0, 1, 0]);
    expect(compile({ ...crop, layout: "hwc" }).shapes).toEqual({ pixels: [1, 2, 3] });
    expect(compile(crop).shapes).toEqual({ pixels: [3, 1, 2] });
  });

  it("are scaled, then normalised per channel", async () => {
    const values = await pixels(await redBlue(), {
      ...exact,
      centerCrop: { width: 2, height: 1 },
      scale: 1 / 255,
      mean: [0.5, 0.25, 0],
      std: [0.5, 0.25, 2],
    });
    expect(values).toEqual([1, -1, -1, -1, 0, 0.5]);
  });

  it("are one channel for gray", async () => {
    const white = await sharp({ create: { width: 3, height: 3, channels: 3, background: "#ffffff" } })
      .png()
      .toBuffer();
    expect(await pixels(white, { resize: { width: 1, height: 1 }, channels: "gray" })).toEqual([1]);
  });

  it("under transparency are the background", async () => {
    const clear = await sharp({
      create: { width: 2, height: 2, channels: 4, background: { r: 9, g: 9, b: 9, alpha: 0 } },
    })
      .png()
      .toBuffer();
    expect(await pixels(clear, { resize: { width: 1, height: 1 }, background: "#ff0000" })).toEqual([1, 0, 0]);
  });

  it("are the same from bytes, base64 and a data: URL", async () => {
    const image = await redBlue("jpeg");
    const from = await pixels(image, exact);
    expect(await pixels(image.toString("base64"), exact)).toEqual(from);
    expect(await pixels(`data:image/jpeg;base64,${image.toString("base64")}`, exact)).toEqual(from);
  });

  it("are turned upright", async () => {
    const turned = await sharp(await redBlue())
      .withMetadata({ orientation: 3 })
      .jpeg({ quality: 100 })
      .toBuffer();
    const values = await pixels(turned, { ...exact, channels: "rgb", layout: "hwc" });
    expect(values![0]).toBeLessThan(0.2);
    expect(values![2]).toBeGreaterThan(0.8);
  });
});

describe("an image that is refused", () => {
  it.each<[string, (image: Buffer) => unknown, object, RegExp]>([
    ["none", () => undefined, exact, /image is missing/],
    ["a number", () => 5, exact, /not an image/],
    ["no base64", () => "not base64!", exact, /not base64/],
    ["a data: URL of something else", () => "data:text/html;base64,AAAA", exact, /data: URL/],
    ["bytes that are no image", () => Buffer.from("hello there"), exact, /cannot be decoded/],
    ["half an image", (image) => image.subarray(0, image.length - 30), exact, /cannot be decoded/],
    ["too many bytes", (image) => image, { ...exact, maxBytes: 10 }, /too large/],
    ["too many bytes in base64", (image) => image.toString("base64"), { ...exact, maxBytes: 10 }, /too large/],
    ["too many pixels", (image) => image, { ...exact, maxPixels: 7 }, /too many pixels/],
    ["smaller than its crop", (image) => image, { centerCrop: { width: 9, height: 1 } }, /smaller than the crop/],
  ])("%s", async (_, make, changes, message) => {
    const image = await redBlue();
    const error = await refusal(() => compile(changes).prepare({ image: make(image) }));
    expect(error).toBeInstanceOf(RowError);
    expect((error as RowError).field).toBe("image");
    expect(error.message).toMatch(message);
  });
});

describe("an image with a placeholder", () => {
  const optional = { ...exact, missing: { placeholder: "#ff0000" } };
  const prepared = async (image: unknown, changes: object = {}) => {
    const found = await compile({ ...optional, ...changes }).prepare({ image });
    return found.kind === "numbers" ? found : null;
  };

  it("is used as it is when there is one", async () => {
    expect(await prepared(await redBlue())).toEqual({
      kind: "numbers",
      values: Float32Array.from((await pixels(await redBlue(), exact)) ?? []),
    });
  });

  it.each<[string, unknown, object, string]>([
    ["there is none", undefined, {}, "the image is missing"],
    ["it is null", null, {}, "the image is missing"],
    ["it is no image", Buffer.from("hello there"), {}, "the image cannot be decoded"],
    ["it is too large", Buffer.alloc(20), { maxBytes: 10 }, "the image is too large"],
  ])("becomes the plain picture when %s, and says so", async (_, image, changes, problem) => {
    const found = await prepared(image, changes);
    expect(found?.replaced).toEqual({ field: "image", problem, used: "a plain picture of #ff0000" });
    expect([...found!.values]).toEqual([...Array<number>(8).fill(1), ...Array<number>(16).fill(0)]);
  });

  it("is normalised, cropped and made gray like any other picture", async () => {
    const white = { missing: { placeholder: "#ffffff" }, channels: "gray", mean: [0.5], std: [0.5] };
    expect([...(await prepared(null, { ...white, centerCrop: { width: 1, height: 2 } }))!.values]).toEqual([1, 1]);
    expect([
      ...(await prepared(null, { ...white, resize: undefined, centerCrop: { width: 2, height: 1 } }))!.values,
    ]).toEqual([1, 1]);
  });

  it.each<[string, unknown]>([
    ["a number", 5],
    ["no base64", "not base64!"],
    ["a data: URL of something else", "data:text/html;base64,AAAA"],
  ])("is still refused when it is %s", async (_, image) => {
    expect(await refusal(() => prepared(image))).toBeInstanceOf(RowError);
  });
});

it.each<[string, object, string]>([
  ["no size", {}, "image-size"],
  ["one mean for three channels", { ...exact, mean: [0.5] }, "image-normalise"],
  ["a std of 0", { ...exact, std: [1, 0, 1] }, "image-normalise"],
])("a step with %s is refused", async (_, changes, code) => {
  expect((await refusal(() => compile(changes))).code).toBe(code);
});

describe("a tensor", () => {
  const step = compileTensor({ kind: "tensor", field: "v", shape: [2, 2] });
  it("is taken as it is", () => {
    expect(
      step.prepare({
        v: [
          [1, 2],
          [3, 4],
        ],
      }),
    ).toEqual({ kind: "numbers", values: Float64Array.from([1, 2, 3, 4]) });
    expect(step.prepare({ v: [Float32Array.from([1, 2]), [3, 4]] })).toEqual({
      kind: "numbers",
      values: Float64Array.from([1, 2, 3, 4]),
    });
    expect(compileTensor({ kind: "tensor", field: "v", shape: [] }).prepare({ v: 7 })).toEqual({
      kind: "numbers",
      values: Float64Array.from([7]),
    });
  });

  it.each<[unknown, string]>([
    [undefined, "v"],
    [[[1, 2]], "v"],
    [[[1, 2], [3]], "v[1]"],
    [
      [
        [1, 2],
        [3, "4"],
      ],
      "v[1][1]",
    ],
    [
      [
        [1, 2],
        [3, Infinity],
      ],
      "v[1][1]",
    ],
    ["1234", "v"],
  ])("%j is refused at %s", async (v, field) => {
    expect(((await refusal(() => step.prepare({ v }))) as RowError).field).toBe(field);
  });
});
