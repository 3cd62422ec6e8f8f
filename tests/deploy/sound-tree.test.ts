import { join } from "node:path";
import { expect, it } from "vitest";
import { makeTree, readSpaceFiles } from "../../deploy/bundle/make.ts";
import type { PassedVerdict } from "../../deploy/bundle/verdict.ts";
import { buildSpace } from "../../scripts/build/space.ts";
import { linearManifest, modelFolder, offline } from "../models/core/build.ts";
import { chirp, wav } from "../models/core/audio/chirp.ts";
import { digitsManifest, speechFiles } from "../models/core/speech-model.ts";
import { root } from "../spaces/server/harness.ts";

const source = { repository: "octo/models", commit: "0".repeat(40) } as never;
const verdict = { sha256: "1".repeat(64), metrics: null, profile: null } as PassedVerdict;
const audio = wav([chirp(8000)], 8000).toString("base64");

it("only the tree of a model that hears has what decodes sound, and its voice-activity graph", async () => {
  const shared = await buildSpace(root);
  const template = (await readSpaceFiles(join(root, "spaces"))).find(({ name }) => name === "README.template.md")!;
  expect(shared.map(({ name }) => name)).toContain(template.name);
  const deps = { ...offline, space: async () => shared };
  const hears = await makeTree(
    modelFolder(digitsManifest({ serving: { examples: [{ audio }] } }), speechFiles),
    verdict,
    source,
    deps,
  );
  const deaf = await makeTree(
    modelFolder(linearManifest({ serving: { examples: [{ a: 1, b: 2, c: 3 }] } })),
    verdict,
    source,
    deps,
  );
  const text = (tree: typeof deaf, path: string) =>
    Buffer.from(tree.files.find((file) => file.path === path)!.bytes).toString("utf8");
  const names = (tree: typeof deaf) => tree.files.map(({ path }) => path);
  for (const tree of [hears, deaf]) {
    expect(names(tree).filter((path) => path.startsWith("package"))).toEqual(["package-lock.json", "package.json"]);
    expect(new Set(names(tree)).size).toBe(tree.files.length);
  }
  const packages = (tree: typeof deaf) =>
    Object.keys((JSON.parse(text(tree, "package.json")) as { dependencies: object }).dependencies);
  expect(packages(deaf)).toEqual(["onnxruntime-node", "onnxruntime-common", "sharp"]);
  expect(packages(hears)).toEqual([
    ...packages(deaf),
    "mediabunny",
    "mpg123-decoder",
    "@wasm-audio-decoders/flac",
    "@wasm-audio-decoders/ogg-vorbis",
    "opus-decoder",
  ]);
  const locked = (JSON.parse(text(hears, "package-lock.json")) as { packages: object }).packages;
  expect(Object.keys(locked)).toEqual(
    expect.arrayContaining(["node_modules/mediabunny", "node_modules/@wasm-audio-decoders/common"]),
  );
  expect(text(hears, "Dockerfile")).toBe(text(deaf, "Dockerfile"));
  expect(names(hears)).toContain("models/digits/silero_vad.onnx");
  expect(hears.golden.rows).toHaveLength(1);
  // Nothing of the libraries is in the bundle.
  const server = shared
    .filter(({ name }) => name.startsWith("server/"))
    .map(({ bytes }) => Buffer.from(bytes).toString("latin1"));
  expect(server.some((code) => code.includes("EncodedPacketSink {") || code.includes("class EncodedPacketSink"))).toBe(
    false,
  );
});
