import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openSession } from "../../../models/core/session/session.ts";
import { lookAtGraph } from "../../../models/inspect/graph.ts";
import { withoutZipMap } from "../../../models/inspect/without-zipmap.ts";

const file = (name: string) => new Uint8Array(readFileSync(join(import.meta.dirname, "../../fixtures/init", name)));
const opened = (bytes: Uint8Array) =>
  openSession(
    { bytes, sha256: "", source: "a model", externalData: [], totalBytes: bytes.length },
    { provider: "cpu", threads: 1 },
  );

describe("what a graph says of itself", () => {
  it("scikit-learn's exporter: classes, the ZipMap, and who wrote it", () => {
    expect(lookAtGraph(file("tumour_zipmap_named.onnx"))).toMatchObject({
      producer: "skl2onnx",
      inputs: [{ name: "X", dtype: "float32", shape: ["", 6] }],
      outputs: [{ name: "label", dtype: "string" }],
      notTensors: ["output_probability"],
      classes: ["malignant", "benign"],
      zipMap: { from: "probabilities", to: "output_probability", width: 2 },
    });
  });

  it("a column per input, integer classes", () => {
    const look = lookAtGraph(file("survival.onnx"));
    expect(look.inputs.map(({ name, dtype }) => [name, dtype])).toEqual([
      ["age", "float32"],
      ["fare", "float32"],
      ["sex", "string"],
      ["port", "string"],
    ]);
    expect(look.classes).toEqual(["0", "1"]);
    expect(look.operators).toMatchObject({ OneHotEncoder: 2, ZipMap: 1 });
  });

  it("torch: weights are no inputs, and the operator that makes the output", () => {
    const look = lookAtGraph(file("houses.onnx"));
    expect(look).toMatchObject({ producer: "pytorch", zipMap: null, classes: null, madeBy: { output: "Gemm" } });
    expect(look.inputs).toHaveLength(1);
  });

  it.each(["a text", "\u0000\u0001\u0002"])("throws for %j", (text) => {
    expect(() => lookAtGraph(Buffer.from(text))).toThrow(/no such|breaks off|announces/);
  });
});

describe("a graph without its ZipMap", () => {
  it("answers with the probabilities that the maps held, and opens", async () => {
    const bytes = file("tumour_zipmap.onnx");
    const look = lookAtGraph(bytes);
    const session = await opened(withoutZipMap(bytes, look.zipMap!));
    try {
      expect(session.outputs.map(({ name, dtype }) => [name, dtype])).toEqual([
        ["label", "int64"],
        ["probabilities", "float32"],
      ]);
      const row = Float32Array.from([20.57, 17.77, 132.9, 1326, 0.08474, 0.07864]);
      const { probabilities, label } = await session.run({ X: { dtype: "float32", data: row, dims: [1, 6] } });
      const [zero, one] = probabilities!.data as Float32Array;
      expect(zero! + one!).toBeCloseTo(1, 6);
      expect(Number(label!.data[0])).toBe(one! > zero! ? 1 : 0);
    } finally {
      await session.close();
    }
  });

  it("keeps every other byte of the graph", () => {
    const bytes = file("tumour_zipmap.onnx");
    const {
      zipMap: _,
      notTensors: _none,
      madeBy: _made,
      ...kept
    } = lookAtGraph(withoutZipMap(bytes, lookAtGraph(bytes).zipMap!));
    expect(kept.operators).toEqual({ Scaler: 1, LinearClassifier: 1, Normalizer: 1 });
    expect(kept.opsets).toEqual(lookAtGraph(bytes).opsets);
  });
});
