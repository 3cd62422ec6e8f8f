import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { parseYaml } from "../../../models/core/manifest/config-file.ts";
import { isRemote, loadManifest, loadModelFile, modelFile } from "../../../models/core/predictor/load.ts";
import { manifestExamples } from "../../../models/core/manifest/manifest-examples.ts";
import { remoteManifest, type RemoteManifestInput } from "../../../models/remote/manifest.ts";
import { promptOf, remoteRowSchema } from "../../../models/remote/prompt.ts";
import { linearManifest, refusal, temporaryFolder } from "../core/build.ts";

const remote = (changes: Partial<RemoteManifestInput> = {}): RemoteManifestInput => ({
  schemaVersion: 1,
  id: "reply",
  version: "1.0.0",
  task: "text-generation",
  backend: "hf-inference",
  model: "some-org/some-model",
  inputs: {
    text: { type: "text", maxCharacters: 40 },
    mood: { type: "text", fill: "unknown" },
    stars: { type: "number", min: 0, max: 5, fill: 3 },
  },
  prompt: { system: "Be kind.", template: "{{text}} ({{ mood }}, {{stars}})" },
  ...changes,
});
const parsed = (changes: Partial<RemoteManifestInput> = {}) => remoteManifest.parse(remote(changes));
const diagnostics = async (value: object) => {
  const { diagnostic } = await refusal(() => parseYaml(stringify(value), "model.yaml", modelFile, manifestExamples));
  return [diagnostic, ...(diagnostic.others ?? [])];
};

function folder(manifest: object): string {
  const dir = join(temporaryFolder(), "model");
  mkdirSync(dir);
  writeFileSync(join(dir, "model.yaml"), stringify(manifest));
  return dir;
}

describe("a manifest with a remote backend", () => {
  it("is recognised by `backend`, and gets its defaults", async () => {
    const loaded = await loadModelFile(folder(remote()));
    expect(isRemote(loaded)).toBe(true);
    expect(loaded.manifest).toMatchObject({
      head: "text",
      parameters: { maxTokens: 256 },
      limits: { timeoutMs: 20_000 },
      retry: { attempts: 3 },
      breaker: { failures: 5 },
    });
    expect(isRemote(await loadModelFile(folder(linearManifest())))).toBe(false);
    expect(isRemote(await loadModelFile(folder(linearManifest({ backend: "onnx" }))))).toBe(false);
  });

  it("is refused with an explanation where an artifact is needed", async () => {
    const error = await refusal(() => loadManifest(folder(remote({ pair: { model: "mood" } }))));
    expect(error.message).toMatch(
      /model\.yaml:5:1 backend: the model reply has no artifact: a remote provider answers for it[\s\S]*only that can be measured[\s\S]*deploying mood takes it along/,
    );
  });

  it.each([
    [
      "a placeholder without an input",
      remote({ prompt: { template: "{{txt}}" } }),
      { code: "config-inconsistent", problem: expect.stringContaining('no input "txt"; there are: text, mood, stars') },
    ],
    [
      "a template without a placeholder",
      remote({ prompt: { template: "Say hello" } }),
      { problem: expect.stringContaining("names no input") },
    ],
    [
      "an artifact",
      { ...remote(), artifact: { path: "model.onnx" } },
      { code: "config-unknown-key", received: "artifact" },
    ],
    ["an unknown key", { ...remote(), prompts: "x" }, { code: "config-unknown-key", hint: "did you mean `prompt`?" }],
    [
      "another backend",
      { ...remote(), backend: "openai" },
      {
        code: "config-value",
        problem: "`backend` has an unknown value",
        expected: "one of onnx, hf-inference, fallback, graph",
      },
    ],
    ["another task", { ...remote(), task: "regression" }, { code: "config-value", expected: '"text-generation"' }],
    [
      "a pair's answer for an unknown input",
      remote({ pair: { model: "mood", answers: { feeling: "mood.label" } } }),
      { code: "config-inconsistent" },
    ],
  ])("tells %s", async (_, value, expected) => {
    expect((await diagnostics(value))[0]).toMatchObject(expected);
  });
});

describe("a row's prompt", () => {
  it("has the system message, and the template with cleaned values; a value is not read as a template", () => {
    expect(promptOf(parsed(), { text: "  cafe\u0301\u202E {{mood}}\u0000\r\nnext ", stars: 4 })).toEqual([
      { role: "system", content: "Be kind." },
      { role: "user", content: "café {{mood}}\nnext (unknown, 4)" },
    ]);
    expect(promptOf(parsed({ prompt: { template: "{{text}}" } }), { text: "x" })).toEqual([
      { role: "user", content: "x" },
    ]);
  });

  it.each([
    ["nothing", {}, "text", "missing"],
    ["only what cannot be seen", { text: " \u200B\n" }, "text", "empty"],
    ["too much", { text: "x".repeat(41) }, "text", "too long"],
    ["another type", { text: "x", stars: "4" }, "stars", "not a finite number"],
    ["a number out of range", { text: "x", stars: 9 }, "stars", "out of range"],
  ])("refuses %s", async (_, row, field, words) => {
    const error = await refusal(() => promptOf(parsed(), row));
    expect(error).toMatchObject({ field });
    expect(error.message).toContain(words);
    if (field === "stars" && words === "out of range")
      expect(remoteRowSchema(parsed()).safeParse(row).success).toBe(false);
  });
});
