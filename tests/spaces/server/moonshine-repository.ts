import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { ManifestInput } from "../../../models/core/manifest/manifest.ts";
import { sharedData } from "../../models/core/audio/shared-speech.ts";
import { llamaTokenizer } from "../../models/core/generate/llama-tokenizer.ts";

/** Recordings and weights; an empty path where the data is not there. */
export const speech = join(sharedData ?? "", "speech");
/** The recordings, relative to `speech`. */
export const recordings =
  sharedData === null
    ? []
    : readFileSync(join(speech, "transcripts.tsv"), "utf8")
        .trim()
        .split("\n")
        .slice(1)
        .map((line) => line.split("\t")[0]!);

/**
 * A repository with Moonshine (MIT) cut by the voice-activity graph, its recordings and their transcripts.
 *
 * @returns the model's folder
 */
export function moonshineRepository(parent: string): string {
  const folder = join(parent, "moonshine");
  mkdirSync(folder);
  for (const path of ["encoder_model.onnx", "decoder_model_merged.onnx", "transcripts.tsv", "wav"])
    cpSync(join(speech, path), join(folder, path), { recursive: true });
  const tokenizer = JSON.stringify(llamaTokenizer(32_768));
  writeFileSync(join(folder, "tokenizer.json"), tokenizer);
  cpSync(join(import.meta.dirname, "../../fixtures/silero_vad.onnx"), join(folder, "silero_vad.onnx"));
  const named = (path: string) => ({
    path,
    sha256: createHash("sha256")
      .update(readFileSync(join(folder, path)))
      .digest("hex"),
  });
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
