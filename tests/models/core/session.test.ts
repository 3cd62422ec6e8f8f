import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, describe, expect, it } from "vitest";
import type { VerifiedModel } from "../../../models/core/artifact/artifact.ts";
import { ConfigurationError, EvaluationError } from "../../../models/core/errors.ts";
import { fixedReshape, readOnnxHeader } from "../../../models/core/artifact/onnx-file.ts";
import { openSession, runtimeVersion, type Session } from "../../../models/core/session/session.ts";
import { requireProvider } from "../../../models/core/session/failures.ts";
import { checkContract } from "../../../models/core/session/contract.ts";
import { manifest } from "../../../models/core/manifest/manifest.ts";
import { fixture, linearManifest, refusal, sha256 } from "./build.ts";

const open: Session[] = [];
afterAll(async () => {
  for (const session of open) await session.close();
});

function model(bytes: Uint8Array, externalData: VerifiedModel["externalData"] = []): VerifiedModel {
  return { bytes, sha256: sha256(bytes), source: "model.onnx", externalData, totalBytes: bytes.length };
}
async function session(bytes: Uint8Array, externalData: VerifiedModel["externalData"] = []): Promise<Session> {
  const opened = await openSession(model(bytes, externalData), { provider: "cpu", threads: 1 });
  open.push(opened);
  return opened;
}
const features = (...values: number[]) => ({
  features: { dtype: "float32" as const, data: Float32Array.from(values), dims: [values.length / 3, 3] },
});
const linear = fixture("linear.onnx");

describe("a session", () => {
  it("runs, and says what it runs on", async () => {
    const opened = await session(linear);
    const { prediction } = await opened.run(features(1, 2, 3, 0, 0, 0));
    expect([...(prediction!.data as Float32Array)]).toEqual([321.5, 0.5]);
    expect(opened).toMatchObject({ provider: "cpu", threads: 1, onnxruntime: await runtimeVersion() });
    expect(opened.inputs).toEqual([{ name: "features", dtype: "float32", shape: ["batch", 3] }]);
  });

  it("proves its provider from a profiled run, and leaves no profile behind", async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith("sluice-profile-"));
    const opened = await openSession(model(linear), { provider: "cpu", threads: 1, prove: true });
    open.push(opened);
    expect(opened.providerNodes).toEqual({ CPUExecutionProvider: 1 });
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith("sluice-profile-"))).toEqual(before);
  });

  it("warms up on every type a graph may take", async () => {
    const opened = await session(fixture("every-type.onnx"));
    expect(opened.inputs).toHaveLength(8);
    await expect(opened.warmUp()).resolves.toBeUndefined();
  });

  it("opens a model with external data from memory", async () => {
    const data = fixture("external.onnx.data");
    const { prediction } = await (
      await session(fixture("external.onnx"), [{ path: "external.onnx.data", bytes: data, sha256: sha256(data) }])
    ).run(features(1, 2, 3));
    expect(prediction!.data[0]).toBe(321.5);
  });

  it("refuses feeds that do not fit instead of passing them on", async () => {
    const opened = await session(linear);
    const { features: good } = features(1, 2, 3);
    expect((await refusal(() => opened.run({}))).message).toMatch(/nothing feeds the input features/);
    expect((await refusal(() => opened.run({ features: good, extra: good }))).message).toMatch(/no input extra/);
    expect((await refusal(() => opened.run({ features: { ...good, dims: [3, 1] } }))).message).toMatch(/another shape/);
    expect((await refusal(() => opened.run({ features: { ...good, dtype: "float64" } }))).message).toMatch(
      /another type/,
    );
    expect((await refusal(() => opened.run({ features: { ...good, data: new Float32Array(2) } }))).message).toMatch(
      /wrong number of values/,
    );
  });

  it("reads the tensors of a graph that has a ZipMap too", async () => {
    const opened = await session(fixture("zip-map.onnx"));
    await expect(opened.warmUp()).resolves.toBeUndefined();
    expect(Object.keys(await opened.run(features(1, 2, 3)))).toEqual(["label", "scores"]);
  });

  it("names the node that was exported for one batch size", async () => {
    const opened = await session(fixture("static-reshape.onnx"));
    expect(Object.keys(await opened.run(features(1, 2, 3)))).toEqual(["prediction"]);
    const error = await refusal(() => opened.run(features(1, 2, 3, 4, 5, 6)));
    expect(error.code).toBe("static-batch");
    expect(error.message).toMatch(/failed on 2 rows: the node \/encoder\/Reshape \(Reshape\)/);
    expect(error.message).toContain("input shape [2, 3], requested shape [1, 3]");
    expect(error.message).toContain('dynamic_axes={"features": {0: "batch"}}');
  });

  it("can be closed twice, and then refuses to run", async () => {
    const opened = await session(linear);
    await opened.close();
    await opened.close();
    expect((await refusal(() => opened.run(features(1, 2, 3)))).code).toBe("session-closed");
  });
});

describe("what cannot be opened", () => {
  const page = new TextEncoder().encode("<!DOCTYPE html><html><body>Not found</body></html>");
  it.each<[string, Uint8Array, string, RegExp]>([
    ["nothing", new Uint8Array(0), "model-empty", /0 bytes/],
    ["an HTML page", page, "model-is-text", /HTML/],
    ["a text", new TextEncoder().encode("hello, this is not a model"), "model-is-text", /text/],
    [
      "a picture",
      Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]),
      "model-not-onnx",
      /89504e47/,
    ],
    ["half a file", linear.subarray(0, linear.length >> 1), "model-truncated", /announces \d+ bytes/],
    ["a file without its last byte", linear.subarray(0, -1), "model-truncated", /ends too early/],
    ["an operator set of the future", fixture("opset-99.onnx"), "model-unknown-opset", /ai\.onnx 99/],
    ["an unknown operator", fixture("unknown-operator.onnx"), "model-unknown-operator", /Frobnicate/],
    [
      "an operator of an unknown domain",
      fixture("unknown-domain.onnx"),
      "model-unknown-operator",
      /com\.example:Frobnicate/,
    ],
    [
      "external data that the manifest does not name",
      fixture("external.onnx"),
      "model-external-data",
      /external\.onnx\.data/,
    ],
  ])("%s", async (_, bytes, code, message) => {
    const error = await refusal(() => session(bytes));
    expect(error).toBeInstanceOf(EvaluationError);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  it("external data of another model", async () => {
    const error = await refusal(() =>
      session(fixture("external.onnx"), [{ path: "external.onnx.data", bytes: new Uint8Array(3), sha256: "" }]),
    );
    expect(error.code).toBe("model-external-data");
  });

  it("a real file cut off anywhere gives an error, never a crash", async () => {
    for (let length = 1; length < linear.length; length += 13) {
      expect((await refusal(() => session(linear.subarray(0, length)))).code).toMatch(/^model-/);
    }
  });

  it("the header of a real file is read", () => {
    const reading = readOnnxHeader(fixture("external.onnx"));
    expect(reading).toEqual({
      ok: true,
      header: { irVersion: 8, opsets: [{ domain: "", version: 16 }], externalLocations: ["external.onnx.data"] },
    });
  });

  it("nodes on another provider than the requested one are no proof", async () => {
    expect(() => requireProvider({ CUDAExecutionProvider: 40, CPUExecutionProvider: 3 }, "cuda", "m")).not.toThrow();
    const error = await refusal(() => requireProvider({ CPUExecutionProvider: 43 }, "cuda", "m"));
    expect(error.diagnostic).toMatchObject({
      code: "provider-unavailable",
      received: "nodes run by CPUExecutionProvider (43)",
    });
    expect((await refusal(() => requireProvider({}, "webgpu", "m"))).message).toContain("no provider at all");
  });

  // The test works with and without a CUDA library or a Vulkan driver. With one, the session must open and prove that
  // it is used.
  it.each(["cuda", "webgpu"] as const)("%s is proven or refused, never silently replaced", async (provider) => {
    const outcome = await openSession(model(linear), { provider, threads: 1 }).then(
      (opened) => {
        open.push(opened);
        return Object.keys(opened.providerNodes ?? {}).join();
      },
      (error: unknown) => (error as EvaluationError).code,
    );
    expect(outcome).toMatch(
      provider === "cuda"
        ? /^provider-unavailable$|CUDAExecutionProvider/
        : /^provider-unavailable$|WebGpuExecutionProvider/,
    );
  });
});

describe("a real graph against its manifest", () => {
  const differences = async (file: string, changes: object) => {
    const opened = await session(fixture(file));
    const declared = manifest.parse({ ...linearManifest(), ...changes });
    return refusal(() =>
      checkContract(
        declared,
        opened.inputs,
        opened.outputs,
        (path) => path.join("."),
        () => fixedReshape(fixture(file)),
      ),
    );
  };
  const read = (from: string) => ({
    task: "binary-classification",
    postprocess: [{ name: "h", from, kind: "classification", activation: "none", labels: ["a", "b"] }],
  });

  it("a ZipMap that a head reads: what to export, and which tensors there are", async () => {
    const error = await differences("zip-map.onnx", {
      ...read("probabilities"),
      outputs: [{ name: "probabilities", dtype: "float32", shape: ["batch", 2] }],
    });
    expect(error.code).toBe("contract-output-no-tensor");
    expect(error.message).toContain('options={"zipmap": False}');
    expect(error.message).toContain("scores: float32 [batch, 2]");
  });

  it("a ZipMap that nobody reads is left alone", async () => {
    const opened = await session(fixture("zip-map.onnx"));
    const declared = manifest.parse({
      ...linearManifest(),
      ...read("scores"),
      outputs: [
        { name: "scores", dtype: "float32", shape: ["batch", 2] },
        { name: "probabilities", dtype: "float32", shape: ["batch", 2] },
      ],
    });
    expect(() => checkContract(declared, opened.inputs, opened.outputs, String)).not.toThrow();
  });

  it("a batch that the graph's input fixes: the dimension, and how to export", async () => {
    const error = await differences("fixed-batch.onnx", {});
    expect(error.message).toContain("dimension 0 of features is fixed at 1 row; export it");
    expect(error.message).toMatch(/dynamic_axes.*dynamic_shapes/);
    expect(error.message).toContain("example:  shape: [batch, 3]");
  });

  it("a batch that a node fixes: that node", async () => {
    const error = await differences("static-reshape.onnx", {});
    expect(error.message).toContain(
      "dimension 0 of prediction is fixed at 1 row by the node /encoder/Reshape (Reshape to [1, 3])",
    );
  });

  it("sizes without a name are shown with one", async () => {
    const error = await differences("unnamed-batch.onnx", {
      inputs: [{ name: "features", dtype: "float32", shape: ["batch", 4], from: "row.features" }],
    });
    expect(error.message).toContain("expected: [batch, 3] (the graph)");
    expect(error.message).toContain("example:  shape: [batch, 3]");
    expect(error.message).not.toContain("[,");
  });

  it("a misspelt output: the one that was meant", async () => {
    const error = await differences("linear.onnx", {
      outputs: [{ name: "predicton", dtype: "float32", shape: ["batch", 1] }],
      postprocess: [{ name: "value", from: "predicton", kind: "regression" }],
    });
    expect(error.message).toContain("example:  name: prediction");
  });
});

describe("the graph against its manifest", () => {
  const base = manifest.parse(linearManifest());
  const facts = {
    inputs: [{ name: "features", dtype: "float32", shape: ["batch", 3] }],
    outputs: [{ name: "prediction", dtype: "float32", shape: ["batch", 1] }],
  };
  const check = (changes: Partial<typeof base>, graph: Partial<typeof facts> = {}) =>
    checkContract({ ...base, ...changes }, graph.inputs ?? facts.inputs, graph.outputs ?? facts.outputs, (path) =>
      path.join("."),
    );
  const [input] = base.inputs;
  const [output] = base.outputs;

  it("agrees", () => {
    expect(() => check({})).not.toThrow();
    expect(() => check({ inputs: [{ ...input!, shape: [1, 3] }] })).not.toThrow();
    expect(() =>
      check({}, { outputs: [...facts.outputs, { name: "unused", dtype: "int64", shape: [] }] }),
    ).not.toThrow();
  });

  it.each<[string, () => void, string, string]>([
    ["another input name", () => check({ inputs: [{ ...input!, name: "x" }] }), "contract-input-name", "inputs.0.name"],
    [
      "another output name",
      () => check({ outputs: [{ ...output!, name: "y" }] }),
      "contract-output-name",
      "outputs.0.name",
    ],
    [
      "another type",
      () => check({ inputs: [{ ...input!, dtype: "int64" }] }),
      "contract-input-dtype",
      "inputs.0.dtype",
    ],
    [
      "another width",
      () => check({ inputs: [{ ...input!, shape: ["batch", 4] }] }),
      "contract-input-shape",
      "inputs.0.shape",
    ],
    [
      "another rank",
      () => check({ outputs: [{ ...output!, shape: ["batch"] }] }),
      "contract-output-shape",
      "outputs.0.shape",
    ],
    [
      "a size that the graph fixes and the manifest does not",
      () => check({}, { inputs: [{ ...facts.inputs[0]!, shape: [1, 3] }] }),
      "contract-input-shape",
      "inputs.0.shape",
    ],
    [
      "an input that nothing feeds",
      () => check({}, { inputs: [...facts.inputs, { name: "mask", dtype: "int64", shape: ["batch"] }] }),
      "contract-input-missing",
      "inputs",
    ],
  ])("%s", async (_, call, code, place) => {
    const error = await refusal(call);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error.diagnostic).toMatchObject({ code, place });
  });
});
