import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { ConfigurationError, EvaluationError } from "../../../models/core/errors.ts";
import type { ManifestInput } from "../../../models/core/manifest/manifest.ts";
import { openPredictor, type Predictor } from "../../../models/core/predictor/predictor.ts";
import { RowError } from "../../../models/core/row.ts";
import {
  fixture,
  linearManifest,
  modelFolder,
  offline,
  predictorOf,
  refusal,
  sequenceManifest,
  sha256,
} from "./build.ts";

const words = fc
  .array(
    fc.integer({ min: 1, max: 60 }).map((i) => `t${i}`),
    { maxLength: 40 },
  )
  .map((all) => ({ text: all.join(" ") }));
const texts = [1, 30, 2, 17, 5, 11, 24, 3].map((length, i) => ({
  text: Array.from({ length }, (_, j) => `t${((i * 7 + j) % 60) + 1}`).join(" "),
}));
const logarithm = () =>
  predictorOf(linearManifest({ artifact: { path: "logarithm.onnx", sha256: sha256(fixture("logarithm.onnx")) } }));
let sequence: Predictor;
beforeAll(async () => {
  sequence = await predictorOf(sequenceManifest("sequence.onnx"), { batch: 3 });
});

describe("predict", () => {
  it("gives typed answers in the order of the rows", async () => {
    const linear = await predictorOf(linearManifest());
    const rows = Array.from({ length: 70 }, (_, i) => ({ a: i, b: 0, c: 1 }));
    const results = await linear.predict(rows, { batch: 8 });
    expect(results).toEqual(
      rows.map(({ a }) => ({ ok: true, heads: { value: { kind: "regression", value: a + 100.5 } } })),
    );
    expect(await linear.predict([])).toEqual([]);
  });

  it("a batch gives the same answers as its rows one by one, sorted or not", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(words, { minLength: 1, maxLength: 9 }), fc.boolean(), async (rows, sort) => {
        const together = await sequence.predict(rows, { batch: 4, sort });
        for (const [i, row] of rows.entries()) {
          const alone = await sequence.predictOne(row);
          expect(together[i]).toMatchObject({
            ok: true,
            heads: {
              mood: { label: expect.any(String), score: expect.closeTo((alone["mood"] as { score: number }).score, 5) },
            },
          });
        }
      }),
      { numRuns: 25 },
    );
  });

  it("refuses only the bad row", async () => {
    const [first, bad, last] = await sequence.predict([texts[0]!, { text: 5 }, texts[1]!]);
    expect(first!.ok && last!.ok).toBe(true);
    expect(bad).toMatchObject({ ok: false, error: { field: "text" } });
    expect(await refusal(() => sequence.predictOne({}))).toBeInstanceOf(RowError);
  });

  it("reads several heads from several outputs", async () => {
    const two = await predictorOf(
      linearManifest({
        artifact: { path: "two-heads.onnx", sha256: sha256(fixture("two-heads.onnx")) },
        outputs: [
          { name: "logits", dtype: "float32", shape: ["batch", 3] },
          { name: "total", dtype: "float32", shape: ["batch", 1] },
        ],
        postprocess: [
          { name: "kind", from: "logits", kind: "classification", activation: "softmax", labels: ["x", "y", "z"] },
          { name: "amount", from: "total", kind: "regression", inverse: { kind: "affine", scale: 2, offset: 0 } },
        ],
      }),
    );
    expect(await two.predictOne({ a: 1, b: 9, c: 2 })).toMatchObject({ kind: { label: "y" }, amount: { value: 24 } });
  });

  it("runs a graph with a fixed batch of one row by row", async () => {
    const fixed = await predictorOf(
      linearManifest({
        artifact: { path: "fixed-batch.onnx", sha256: sha256(fixture("fixed-batch.onnx")) },
        inputs: [{ name: "features", dtype: "float32", shape: [1, 3], from: "row.features" }],
        outputs: [{ name: "prediction", dtype: "float32", shape: [1, 1] }],
      }),
    );
    const results = await fixed.predict([
      { a: 1, b: 0, c: 0 },
      { a: 2, b: 0, c: 0 },
    ]);
    expect(results.map((one) => one.ok && one.heads["value"])).toEqual([
      { kind: "regression", value: 1.5 },
      { kind: "regression", value: 2.5 },
    ]);
  });

  it("opens a model with external data", async () => {
    const external = await predictorOf(
      linearManifest({
        artifact: {
          path: "external.onnx",
          sha256: sha256(fixture("external.onnx")),
          externalData: [{ path: "external.onnx.data", sha256: sha256(fixture("external.onnx.data")) }],
        },
      }),
    );
    expect(await external.predictOne({ a: 1, b: 2, c: 3 })).toEqual({ value: { kind: "regression", value: 321.5 } });
    expect(external.describe().modelBytes).toBe(fixture("external.onnx").length + 16);
  });

  it("feeds every numeric type, and refuses a row whose value does not fit one", async () => {
    const types = ["float16", "float32", "float64", "int64", "int32", "int8", "uint8", "bool"] as const;
    const every = await predictorOf(
      linearManifest({
        artifact: { path: "every-type.onnx", sha256: sha256(fixture("every-type.onnx")) },
        preprocess: Object.fromEntries(
          types.map((name) => [name, { kind: "tensor" as const, field: name, shape: [1] }]),
        ),
        inputs: types.map((name) => ({ name, dtype: name, shape: ["batch", 1], from: `${name}.values` })),
        outputs: [{ name: "total", dtype: "float16", shape: ["batch", 1] }],
        postprocess: [{ name: "value", from: "total", kind: "regression" }],
      }),
    );
    await every.warmUp();
    const row = {
      float16: [0.5],
      float32: [0.25],
      float64: [-1],
      int64: [100],
      int32: [-7],
      int8: [-3],
      uint8: [200],
      bool: [1],
    };
    expect(await every.predictOne(row)).toEqual({ value: { kind: "regression", value: 290.75 } });
    const wrong = {
      float16: [70000],
      float32: [1e39],
      int64: [0.5],
      int32: [2 ** 31],
      int8: [128],
      uint8: [-1],
      bool: [2],
    };
    for (const [field, value] of Object.entries(wrong)) {
      expect(((await refusal(() => every.predictOne({ ...row, [field]: value }))) as RowError).field).toBe(
        `${field}.values[0]`,
      );
    }
  });

  it("stops between runs when its signal aborts", async () => {
    await expect(sequence.predict(texts, { batch: 1, signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow(
      "enough",
    );
  });
});

describe("an answer that is not a finite number", () => {
  const rows = [
    { a: 1, b: 1, c: 1 },
    { a: -1, b: 1, c: 1 },
  ];

  it("fails the call with an error that names head and row", async () => {
    const model = await logarithm();
    const error = await refusal(() => model.predict(rows, { rowName: (i) => `eval.csv:${i + 2}` }));
    expect(error).toBeInstanceOf(EvaluationError);
    expect(error).not.toBeInstanceOf(RowError);
    expect(error.message).toMatch(/^eval\.csv:3: the head value gives no finite number/);
  });

  it("fails only that row when the caller is a server", async () => {
    const model = await logarithm();
    const [good, bad] = await model.predict(rows, { badOutput: "row" });
    expect(good).toMatchObject({ ok: true });
    expect(bad).toMatchObject({ ok: false, error: { code: "output-not-finite" } });
  });

  it("a feature too large for the graph's type refuses the row", async () => {
    const linear = await predictorOf(linearManifest());
    expect(await linear.predict([{ a: 1e39, b: 0, c: 0 }])).toMatchObject([
      { ok: false, error: { field: "row.features[0]" } },
    ]);
  });
});

describe("a text with more tokens than the model reads", () => {
  it("is answered with a note that says so, and a shorter one without", async () => {
    const short = await predictorOf(
      sequenceManifest("sequence.onnx", {
        preprocess: { tokens: { kind: "text", tokenizer: "tokenizer.json", maxTokens: 8 } },
      }),
    );
    const [cut, whole] = await short.predict([{ text: "t1 t2 t3 t4 t5 t6 t7 t8 t9" }, { text: "t1 t2" }]);
    expect(cut).toMatchObject({
      ok: true,
      notes: [{ field: "text", problem: "the text has 11 tokens, and the model reads 8", cut: true }],
    });
    expect(whole).not.toHaveProperty("notes");
  });
});

describe("batch parity", () => {
  it("holds for a model that masks its padding", async () => {
    expect(await sequence.batchParity(texts)).toMatchObject({ rows: 8, ok: true, tolerance: 1e-4 });
  });

  it("catches a model whose padding changes answers, and names the worst row", async () => {
    const leaking = await predictorOf(sequenceManifest("sequence-leaks-padding.onnx"), { batch: 4 });
    const parity = await leaking.batchParity(texts);
    expect(parity.ok).toBe(false);
    expect(parity.maxDifference).toBeGreaterThan(0.01);
    expect(texts[parity.worstRow!]!.text.split(" ").length).toBeLessThan(17);
  });

  it("compares at most its number of rows, and fails without rows", async () => {
    expect((await sequence.batchParity(Array.from({ length: 500 }, (_, i) => texts[i % 8]!))).rows).toBe(64);
    expect(await sequence.batchParity([])).toMatchObject({ rows: 0, ok: false });
    expect(await sequence.batchParity([{ text: 1 }])).toMatchObject({ rows: 0, ok: false });
  });
});

describe("the description of an open model", () => {
  it("says what was opened and what it runs on", async () => {
    const loaded = modelFolder(linearManifest());
    const predictor = await openPredictor(loaded, { threads: 2 }, offline);
    expect(predictor.describe()).toMatchObject({
      id: "linear",
      version: "1.0.0",
      sha256: sha256(fixture("linear.onnx")),
      provider: "cpu",
      threads: 2,
      onnxruntime: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      modelBytes: fixture("linear.onnx").length,
    });
    await predictor.close();
    await predictor.close();
    expect((await refusal(() => predictor.predictOne({ a: 1, b: 2, c: 3 }))).code).toBe("session-closed");
  });
});

describe("a model that cannot be opened", () => {
  const at = expect.stringMatching(/model\.yaml:\d+:\d+ /);
  it.each<[string, ManifestInput, object]>([
    [
      "a wrong digest",
      linearManifest({ artifact: { path: "linear.onnx", sha256: "0".repeat(64) } }),
      { code: "artifact-digest" },
    ],
    [
      "another input name",
      linearManifest({ inputs: [{ name: "x", dtype: "float32", shape: ["batch", 3], from: "row.features" }] }),
      { code: "contract-input-name", place: at },
    ],
    [
      "preprocessing with another width",
      linearManifest({ inputs: [{ name: "features", dtype: "float32", shape: ["batch", 4], from: "row.features" }] }),
      { code: "input-shape", place: at },
    ],
    [
      "a head with another width",
      linearManifest({
        task: "binary-classification",
        postprocess: [
          { name: "h", from: "prediction", kind: "classification", activation: "softmax", labels: ["a", "b"] },
        ],
      }),
      { code: "head-width", place: at },
    ],
    [
      "a missing tokenizer",
      sequenceManifest("sequence.onnx", { preprocess: { tokens: { kind: "text", tokenizer: "none.json" } } }),
      { code: "artifact-missing", place: at },
    ],
    [
      "a fixed batch of many rows",
      linearManifest({ inputs: [{ name: "features", dtype: "float32", shape: [8, 3], from: "row.features" }] }),
      { code: "input-batch", place: at },
    ],
    [
      "texts for a graph of numbers",
      linearManifest({ inputs: [{ name: "features", dtype: "string", shape: ["batch", 3], from: "row.features" }] }),
      { code: "input-dtype", place: at },
    ],
  ])("%s", async (_, manifest, diagnostic) => {
    const error = await refusal(() => openPredictor(modelFolder(manifest), {}, offline));
    expect(error.diagnostic).toMatchObject(diagnostic);
    expect(error).toBeInstanceOf("place" in diagnostic ? ConfigurationError : EvaluationError);
  });
});
