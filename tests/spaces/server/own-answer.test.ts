import { beforeAll, describe, expect, it } from "vitest";
import { STANDARD_ANSWER } from "../../../models/core/media-type.ts";
import { json, modelFolder, pixelsModel, serve, served, type ServerProcess } from "./harness.ts";
import { sha256 } from "../../models/core/build.ts";

/** value = a + 10 b + 100 c + 0.5. */
const response = {
  doubled: "2 * value.value",
  size: 'if value.value > 100 then "large" else "small"',
  is_large: "value.value > 100",
  grown: "exp(value.value)",
  took_ms: "timing.total_ms",
};
const row = { a: 1, b: 2, c: 0 };

let server: ServerProcess;
beforeAll(async () => {
  server = await serve([modelFolder(served({ serving: { response, examples: [row] } }))], ["--cache-bytes", "100000"]);
});

describe.each([
  ["the fast path", "/predict"],
  ["the framework's way", "/predict?"],
])("an answer of the model's own form, by %s", (_, path) => {
  it("is exactly what the manifest says, also from the cache", async () => {
    for (const from of ["fresh or kept", "hit"]) {
      const response = await server.post(path, row);
      if (from === "hit") expect(response.headers.get("x-cache")).toBe("hit");
      expect(response.headers.get("vary")).toBe("Accept");
      expect(await json(response)).toEqual({
        doubled: 43,
        size: "small",
        is_large: false,
        grown: Math.exp(21.5),
        took_ms: expect.any(Number),
      });
    }
  });

  it("is the standard one when the client asks for it", async () => {
    const answer = await json(await server.post(path, row, { accept: `${STANDARD_ANSWER}, application/json` }));
    expect(answer).toMatchObject({
      model: "linear",
      heads: { value: { kind: "regression", value: 21.5 } },
      timing: { totalMs: expect.any(Number) },
    });
  });

  it("is refused when it has a number that is not finite, alone and in a batch", async () => {
    const large = { a: 1, b: 2, c: 9 };
    const alone = await server.post(path, large);
    expect(alone.status).toBe(500);
    expect(await json(alone)).toMatchObject({
      code: "output-not-finite",
      detail: expect.stringContaining("exp(value.value)"),
    });
    expect(await json(await server.post("/predict/batch", { rows: [row, large] }))).toMatchObject({
      failed: 1,
      predictions: [
        { doubled: 43 },
        { error: { code: "output-not-finite", detail: expect.stringContaining("rows[1]") } },
      ],
    });
  });
});

it("is the result of an event stream, and described with its types", async () => {
  const events = await (await server.post("/predict", row, { accept: "text/event-stream" })).text();
  expect(JSON.parse(/^event: result\ndata: (.*)$/m.exec(events)![1]!)).toMatchObject({ doubled: 43, size: "small" });
  const { components } = (await json(await server.get("/openapi.json"))) as unknown as {
    components: { schemas: Record<string, object> };
  };
  expect(components.schemas["Answer.linear"]).toMatchObject({
    properties: {
      doubled: { type: "number" },
      size: { type: "string" },
      is_large: { type: "boolean" },
      took_ms: { type: "number" },
    },
  });
});

it("a step with urls: true fetches a URL without the server's flag; one without it does not", async () => {
  const image = (urls: boolean) =>
    served({
      id: urls ? "open" : "closed",
      artifact: { path: "pixels.onnx", sha256: sha256(pixelsModel) },
      serving: { examples: [] },
      preprocess: { pixel: { kind: "image", urls, resize: { width: 1, height: 1 } } },
      inputs: [{ name: "pixels", dtype: "float32", shape: ["batch", 3, 1, 1], from: "pixel.pixels" }],
    });
  const both = await serve([modelFolder(image(true)), modelFolder(image(false))]);
  const ask = async (id: string) =>
    (await json(await both.post(`/models/${id}/predict`, { image: "http://10.0.0.1/a.png" })))["errors"];
  expect(await ask("open")).toMatchObject([
    { field: "image", problem: "the image was not fetched: the address is not public" },
  ]);
  expect(await ask("closed")).toMatchObject([
    { field: "image", problem: "a URL", expected: expect.stringContaining("switched off") },
  ]);
});
