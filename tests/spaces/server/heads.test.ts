import { Ajv2020 } from "ajv/dist/2020.js";
import { beforeAll, describe, expect, it } from "vitest";
import { loadManifest } from "../../../models/core/predictor/load.ts";
import { answerOf } from "../../../models/core/postprocess/heads-json.ts";
import { openPredictor, type Predictor } from "../../../models/core/predictor/predictor.ts";
import { offline } from "../../models/core/build.ts";
import { toys, type Toy } from "../../models/core/kinds.ts";
import { json, modelFolder, serve, until, type ServerProcess } from "./harness.ts";

/** A JSON of its own for one of them, with the expressions of its kind. */
const own: Record<string, { response: Record<string, string>; answer: (heads: any) => object }> = {
  "named-items": {
    response: { best: "pages.first", score: "pages.score" },
    answer: ({ pages: { items } }) => ({ best: items[0].id, score: items[0].score }),
  },
  band: {
    response: { total: "sum(demand.values)", next: "at(demand.values, 0)" },
    answer: ({ demand: { values } }) => ({
      total: values.reduce((sum: number, one: number) => sum + one, 0),
      next: values[0],
    }),
  },
  entities: { response: { found: "entities.count" }, answer: ({ entities: { spans } }) => ({ found: spans.length }) },
  echo: { response: { said: "words.text" }, answer: ({ words: { text } }) => ({ said: text }) },
};
const ownToy = (id: string): Toy => {
  const toy = toys[id]!;
  const { response } = own[id]!;
  return { ...toy, manifest: { ...toy.manifest, id: `own-${id}`, serving: { ...toy.manifest.serving, response } } };
};
const served: Record<string, Toy> = {
  ...toys,
  ...Object.fromEntries(Object.keys(own).map((id) => [`own-${id}`, ownToy(id)])),
};

let server: ServerProcess;
const predictors: Record<string, Predictor> = {};
beforeAll(async () => {
  const dirs = Object.fromEntries(
    Object.entries(served).map(([id, { manifest, files }]) => [id, modelFolder(manifest, files)]),
  );
  server = await serve(Object.values(dirs), ["--engine", "main", "--max-queue-wait-ms", "25000"], {
    ready: false,
  });
  // Thirteen models are opened one after the other.
  await until(async () => ((await server.get("/readyz")).status === 200 ? true : undefined), 180_000);
  for (const id of Object.keys(toys)) predictors[id] = await openPredictor(await loadManifest(dirs[id]!), {}, offline);
}, 240_000);

const get = async (path: string): Promise<any> => json(await server.get(path));
const post = async (path: string, body: unknown): Promise<any> => json(await server.post(path, body));

describe.each(Object.entries(toys))("%s over HTTP", (id, { manifest, rows }) => {
  it("gives the core's own answers, alone and in a batch", async () => {
    const { postprocess } = (await loadManifest(modelFolder(manifest, toys[id]!.files))).manifest;
    const expected = [];
    for (const row of rows) expected.push(answerOf(postprocess, await predictors[id]!.predictOne(row)));
    for (const [i, row] of rows.entries())
      expect((await post(`/models/${id}/predict`, row)).heads).toEqual(expected[i]);
    const batch = await post(`/models/${id}/predict/batch`, { rows });
    expect(batch.predictions.map(({ heads }: { heads: object }) => heads)).toEqual(expected);
  });

  it("answers as its OpenAPI description says, and its card names the kind", async () => {
    const { components } = await get("/openapi.json");
    const validate = new Ajv2020({ strict: false }).compile(components.schemas.Prediction as object);
    const answer = await post(`/models/${id}/predict`, rows[0]);
    expect(validate(answer), JSON.stringify(validate.errors)).toBe(true);
    const { heads } = await get(`/models/${id}`);
    expect(heads).toMatchObject(manifest.postprocess.map(({ name, kind }) => ({ name, kind })));
  });

  it("gives the graph's own tensors over the Open Inference Protocol", async () => {
    const { inputs, outputs } = predictors[id]!.describe();
    const [input] = inputs as [(typeof inputs)[number]];
    const shape = input.shape.map((size, i) => (typeof size === "number" ? size : i === 0 ? 2 : 3));
    const size = shape.reduce((product, one) => product * one, 1);
    const numbers = Array.from({ length: size }, (_, i) => 1 + (i % 5));
    const data = input.dtype === "int64" ? BigInt64Array.from(numbers, BigInt) : Float32Array.from(numbers);
    const expected = await predictors[id]!.runTensors({
      [input.name]: { dtype: input.dtype as "float32", data, dims: shape },
    });
    const answer = await post(`/v2/models/${id}/infer`, {
      inputs: [{ name: input.name, datatype: input.dtype === "int64" ? "INT64" : "FP32", shape, data: numbers }],
    });
    expect(answer.outputs.map((one: { name: string }) => one.name)).toEqual(outputs.map(({ name }) => name));
    for (const { name, data: found } of answer.outputs)
      expect(found).toEqual(
        Array.from(expected[name]!.data as ArrayLike<unknown>, (one) => (typeof one === "bigint" ? Number(one) : one)),
      );
  });
});

it.each(Object.entries(own))("the own JSON of %s is worked out from its head", async (id, { answer }) => {
  const { heads } = await post(`/models/${id}/predict`, toys[id]!.rows[5]);
  expect(await post(`/models/own-${id}/predict`, toys[id]!.rows[5])).toEqual(answer(heads));
});

it("a row that names no list of seen items is refused with the field, and does not spoil its batch", async () => {
  const [first, second] = toys["named-items"]!.rows;
  const { seen: _, ...without } = first!;
  expect(await post("/models/named-items/predict", without)).toMatchObject({
    status: 422,
    errors: [{ field: "seen" }],
  });
  const batch = await post("/models/named-items/predict/batch", { rows: [without, second] });
  expect(batch).toMatchObject({ failed: 1, predictions: [{ error: { status: 422 } }, { heads: {} }] });
});

it("a row whose answer is not usable fails alone", async () => {
  const [first, second] = toys["band"]!.rows as { history: number[] }[];
  const crossing = { history: [-2, ...first!.history.slice(1)] };
  const batch = await post("/models/band/predict/batch", { rows: [crossing, second] });
  expect(batch).toMatchObject({
    failed: 1,
    predictions: [{ error: { status: 500, code: "quantiles-cross" } }, { heads: {} }],
  });
});
