import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { sha256 } from "../../models/core/build.ts";
import { json, modelFolder, pixelsModel, serve, served, type ServerProcess } from "./harness.ts";

/** One pixel: prediction = red + 10 green + 100 blue, each from 0 to 1. */
const model = () =>
  modelFolder(
    served({
      id: "pixels",
      artifact: { path: "pixels.onnx", sha256: sha256(pixelsModel) },
      preprocess: { pixel: { kind: "image", resize: { width: 1, height: 1 }, maxPixels: 10_000 } },
      inputs: [{ name: "pixels", dtype: "float32", shape: ["batch", 3, 1, 1], from: "pixel.pixels" }],
      serving: { examples: [] },
    }),
  );
const png = async (side: number, color: { r: number; g: number; b: number }) =>
  (
    await sharp({ create: { width: side, height: side, channels: 3, background: color } })
      .png()
      .toBuffer()
  ).toString("base64");

describe.each([["main"], ["worker"]])("images (%s)", (engine) => {
  let closed: ServerProcess;
  let reaching: ServerProcess;
  beforeAll(async () => {
    closed = await serve([model()], ["--engine", engine]);
    reaching = await serve([model()], ["--engine", engine, "--image-urls"]);
  });

  it("come as base64 or as a data: URL, and are bounded in pixels", async () => {
    const image = await png(4, { r: 255, g: 0, b: 255 });
    for (const text of [image, `data:image/png;base64,${image}`])
      expect(await json(await closed.post("/predict", { image: text }))).toMatchObject({
        heads: { value: { value: 101 } },
      });
    expect(await json(await closed.post("/predict", { image: await png(200, { r: 0, g: 0, b: 0 }) }))).toMatchObject({
      status: 422,
      errors: [{ field: "image", problem: "the image has too many pixels" }],
    });
  });

  it("are not fetched by default, and never from private addresses", async () => {
    const ask = async (server: ServerProcess, image: string) =>
      (await json(await server.post("/predict", { image })))["errors"];
    expect(await ask(closed, "https://example.org/a.png")).toMatchObject([
      { field: "image", problem: "a URL", expected: expect.stringContaining("switched off") },
    ]);
    for (const url of [
      closed.url,
      `${closed.url}/a.png`,
      "http://169.254.169.254/latest/",
      "http://localhost/",
      "http://[::1]:80/",
    ]) {
      expect(await ask(reaching, url)).toMatchObject([
        {
          field: "image",
          problem: expect.stringMatching(
            /^the image was not fetched: (the address is not public|port \d+ is not asked)$/,
          ),
        },
      ]);
    }
    const image = await png(1, { r: 255, g: 255, b: 0 });
    const batch = await json(
      await reaching.post("/predict/batch", { rows: [{ image }, { image: "http://10.0.0.1/" }, { image }] }),
    );
    expect(batch).toMatchObject({
      failed: 1,
      predictions: [
        { heads: { value: { value: 11 } } },
        { error: { errors: [{ field: "rows[1].image" }] } },
        { heads: { value: { value: 11 } } },
      ],
    });
  });
});
