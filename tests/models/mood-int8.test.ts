import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadManifest, type LoadedManifest } from "../../models/core/predictor/load.ts";
import type { ClassificationResult } from "../../models/core/postprocess/result.ts";
import { openPredictor, type Predictor } from "../../models/core/predictor/predictor.ts";
import { offline } from "./core/build.ts";

const mood = join(import.meta.dirname, "../../models/mood");
const reference = (
  JSON.parse(readFileSync(join(mood, "train/reference.json"), "utf8")) as { rows: { text: string }[] }
).rows.map(({ text }) => ({ text }));

describe("the int8 variant of mood", () => {
  let whole: LoadedManifest;
  let variant: LoadedManifest;
  let small: Predictor;
  beforeAll(async () => {
    [whole, variant] = await Promise.all([loadManifest(mood), loadManifest(join(mood, "int8"))]);
    small = await openPredictor(variant, {}, offline);
  });
  afterAll(async () => {
    await small.close();
  });
  const positives = async (predictor: Predictor) =>
    (await predictor.predict(reference)).map((one) => {
      if (!one.ok) throw one.error;
      return (one.heads["mood"] as ClassificationResult).probabilities["positive"]!;
    });

  it("has the same rows and preprocessing as mood, so that the two can be compared", () => {
    for (const part of ["task", "preprocess", "inputs", "outputs", "postprocess", "dataset", "runtime"] as const)
      expect(variant.manifest[part], part).toEqual(whole.manifest[part]);
    for (const file of ["tokenizer.json", "tokenizer_config.json"])
      expect(readFileSync(join(mood, "int8", file)).equals(readFileSync(join(mood, file))), file).toBe(true);
  });

  it("computes in int8: its LSTM and its dense layer take quantized activations", () => {
    const graph = readFileSync(join(mood, "int8/model.onnx")).toString("latin1");
    for (const operator of ["DynamicQuantizeLSTM", "MatMulIntegerToFloat"]) expect(graph).toContain(operator);
    expect(readFileSync(join(mood, "model.onnx")).toString("latin1")).not.toContain("DynamicQuantize");
  });

  it("gives a row the same answer in every batch, bit for bit: no range depends on the other rows", async () => {
    expect(await small.batchParity(reference)).toMatchObject({ ok: true, maxDifference: 0 });
  });

  it("can be served instead of mood with mood's own manifest", async () => {
    const chosen = {
      ...whole,
      manifest: {
        ...whole.manifest,
        artifact: {
          ...whole.manifest.artifact,
          path: `int8/${variant.manifest.artifact.path}`,
          sha256: variant.manifest.artifact.sha256,
        },
      },
    };
    const [inPlace, floating] = [await openPredictor(chosen, {}, offline), await openPredictor(whole, {}, offline)];
    try {
      const [served, own, exact] = [await positives(inPlace), await positives(small), await positives(floating)];
      expect(served).toEqual(own);
      expect(Math.max(...own.map((p, i) => Math.abs(p - exact[i]!)))).toBeLessThan(0.03);
      // Quantization shows: the numbers are not the same.
      expect(own).not.toEqual(exact);
    } finally {
      await Promise.all([inPlace.close(), floating.close()]);
    }
  });
});
