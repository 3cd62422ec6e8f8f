import { join } from "node:path";
import { expect, it } from "vitest";
import { largeWeights } from "../../deploy/bundle/hub-weights.ts";
import { makeTree, readSpaceFiles } from "../../deploy/bundle/make.ts";
import { readTree, writeTree } from "../../deploy/bundle/tree.ts";
import type { PassedVerdict } from "../../deploy/bundle/verdict.ts";
import { loadManifest } from "../../models/core/predictor/load.ts";
import { offline, refusal, temporaryFolder } from "../models/core/build.ts";
import { composition, graphOf, linear, mood } from "../models/core/graph/build.ts";
import { json, root, serve } from "../spaces/server/harness.ts";

const source = { repository: "octo/models", commit: "0".repeat(40) } as never;
// Only the digest of the verdict is written into a tree without metrics.
const verdict = { sha256: "1".repeat(64), metrics: null, profile: null } as PassedVerdict;
const template = {
  name: "README.template.md",
  bytes: (await readSpaceFiles(join(root, "spaces"))).find(({ name }) => name === "README.template.md")!.bytes,
};
const deps = { ...offline, space: () => Promise.resolve([template]) };

const examples = [{ text: "t1 t2", b: 1, c: 0 }];
const inner = {
  ...graphOf({ root: { sequence: [{ model: "linear", inputs: { a: "0" } }] } }),
  id: "inner",
};
const graph = graphOf(
  { root: { sequence: [{ model: "mood" }, { name: "deep", model: "inner" }] } },
  { answer: { mood: "mood.mood", value: "deep.value" }, serving: { examples } },
);

it("the tree of a composition holds its models, and answers the same from there", async () => {
  const loaded = await composition(graph, { mood: mood(), linear: linear(), inner });
  const tree = await makeTree(loaded, verdict, source, deps);
  expect(tree.files.map(({ path }) => path)).toEqual(
    expect.arrayContaining([
      "models/both/model.yaml",
      "models/both/steps/mood/sequence.onnx",
      "models/both/steps/mood/tokenizer.json",
      "models/both/steps/inner/model.yaml",
      "models/both/steps/inner/steps/linear/linear.onnx",
    ]),
  );
  expect(largeWeights(tree, 1)).toBeNull();
  const dir = temporaryFolder();
  await writeTree(dir, tree);
  await readTree(dir);
  const deployed = await loadManifest(join(dir, "models/both"));
  expect(deployed.manifest.artifact.sha256).toBe(tree.deployed.model.sha256);
  const server = await serve([join(dir, "models/both")]);
  for (const { row, heads } of tree.golden.rows)
    expect((await json(await server.post("/predict", row)))["heads"]).toEqual(heads);
  await server.kill();
});

it("a model's file that is not the one it names is not deployed", async () => {
  const loaded = await composition(graph, {
    mood: mood({ artifact: { path: "sequence.onnx", sha256: "2".repeat(64) } }),
    linear: linear(),
    inner,
  });
  expect((await refusal(() => makeTree(loaded, verdict, source, deps))).message).toMatch(/sequence\.onnx[\s\S]*sha256/);
});
