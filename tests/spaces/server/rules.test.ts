import { beforeAll, describe, expect, it } from "vitest";
import { goldenAnswers } from "../../../deploy/bundle/golden.ts";
import { loadManifest } from "../../../models/core/predictor/load.ts";
import { openPredictor } from "../../../models/core/predictor/predictor.ts";
import { offline } from "../../models/core/build.ts";
import { json, modelFolder, serve, served, type ServerProcess } from "./harness.ts";

/** value = a + 10 b + 100 c + 0.5. */
const rules = {
  version: "1.2.0",
  columns: { night: { type: "boolean" as const, missing: { fill: 0 } } },
  list: [
    { id: "large", when: "value.value > 100", add: { value: 1000 }, reasons: ["the model says more than 100", "so"] },
    { id: "at-night", when: "night", override: { value: -1 } },
    { id: "broken", when: "if a == 6 then a else a == 7", reasons: ["never"] },
  ],
};
const rows = [
  { a: 1, b: 0, c: 0 },
  { a: 1, b: 0, c: 1 },
  { a: 1, b: 0, c: 1, night: true },
  { a: 2, b: 0, c: 0, night: true },
];
const expected = [
  { heads: { value: { kind: "regression", value: 1.5 } } },
  {
    heads: { value: { kind: "regression", value: 1101.5 } },
    reasons: [
      { rule: "large", reason: "the model says more than 100" },
      { rule: "large", reason: "so" },
    ],
  },
  {
    heads: { value: { kind: "regression", value: -1 } },
    reasons: [
      { rule: "large", reason: "the model says more than 100" },
      { rule: "large", reason: "so" },
      { rule: "at-night" },
    ],
  },
  { heads: { value: { kind: "regression", value: -1 } }, reasons: [{ rule: "at-night" }] },
];

let folder: string;
let server: ServerProcess;
beforeAll(async () => {
  folder = modelFolder(served({ rules, serving: { examples: [rows[0]!, rows[2]!] } }));
  server = await serve([folder], ["--cache-bytes", "100000"]);
});

const plain = (answer: object) => {
  const { heads, reasons } = answer as { heads: unknown; reasons?: unknown };
  return reasons === undefined ? { heads } : { heads, reasons };
};

describe("one answer path", () => {
  it.each([
    ["the fast path", "/predict"],
    ["the framework's way", "/predict?"],
  ])("alone, by %s, fresh and from the cache", async (_, path) => {
    for (let times = 0; times < 2; times++)
      for (const [i, row] of rows.entries())
        expect(plain((await json(await server.post(path, row))) as object)).toEqual(expected[i]);
  });

  it("in a batch", async () => {
    const { predictions } = (await json(await server.post("/predict/batch", { rows }))) as unknown as {
      predictions: object[];
    };
    expect(predictions.map(plain)).toEqual(expected);
  });

  it("by the predictor that the gate measures, and in the golden answers", async () => {
    const loaded = await loadManifest(folder);
    const predictor = await openPredictor(loaded, {}, offline);
    const answers = await predictor.predict(rows);
    await predictor.close();
    expect(answers.map((answer) => answer.ok && answer.heads)).toEqual(expected.map(({ heads }) => heads));
    const golden = await goldenAnswers(loaded, offline);
    expect(golden.rows.map(({ heads, reasons }) => plain({ heads, reasons }))).toEqual([expected[0], expected[2]]);
  });
});

it("an error in a rule is the row's error and spoils no other", async () => {
  const alone = await server.post("/predict", { a: 6, b: 0, c: 0 });
  expect(alone.status).toBe(422);
  expect(await json(alone)).toMatchObject({ errors: [{ field: "rules.broken", expected: "true or false" }] });
  const batch = await json(await server.post("/predict/batch", { rows: [rows[0], { a: 6, b: 0, c: 0 }, rows[3]] }));
  expect(batch).toMatchObject({ failed: 1, predictions: [expected[0], { error: { status: 422 } }, expected[3]] });
});

it("a field that only a rule reads is in the row's schema and checked", async () => {
  const card = (await json(await server.get("/models/linear"))) as unknown as {
    input: { schema: { properties: object } };
    rules: object;
  };
  expect(card.input.schema.properties).toHaveProperty("night");
  expect(card.rules).toMatchObject({ version: "1.2.0", sha256: expect.any(String), list: [{ id: "large" }, {}, {}] });
  const refused = await server.post("/predict", { a: 1, b: 0, c: 0, night: "yes" });
  expect(refused.status).toBe(422);
});

it("the OpenAPI description has the reasons", async () => {
  const api = (await json(await server.get("/openapi.json"))) as unknown as {
    components: { schemas: { Prediction: { properties: object } } };
  };
  expect(api.components.schemas.Prediction.properties).toHaveProperty("reasons");
});

it("fires are counted per rule, and not for cached answers", async () => {
  const fires = async () => {
    const text = await (await server.get("/metrics")).text();
    return Number(/^rule_fires_total\{model="linear",rule="large"\} (\d+)$/m.exec(text)?.[1] ?? 0);
  };
  const before = await fires();
  await server.post("/predict/batch", { rows: [...rows, ...rows] });
  expect((await fires()) - before).toBe(4);
});

it("an answer of the model's own form has the reasons beside its fields", async () => {
  const own = await serve([
    modelFolder(served({ rules, serving: { response: { answer: "value.value" }, examples: [rows[0]!] } })),
  ]);
  expect(await json(await own.post("/predict", rows[3]!))).toEqual({ answer: -1, reasons: [{ rule: "at-night" }] });
  expect(await json(await own.post("/predict", rows[0]!))).toEqual({ answer: 1.5 });
});

it("a prediction process answers as the main thread does", async () => {
  const elsewhere = await serve([folder], ["--engine", "process"]);
  const { predictions } = (await json(await elsewhere.post("/predict/batch", { rows }))) as unknown as {
    predictions: object[];
  };
  expect(predictions.map(plain)).toEqual(expected);
});
