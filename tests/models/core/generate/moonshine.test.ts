import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchArtifact } from "../../../../models/core/artifact/artifact.ts";
import { generateSequences } from "../../../../models/core/generate/generator.ts";
import { planDecoder, type DecoderPlan } from "../../../../models/core/generate/plan.ts";
import { generate } from "../../../../models/core/generate/schema.ts";
import type { ManifestInput } from "../../../../models/core/manifest/manifest.ts";
import { openSession, type Session } from "../../../../models/core/session/session.ts";
import { answerSample, texts } from "../../../eval/metrics/answer-samples.ts";
import { value } from "../../../eval/metrics/samples.ts";
import { offline, predictorOf, sha256 } from "../build.ts";
import { llamaTokenizer } from "./llama-tokenizer.ts";
import { sharedData } from "../audio/shared-speech.ts";
import { samplesOf } from "../wave-samples.ts";

const speech = join(sharedData ?? "", "speech");
const read = (path: string) => new Uint8Array(readFileSync(join(speech, path)));

type Reference = { asr: { rows: { file: string; ids: number[]; hyp: string; ref: string }[] } };
const settings = {
  start: 1,
  end: 2,
  maxTokens: 194,
  tokensPerSecond: { tokens: 6, input: "input_values", rate: 16_000 },
};
/** The model's 32,768 logits: Llama's tokens, and some that stand for nothing. */
const tokenizer = JSON.stringify(llamaTokenizer(32_768));

describe.skipIf(sharedData === null)("Moonshine tiny, int8 (skipped where ../shared/data is not there)", () => {
  const rows =
    sharedData === null
      ? []
      : (JSON.parse(readFileSync(join(sharedData, "reference/sequence.json"), "utf8")) as Reference).asr.rows;
  const sessions: Session[] = [];
  let plan: DecoderPlan;
  const open = async (path: string) => {
    const file = { path, sha256: sha256(read(path)), externalData: [] };
    const session = await openSession(await fetchArtifact(file, speech, offline), { provider: "cpu", threads: 1 });
    sessions.push(session);
    return session;
  };
  beforeAll(async () => {
    const graphs = { main: await open("encoder_model.onnx"), decoder: await open("decoder_model_merged.onnx") };
    plan = planDecoder(graphs, generate.parse(settings), (path) => path.join("."));
  });
  afterAll(async () => {
    for (const session of sessions) await session.close();
  });
  const transcribe = async (samples: Float32Array) => {
    const feeds = { input_values: { dtype: "float32" as const, data: samples, dims: [1, samples.length] } };
    return (await generateSequences(plan, generate.parse(settings), feeds)).sequences[0]!;
  };

  it("takes no mask, so its rows run singly; one graph runs with a cache and without", () => {
    expect(plan.masked).toBe(false);
    expect(plan.next).toBe(plan.first);
  });

  it("transcribes 13 recordings at a word error rate of at most .03: lower case, punctuation a space", async () => {
    const head = await textModel(speech, samplesOf(join(speech, rows[0]!.file)));
    const answers: string[] = [];
    const differing: string[] = [];
    for (const { file, ids } of rows) {
      const made = await transcribe(samplesOf(join(speech, file)));
      expect(made.ended, file).toBe(true);
      if (made.ids.join() !== ids.join()) differing.push(file);
      answers.push(head.decode(made.ids));
    }
    // Kernels of int8 differ between processors, so that ids may.
    expect(differing.length).toBeLessThan(4);
    if (differing.length === 0) expect(answers).toEqual(rows.map(({ hyp }) => hyp));
    const plain = (text: string) =>
      text
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}']+/gu, " ")
        .trim();
    const sample = answerSample(
      texts(
        rows.map(({ ref }) => plain(ref)),
        answers.map(plain),
      ),
    );
    expect(value("wer", sample, { normaliser: "none" })).toBeLessThanOrEqual(0.03);
  }, 60_000);

  it("answers through a manifest as the loop does, and hears nothing in silence", async () => {
    const { file, hyp } = rows.find((one) => one.file.includes("cards_001"))!;
    const samples = samplesOf(join(speech, file));
    const { predictor } = await textModel(speech, samples);
    const heads = await predictor.predictOne({ sound: samples });
    expect(heads["text"]).toMatchObject({ text: hyp, finishReason: "stop" });
    const silent = await predictor.predictOne({ sound: new Float32Array(samples.length) });
    expect(silent["text"]).toMatchObject({ text: "" });
    expect(predictor.describe().modelBytes).toBe(
      read("encoder_model.onnx").length + read("decoder_model_merged.onnx").length,
    );
  }, 60_000);
});

/** The model by its manifest, for sounds of this length. */
async function textModel(folder: string, samples: Float32Array) {
  const graph = (path: string) => ({ path, sha256: sha256(new Uint8Array(readFileSync(join(folder, path)))) });
  const manifest: ManifestInput = {
    schemaVersion: 1,
    id: "moonshine",
    version: "1.0.0",
    task: "speech-to-text",
    artifact: { ...graph("encoder_model.onnx"), graphs: { decoder: graph("decoder_model_merged.onnx") } },
    preprocess: { sound: { kind: "tensor", field: "sound", shape: [samples.length] } },
    inputs: [{ name: "input_values", dtype: "float32", shape: ["batch", "samples"], from: "sound.values" }],
    generate: settings,
    outputs: [{ name: "sequences", dtype: "int64", shape: ["batch", "length"] }],
    postprocess: [
      {
        name: "text",
        from: "sequences",
        kind: "text",
        tokenizer: { path: "tokenizer.json", sha256: sha256(tokenizer) },
      },
    ],
    runtime: { batch: 1 },
  };
  const predictor = await predictorOf(
    manifest,
    {},
    {
      "encoder_model.onnx": new Uint8Array(readFileSync(join(folder, "encoder_model.onnx"))),
      "decoder_model_merged.onnx": new Uint8Array(readFileSync(join(folder, "decoder_model_merged.onnx"))),
      "tokenizer.json": tokenizer,
    },
  );
  const { Tokenizer } = await import("@huggingface/tokenizers");
  const made = new Tokenizer(JSON.parse(tokenizer) as object, {});
  return { predictor, decode: (ids: number[]) => made.decode(ids, { skip_special_tokens: true }) };
}
