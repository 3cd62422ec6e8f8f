import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { afterAll } from "vitest";
import { parseManifest, type LoadedManifest } from "../../../models/core/predictor/load.ts";
import type { ManifestInput } from "../../../models/core/manifest/manifest.ts";
import { openPredictor, type OpenOptions, type Predictor } from "../../../models/core/predictor/predictor.ts";
import { SluiceError } from "../../../models/core/errors.ts";

const fixtures = join(import.meta.dirname, "../../fixtures");
export const fixture = (name: string) => new Uint8Array(readFileSync(join(fixtures, name)));
export const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");

/** No test of the core uses the network. */
export const offline = {
  env: {},
  fetch: (() => Promise.reject(new Error("a test reached for the network"))) as typeof fetch,
};

const folders: string[] = [];
const open: Predictor[] = [];
afterAll(async () => {
  for (const predictor of open) await predictor.close();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-core-"));
  folders.push(folder);
  return folder;
}

/** The linear fixture: prediction = a + 10 b + 100 c + 0.5. */
export function linearManifest(changes: Partial<ManifestInput> = {}): ManifestInput {
  return {
    schemaVersion: 1,
    id: "linear",
    version: "1.0.0",
    task: "regression",
    artifact: { path: "linear.onnx", sha256: sha256(fixture("linear.onnx")) },
    preprocess: {
      row: {
        kind: "tabular",
        columns: { a: { type: "number" }, b: { type: "number" }, c: { type: "number" } },
        features: [
          { column: "a", encode: "number" },
          { column: "b", encode: "number" },
          { column: "c", encode: "number" },
        ],
      },
    },
    inputs: [{ name: "features", dtype: "float32", shape: ["batch", 3], from: "row.features" }],
    outputs: [{ name: "prediction", dtype: "float32", shape: ["batch", 1] }],
    postprocess: [{ name: "value", from: "prediction", kind: "regression" }],
    ...changes,
  };
}

/** The sequence fixtures: a text of words "t1" … "t63" → the mean of their embeddings, as two logits. */
export function sequenceManifest(onnx: string, changes: Partial<ManifestInput> = {}): ManifestInput {
  return {
    schemaVersion: 1,
    id: "sequence",
    version: "1.0.0",
    task: "binary-classification",
    artifact: { path: onnx, sha256: sha256(fixture(onnx)) },
    preprocess: { tokens: { kind: "text", tokenizer: "tokenizer.json", maxTokens: 32 } },
    inputs: [
      { name: "input_ids", dtype: "int64", shape: ["batch", "sequence"], from: "tokens.ids" },
      { name: "attention_mask", dtype: "int64", shape: ["batch", "sequence"], from: "tokens.attention_mask" },
    ],
    outputs: [{ name: "logits", dtype: "float32", shape: ["batch", 2] }],
    postprocess: [
      { name: "mood", from: "logits", kind: "classification", activation: "softmax", labels: ["negative", "positive"] },
    ],
    ...changes,
  };
}

const special = (id: number, content: string) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});

/** A word-level tokenizer of "t1" … "t60" between [CLS] (61) and [SEP] (62); [PAD] is 0, [UNK] is 63. */
export function wordTokenizer(specials = true): object {
  const vocab: Record<string, number> = { "[PAD]": 0, "[CLS]": 61, "[SEP]": 62, "[UNK]": 63 };
  for (let i = 1; i <= 60; i++) vocab[`t${i}`] = i;
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [special(0, "[PAD]"), special(61, "[CLS]"), special(62, "[SEP]"), special(63, "[UNK]")],
    normalizer: null,
    pre_tokenizer: { type: "WhitespaceSplit" },
    post_processor: specials ? { type: "BertProcessing", sep: ["[SEP]", 62], cls: ["[CLS]", 61] } : null,
    decoder: null,
    model: { type: "WordLevel", vocab, unk_token: "[UNK]" },
  };
}

/** A model's folder with the manifest as model.yaml, the fixtures it names, a tokenizer and further files. */
export function modelFolder(
  manifest: ManifestInput,
  files: Readonly<Record<string, string | Uint8Array>> = {},
): LoadedManifest {
  const dir = temporaryFolder();
  const names = [manifest.artifact.path, ...(manifest.artifact.externalData ?? []).map((file) => file.path)];
  for (const name of names)
    if (name !== undefined && files[name] === undefined) cpSync(join(fixtures, name), join(dir, name));
  writeFileSync(join(dir, "tokenizer.json"), JSON.stringify(wordTokenizer()));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content);
  const text = stringify(manifest);
  writeFileSync(join(dir, "model.yaml"), text);
  return parseManifest(text, dir, join(dir, "model.yaml"));
}

/** An open predictor over a manifest, closed when the test file ends. */
export async function predictorOf(
  manifest: ManifestInput,
  options: OpenOptions = {},
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<Predictor> {
  const predictor = await openPredictor(modelFolder(manifest, files), options, offline);
  open.push(predictor);
  return predictor;
}

/** The error that a call fails with. */
export async function refusal(call: () => unknown): Promise<SluiceError> {
  try {
    await call();
  } catch (error) {
    if (error instanceof SluiceError) return error;
    throw error;
  }
  throw new Error("expected a refusal, but the call succeeded");
}
