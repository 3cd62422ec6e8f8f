import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { artifactDigest } from "../../../../models/core/manifest/artifact-files.ts";
import { openPredictor } from "../../../../models/core/predictor/predictor.ts";
import { modelFolder, offline, predictorOf, refusal, sha256 } from "../build.ts";
import { folder } from "./families.ts";
import { expectedOf, familyModel, rowsOf } from "./family-model.ts";

const open = (family: Parameters<typeof familyModel>[0], changes = {}, generate = {}) => {
  const { manifest, files } = familyModel(family, changes, generate);
  return predictorOf(manifest, {}, files);
};
const headsOf = (results: Awaited<ReturnType<Awaited<ReturnType<typeof open>>["predict"]>>) =>
  results.map((one) => (one.ok ? one.heads["text"] : one.error.diagnostic));

describe("a model that generates", () => {
  it.each(["marian", "t5", "step", "gpt", "llama"] as const)(
    "%s answers as torch, in batches and alone",
    async (family) => {
      const predictor = await open(family);
      const rows = rowsOf(family);
      expect(headsOf(await predictor.predict(rows))).toEqual(expectedOf(family));
      expect(headsOf(await predictor.predict(rows, { batch: 1 }))).toEqual(expectedOf(family));
      expect((await predictor.predictOne(rows[1]!))["text"]).toEqual(expectedOf(family)[1]);
      expect(await predictor.batchParity(rows)).toMatchObject({ ok: true, maxDifference: 0, repeatable: true });
    },
  );

  it("answers as torch with beams", async () => {
    const predictor = await open("t5", {}, { beams: 3 });
    expect(headsOf(await predictor.predict(rowsOf("t5")))).toEqual(expectedOf("t5", 5));
  });

  it("describes all graphs as one: digest, bytes, and what goes in and comes out", async () => {
    const { manifest, files } = familyModel("marian");
    const described = (await predictorOf(manifest, {}, files)).describe();
    const named = ["marian-encoder.onnx", "marian-decoder.onnx", "marian-with-past.onnx"];
    expect(described.modelBytes).toBe(named.reduce((sum, name) => sum + files[name]!.length, 0));
    expect(described.sha256).toBe(artifactDigest(manifest.artifact));
    expect(described.sha256).not.toBe(manifest.artifact.sha256);
    expect(described.inputs.map(({ name }) => name)).toEqual(["input_ids", "attention_mask"]);
    expect(described.outputs).toEqual([{ name: "sequences", dtype: "int64", shape: ["batch", "length"] }]);
  });

  it("hands out tokens for tensors, filled with the padding id", async () => {
    const predictor = await open("marian", {}, { pad: 0 });
    const { sequences } = await predictor.runTensors({
      input_ids: { dtype: "int64", data: BigInt64Array.from([4n, 5n, 6n, 0n]), dims: [2, 2] },
      attention_mask: { dtype: "int64", data: BigInt64Array.from([1n, 1n, 1n, 0n]), dims: [2, 2] },
    });
    expect(sequences!.dims[0]).toBe(2);
    expect([...(sequences!.data as BigInt64Array)].every((id) => id >= 0n)).toBe(true);
  });

  it("sends pieces that together are the answer", async () => {
    const predictor = await open("t5");
    const rows = rowsOf("t5");
    const pieces: string[][] = rows.map(() => []);
    const results = await predictor.predict(rows, { onPiece: (index, piece) => pieces[index]!.push(piece) });
    expect(pieces.map((one) => one.join(""))).toEqual(expectedOf("t5").map(({ text }) => text));
    expect(pieces[0]!.length).toBe(14);
    expect(headsOf(results)).toEqual(expectedOf("t5"));
  });

  it("counts tokens and the time to the first", async () => {
    const predictor = await open("t5");
    const runs: unknown[] = [];
    await predictor.predict(rowsOf("t5"), { onRun: (run) => runs.push(run.generated) });
    expect(runs).toEqual([{ tokens: 14 + 12 + 13 + 12 + 13 + 7, firstTokenMs: expect.any(Number) }]);
  });

  it("stops between two steps when it is cancelled", async () => {
    const predictor = await open("gpt", {}, { maxTokens: 40 });
    const cancel = new AbortController();
    let pieces = 0;
    const answer = predictor.predict(rowsOf("gpt").slice(0, 1), {
      signal: cancel.signal,
      onPiece() {
        if (++pieces === 3) cancel.abort(new Error("the client went away"));
      },
    });
    await expect(answer).rejects.toThrow("the client went away");
    expect(pieces).toBe(3);
  });

  it("refuses a graph that is not the one that the manifest names", async () => {
    const { manifest, files } = familyModel("t5");
    const loaded = modelFolder(manifest, files);
    writeFileSync(join(loaded.dir, "t5-merged.onnx"), files["t5-encoder.onnx"]!);
    expect((await refusal(() => openPredictor(loaded, {}, offline))).diagnostic).toMatchObject({
      code: "artifact-digest",
      expected: `sha256 ${sha256(files["t5-merged.onnx"]!)}`,
    });
    rmSync(join(loaded.dir, "t5-merged.onnx"));
    expect((await refusal(() => openPredictor(loaded, {}, offline))).code).toBe("artifact-missing");
  });

  it("runs singly without a mask, and has the manifest say so", async () => {
    // A decoder that is not told which places of the encoder's are padding.
    const decoder = new Uint8Array(readFileSync(join(folder, "whisper-merged.onnx")));
    const { manifest, files } = familyModel("t5");
    const graphs = { decoder: { path: "whisper-merged.onnx", sha256: sha256(decoder) } };
    const unmasked = { ...manifest, artifact: { ...manifest.artifact, graphs } };
    const all = { ...files, "whisper-merged.onnx": decoder };
    const refused = await refusal(() => predictorOf(unmasked, {}, all));
    expect(refused.code).toBe("generate-batch");
    expect(refused.diagnostic.example).toBe("runtime: {batch: 1}");
    const predictor = await predictorOf({ ...unmasked, runtime: { batch: 1 } }, {}, all);
    const runs: number[] = [];
    const rows = rowsOf("t5");
    const results = await predictor.predict(rows, { batch: 8, onRun: (run) => runs.push(run.rows) });
    expect(runs).toEqual(rows.map(() => 1));
    const alone = [];
    for (const row of rows) alone.push((await predictor.predictOne(row))["text"]);
    expect(headsOf(results)).toEqual(alone);
    expect(await predictor.batchParity(rows)).toMatchObject({ ok: true, rows: rows.length });
  });
});
