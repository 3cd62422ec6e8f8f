import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "csv-parse/sync";
import { stringify } from "yaml";
import { WebSocket } from "ws";
import type { ManifestInput } from "../../../models/core/manifest/manifest.ts";
import { fixture, sha256 } from "../../models/core/build.ts";
import { sharedData, where } from "../../models/core/audio/shared-speech.ts";
import { llamaTokenizer } from "../../models/core/generate/llama-tokenizer.ts";
import { samplesOf } from "../../models/core/speech-model.ts";
import { sluice } from "../../cli/sluice.ts";
import { json, serve, temporaryFolder, until, type ServerProcess } from "./harness.ts";
import { jobsClient } from "./jobs-client.ts";

// Moonshine (MIT) as people would use it: cut by the voice-activity graph, decoded token by token. What the gate measures,
// a request, a stream and a job answer are the same texts.

const speech = join(sharedData ?? "", "speech");
const files =
  sharedData === null
    ? []
    : readFileSync(join(speech, "transcripts.tsv"), "utf8")
        .trim()
        .split("\n")
        .slice(1)
        .map((line) => line.split("\t")[0]!);

/** A repository with the model, its recordings and their transcripts. @returns the model's folder */
function repository(): string {
  const folder = join(temporaryFolder(), "moonshine");
  mkdirSync(folder);
  for (const path of ["encoder_model.onnx", "decoder_model_merged.onnx", "transcripts.tsv", "wav"])
    cpSync(join(speech, path), join(folder, path), { recursive: true });
  const tokenizer = JSON.stringify(llamaTokenizer(32_768));
  writeFileSync(join(folder, "tokenizer.json"), tokenizer);
  writeFileSync(join(folder, "silero_vad.onnx"), fixture("silero_vad.onnx"));
  const named = (path: string) => ({ path, sha256: sha256(new Uint8Array(readFileSync(join(folder, path)))) });
  const manifest: ManifestInput = {
    schemaVersion: 1,
    id: "moonshine",
    version: "1.0.0",
    task: "speech-to-text",
    artifact: { ...named("encoder_model.onnx"), graphs: { decoder: named("decoder_model_merged.onnx") } },
    // The encoder takes 895 samples at least.
    preprocess: { audio: { kind: "audio", rate: 16_000, minSeconds: 0.1 } },
    segment: { graph: named("silero_vad.onnx") },
    inputs: [{ name: "input_values", dtype: "float32", shape: ["batch", "samples"], from: "audio.samples" }],
    generate: {
      start: 1,
      end: 2,
      maxTokens: 194,
      tokensPerSecond: { tokens: 6, input: "input_values", rate: 16_000 },
    },
    outputs: [{ name: "sequences", dtype: "int64", shape: ["batch", "length"] }],
    postprocess: [{ name: "text", from: "sequences", kind: "text", tokenizer: named("tokenizer.json") }],
    runtime: { batch: 1 },
    dataset: {
      id: "recordings",
      idField: "file",
      files: [{ path: "transcripts.tsv", contents: { audio: { column: "file", folder: "." } } }],
      labels: { text: { field: "transcript" } },
    },
    gates: { checks: [{ metric: "wer", kind: "limit", normaliser: "lower-punctuation-space", max: 0.03 }] },
  };
  writeFileSync(join(folder, "model.yaml"), stringify(manifest));
  writeFileSync(join(folder, "..", "sluice.yaml"), stringify({ schemaVersion: 1, models: ["moonshine"] }));
  return folder;
}

describe.skipIf(sharedData === null)(`Moonshine through gate, request, stream and job ${where}`, () => {
  let folder: string;
  let server: ServerProcess;
  const wav = (file: string) => new Uint8Array(readFileSync(join(speech, file)));
  const texts: Record<string, string[]> = {};

  beforeAll(async () => {
    folder = repository();
    server = await serve([folder]);
  });

  it("a request answers each recording, with the places of what was said", async () => {
    texts["request"] = [];
    for (const file of files) {
      const response = await server.post("/models/moonshine/predict", wav(file), { "content-type": "audio/wav" });
      const { heads } = (await json(response)) as unknown as { heads: { text: { text: string; segments: object[] } } };
      expect(heads.text.segments.length, file).toBeGreaterThan(0);
      texts["request"].push(heads.text.text);
    }
  }, 120_000);

  it("a stream has the same texts at its end", async () => {
    texts["stream"] = [];
    for (const file of files) {
      const socket = new WebSocket(
        `${server.url.replace("http", "ws")}/models/moonshine/stream?rate=16000&format=f32le`,
      );
      const events: { type: string; heads?: { text: { text: string } } }[] = [];
      socket.on("message", (data: Buffer) => events.push(JSON.parse(data.toString("utf8")) as (typeof events)[0]));
      await until(() => events.find(({ type }) => type === "ready"));
      const samples = samplesOf(join(speech, file));
      for (let at = 0; at < samples.length; at += 8000) socket.send(Buffer.from(samples.slice(at, at + 8000).buffer));
      socket.send('{"type":"end"}');
      const result = await until(() => events.find(({ type }) => type === "result"));
      texts["stream"].push(result.heads!.text.text);
      socket.close();
    }
    expect(texts["stream"]).toEqual(texts["request"]);
  }, 240_000);

  it("so does a job of each recording", async () => {
    const client = jobsClient(server);
    texts["job"] = [];
    for (const file of files) {
      const { id } = await client.submit("moonshine", wav(file), "audio/wav");
      expect((await client.ended(id)).state).toBe("succeeded");
      texts["job"].push(String((await client.lines(id))[0]?.heads?.["text"]?.["text"]));
    }
    expect(texts["job"]).toEqual(texts["request"]);
  }, 240_000);

  it("and the gate, which measures a word error rate of at most .03", async () => {
    const run = await sluice(join(folder, ".."), ["gate", "moonshine", "--baseline", "none", "--out", "out"]);
    expect(run.stderr).not.toContain("ERROR");
    const rows = parse(readFileSync(join(folder, "../out/predictions/moonshine/text.candidate.csv")), {
      columns: true,
    }) as unknown as { id: string; hypothesis: string }[];
    texts["gate"] = files.map((file) => rows.find(({ id }) => id === file)!.hypothesis);
    expect(texts["gate"]).toEqual(texts["request"]);
    const { checks } = JSON.parse(readFileSync(join(folder, "../out/verdict.json"), "utf8")).models[0] as {
      checks: { metric: string; observed: number; n: number }[];
    };
    expect(checks).toMatchObject([{ metric: "wer", n: 13 }]);
    expect(checks[0]!.observed).toBeLessThanOrEqual(0.03);
  }, 240_000);
});
