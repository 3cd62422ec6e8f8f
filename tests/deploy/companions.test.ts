import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { stringify } from "yaml";
import { companionFiles } from "../../deploy/bundle/companions.ts";
import { loadManifest } from "../../models/core/predictor/load.ts";
import { fixture, linearManifest, refusal } from "../models/core/build.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sluice-companions-"));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const remote = (changes: object = {}) => ({
  schemaVersion: 1,
  id: "reply",
  version: "1.0.0",
  task: "text-generation",
  backend: "hf-inference",
  model: "some-org/some-model",
  inputs: { text: { type: "text" } },
  prompt: { template: "{{text}}" },
  pair: { model: "linear" },
  ...changes,
});
function write(folder: string, manifest: object | string, readme?: string): string {
  const dir = join(root, folder);
  mkdirSync(dir);
  writeFileSync(join(dir, "model.yaml"), typeof manifest === "string" ? manifest : stringify(manifest));
  writeFileSync(join(dir, "notes.txt"), "not for publication");
  if (readme !== undefined) writeFileSync(join(dir, "README.md"), readme);
  return dir;
}

it("takes along the remote models that name this one as their pair, and nothing else of the neighbours", async () => {
  const dir = write("linear", linearManifest());
  write("reply", remote(), "# Reply");
  write("lonely", remote({ id: "lonely", pair: undefined }));
  write("elsewhere", remote({ id: "elsewhere", pair: { model: "births" } }));
  write("local", linearManifest({ id: "local" }));
  write("broken", "id: [");
  const files = await companionFiles(await loadManifest(dir));
  expect(files.map(({ path }) => path)).toEqual(["models/reply/model.yaml", "models/reply/README.md"]);
  expect(Buffer.from(files[1]!.bytes).toString()).toBe("# Reply");
});

it("takes along a fallback, with the local models among its backends", async () => {
  const dir = write("linear", linearManifest());
  write("words", linearManifest({ id: "words" }));
  writeFileSync(join(root, "words/linear.onnx"), fixture("linear.onnx"));
  const { model: _model, ...shared } = remote();
  const fallback = [
    { backend: "ollama", url: "http://127.0.0.1:11434", model: "m" },
    { backend: "onnx", model: "words" },
    { backend: "onnx", name: "gone", model: "gone" },
  ];
  write("reply", { ...shared, backend: "fallback", fallback });
  const files = await companionFiles(await loadManifest(dir));
  expect(files.map(({ path }) => path)).toEqual([
    "models/reply/model.yaml",
    "models/reply/steps/words/model.yaml",
    "models/reply/steps/words/linear.onnx",
  ]);
});

it("publishes no secret, and no id twice", async () => {
  const dir = write("linear", linearManifest());
  write("reply", remote({ description: `hf_${"a".repeat(34)}` }));
  const secret = await refusal(async () => companionFiles(await loadManifest(dir)));
  expect(secret.message).toMatch(/a Hugging Face token on line[\s\S]*HF_TOKEN/);
  write("twin", remote({ id: "linear" }));
  rmSync(join(root, "reply"), { recursive: true });
  expect((await refusal(async () => companionFiles(await loadManifest(dir)))).message).toContain(
    "two models of one Space have the id linear",
  );
});
