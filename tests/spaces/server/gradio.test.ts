import { Client } from "@gradio/client";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { sha256 } from "../../models/core/build.ts";
import { json, modelFolder, pixelsModel, serve, served, type ServerProcess } from "./harness.ts";

// Gradio's own client against the server as it is started.

const row = { a: 1, b: 2, c: 3 };
let server: ServerProcess;
let client: Client;

beforeAll(async () => {
  const pixels = served({
    id: "pixels",
    artifact: { path: "pixels.onnx", sha256: sha256(pixelsModel) },
    preprocess: { pixel: { kind: "image", resize: { width: 1, height: 1 }, maxPixels: 10_000 } },
    inputs: [{ name: "pixels", dtype: "float32", shape: ["batch", 3, 1, 1], from: "pixel.pixels" }],
    serving: { examples: [] },
  });
  server = await serve([modelFolder(served()), modelFolder(pixels)]);
  client = await Client.connect(server.url);
});

const standard = async (path: string, body: object) => {
  const {
    timing: _,
    predictionId: __,
    ...rest
  } = (await json(await server.post(path, body))) as Record<string, unknown>;
  return rest;
};

describe("@gradio/client", () => {
  it("lists every model as a function of its fields", async () => {
    const { named_endpoints: named } = await client.view_api();
    expect(Object.keys(named)).toEqual(["/predict", "/linear", "/pixels"]);
    expect(named["/linear"]?.parameters).toMatchObject(
      ["a", "b", "c"].map((name) => ({ parameter_name: name, type: "number", component: "Number" })),
    );
  });

  it("calls the default model and one by its id, by position and by name, with the model's own answer", async () => {
    const expected = await standard("/predict", row);
    expect((await client.predict("/predict", [1, 2, 3])).data).toMatchObject([expected]);
    expect((await client.predict("/linear", row)).data).toMatchObject([expected]);
  });

  it("uploads a file and calls with it", async () => {
    const png = await sharp({ create: { width: 4, height: 4, channels: 3, background: { r: 255, g: 0, b: 255 } } })
      .png()
      .toBuffer();
    const { data } = await client.predict("/pixels", [new Blob([new Uint8Array(png)], { type: "image/png" })]);
    expect(data).toMatchObject([{ heads: { value: { value: 101 } } }]);
  });

  it("gets the reason when a value cannot be used", async () => {
    await expect(client.predict("/linear", ["x", 2, 3])).rejects.toMatchObject({
      message: expect.stringContaining("a: not a number"),
    });
  });
});

describe("curl, as Gradio documents it", () => {
  it("posts a call and reads its result once, as an event", async () => {
    const { event_id: id } = (await json(
      await server.post("/gradio_api/call/predict", { data: [1, 2, 3] }),
    )) as unknown as { event_id: string };
    const result = await (await server.get(`/gradio_api/call/predict/${id}`)).text();
    const [, event, data] = /^event: (\w+)\ndata: (.*)\n\n$/.exec(result) ?? [];
    expect(event).toBe("complete");
    expect(JSON.parse(data ?? "")).toMatchObject([await standard("/predict", row)]);
    expect((await server.get(`/gradio_api/call/predict/${id}`)).status).toBe(404);
  });

  it("gets an error event for a row that is refused, and 404 for another model", async () => {
    const { event_id: id } = (await json(
      await server.post("/gradio_api/call/predict", { data: [1, 2, 3, 4] }),
    )) as unknown as { event_id: string };
    expect(await (await server.get(`/gradio_api/call/predict/${id}`)).text()).toMatch(/^event: error\ndata: "4 values/);
    expect((await server.post("/gradio_api/call/nobody", { data: [] })).status).toBe(404);
    expect((await server.post("/gradio_api/upload", "x", { "content-type": "multipart/form-data" })).status).toBe(400);
  });
});
