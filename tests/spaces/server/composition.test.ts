import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { goldenAnswers } from "../../../deploy/bundle/golden.ts";
import { loadManifest } from "../../../models/core/predictor/load.ts";
import { openPredictor } from "../../../models/core/predictor/predictor.ts";
import { offline } from "../../models/core/build.ts";
import { graphOf, linear, mood, sideBySide } from "../../models/core/graph/build.ts";
import { json, serve, until, type ServerProcess } from "./harness.ts";

const rows = Array.from({ length: 40 }, (_, i) => ({ text: `t${i + 1} t3`, b: i % 5, c: i % 3 }));
const composed = graphOf(
  {
    root: {
      sequence: [{ model: "mood" }, { name: "value", node: "choice" }],
    },
    choice: {
      switch: [
        {
          name: "sure",
          model: "linear",
          condition: "mood.mood.score > 0.5 and b < 3",
          inputs: { a: "mood.mood.score" },
        },
        { name: "unsure", model: "linear", inputs: { a: "0 - 1", c: "if c > 1 then 999 else c" } },
      ],
    },
  },
  {
    answer: { mood: "mood.mood", value: "value.value" },
    serving: { examples: [rows[0]!, rows[1]!] },
  } as never,
);

let root: string;
let server: ServerProcess;
beforeAll(async () => {
  const narrow = linear();
  (narrow.preprocess["row"] as { columns: Record<string, object> }).columns["c"] = { type: "number", max: 500 };
  root = sideBySide({ mood: mood(), linear: narrow, both: composed });
  server = await serve([join(root, "both")], ["--cache-bytes", "100000"]);
});

type Answer = { heads?: object; error?: { step?: string; code: string } };

/** Row i through the predictor that the gate measures. */
async function measured(): Promise<(object | null)[]> {
  const predictor = await openPredictor(await loadManifest(join(root, "both")), {}, offline);
  const answers = await predictor.predict(rows);
  await predictor.close();
  return answers.map((one) => (one.ok ? one.heads : null));
}

describe("a served composition", () => {
  it("answers over HTTP, row by row and in a batch, as the gate measured it", async () => {
    const expected = await measured();
    expect(expected.filter((one) => one === null).length).toBe(rows.filter(({ b, c }) => b >= 3 && c > 1).length);
    expect(expected.filter((one) => one !== null).length).toBeGreaterThan(20);
    for (const path of ["/models/both/predict", "/predict"])
      for (const [i, row] of rows.entries()) {
        const response = await server.post(path, row);
        const body = (await response.json()) as Answer;
        expect(response.status).toBe(expected[i] === null ? 422 : 200);
        if (expected[i] !== null) expect(body.heads).toEqual(expected[i]);
      }
    const { predictions } = (await json(await server.post("/models/both/predict/batch", { rows }))) as unknown as {
      predictions: Answer[];
    };
    expect(predictions.map(({ heads }) => heads ?? null)).toEqual(expected);
  });

  it("names the step of a row that it cannot take, alone and in a batch", async () => {
    const row = { text: "t1", b: 4, c: 2 };
    const response = await server.post("/predict", row);
    expect(response.status).toBe(422);
    expect(response.headers.get("content-type")).toContain("application/problem+json");
    expect(await response.json()).toMatchObject({
      step: "unsure",
      code: "bad-row",
      errors: [{ field: "unsure.c" }],
    });
    const { predictions } = (await json(await server.post("/predict/batch", { rows: [row] }))) as unknown as {
      predictions: Answer[];
    };
    expect(predictions[0]).toMatchObject({ error: { step: "unsure" } });
    const missing = await server.post("/predict", { b: 1, c: 1 });
    expect(await missing.json()).toMatchObject({ status: 422, errors: [{ field: "text" }] });
  });

  it("shows its graph, the models of its steps, and their metrics", async () => {
    const info = (await json(await server.get("/models/both"))) as unknown as {
      backend: string;
      composition: object;
      architecture: object[];
      artifact: { sha256: string };
    };
    const loaded = await loadManifest(join(root, "both"));
    expect(info.artifact.sha256).toBe(loaded.manifest.artifact.sha256);
    expect(info.composition).toMatchObject({
      name: "root",
      kind: "sequence",
      answer: { mood: "mood.mood", value: "value.value" },
      steps: [
        { name: "mood", kind: "step", model: "mood", version: "1.0.0", heads: ["mood"] },
        {
          name: "value",
          kind: "switch",
          steps: [
            {
              name: "sure",
              model: "linear",
              condition: "mood.mood.score > 0.5 and b < 3",
              inputs: { a: "mood.mood.score" },
            },
            { name: "unsure", model: "linear" },
          ],
        },
      ],
    });
    const metrics = await (await server.get("/metrics")).text();
    expect(metrics).toMatch(/composition_step_rows_total\{model="both",step="unsure"\} [1-9]/);
    expect(metrics).toMatch(/composition_step_errors_total\{model="both",step="unsure"\} [1-9]/);
    expect(metrics).toMatch(/composition_step_errors_total\{model="both",step="mood"\} 0/);
    expect(metrics).toMatch(/composition_step_duration_seconds_count\{model="both",step="sure"\} [1-9]/);
    const api = (await json(await server.get("/openapi.json"))) as unknown as { paths: Record<string, object> };
    expect(JSON.stringify(api.paths["/models/both/predict"])).toContain('"text"');
    expect(Object.keys(api.paths)).toContain("/v2/models/both/infer");
  });

  it("speaks the Open Inference Protocol, a tensor per field", async () => {
    const face = (await json(await server.get("/v2/models/both"))) as unknown as {
      inputs: object[];
      outputs: object[];
    };
    expect(face.inputs).toEqual([
      { name: "text", datatype: "BYTES", shape: [-1] },
      { name: "b", datatype: "FP64", shape: [-1] },
      { name: "c", datatype: "FP64", shape: [-1] },
    ]);
    const some = rows.slice(0, 2);
    const tensor = (name: string, datatype: string, data: unknown[]) => ({ name, datatype, shape: [2], data });
    const response = await server.post("/v2/models/both/infer", {
      inputs: [
        tensor(
          "text",
          "BYTES",
          some.map(({ text }) => text),
        ),
        tensor(
          "b",
          "FP64",
          some.map(({ b }) => b),
        ),
        tensor(
          "c",
          "FP64",
          some.map(({ c }) => c),
        ),
      ],
    });
    const { outputs } = (await json(response)) as unknown as { outputs: { name: string; data: unknown[] }[] };
    const expected = await measured();
    expect(outputs.find(({ name }) => name === "value")!.data).toEqual(
      expected.slice(0, 2).map((one) => (one as { value: { value: number } }).value.value),
    );
    expect(outputs.map(({ name }) => name)).toEqual(["mood.label", "mood.probabilities", "value"]);
  });

  it("is loaded again when a model of it changes", async () => {
    const watched = await serve([join(root, "both")]);
    const reloads = async () =>
      ((await json(await watched.get("/models/both"))) as unknown as { reloads: number }).reloads;
    expect(await reloads()).toBe(0);
    appendFileSync(join(root, "linear/model.yaml"), "\n# a comment\n");
    await until(async () => ((await reloads()) > 0 ? true : undefined));
  });

  it("has golden answers", async () => {
    const golden = await goldenAnswers(await loadManifest(join(root, "both")), offline);
    const expected = await measured();
    expect(golden.rows.map(({ heads }) => heads)).toEqual(expected.slice(0, 2));
  });
});
