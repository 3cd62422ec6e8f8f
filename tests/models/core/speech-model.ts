import type { ManifestInput } from "../../../models/core/manifest/manifest.ts";
import { fixture, sha256 } from "./build.ts";

const digits = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const vocabulary = [...digits, "-"].join("\n");

/** Files beside the model's manifest. */
export const speechFiles: Readonly<Record<string, string | Uint8Array>> = {
  "vocabulary.txt": vocabulary,
  "silero_vad.onnx": fixture("silero_vad.onnx"),
};

/** English digits, one after the other → words, by CTC; 8 kHz. `train_digits.py` beside the fixture trained it. */
export function digitsManifest(changes: Partial<ManifestInput> = {}): ManifestInput {
  return {
    schemaVersion: 1,
    id: "digits",
    version: "1.0.0",
    task: "speech-to-text",
    artifact: { path: "digits.onnx", sha256: sha256(fixture("digits.onnx")) },
    preprocess: {
      audio: { kind: "audio", rate: 8000, minSeconds: 0.2, logMel: { fft: 256, hop: 80, mels: 40, scale: "ln" } },
    },
    segment: { graph: { path: "silero_vad.onnx", sha256: sha256(fixture("silero_vad.onnx")) } },
    inputs: [{ name: "features", dtype: "float32", shape: ["batch", 40, "frames"], from: "audio.features" }],
    outputs: [{ name: "logits", dtype: "float32", shape: ["batch", "tokens", 11] }],
    postprocess: [
      {
        name: "words",
        from: "logits",
        kind: "text",
        ctc: { blank: 10 },
        vocabulary: { path: "vocabulary.txt", sha256: sha256(vocabulary), separator: " " },
      },
    ],
    // Without a mask, what pads a row would be heard.
    runtime: { batch: 1 },
    ...changes,
  };
}
