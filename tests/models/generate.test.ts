import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { largeWeights, withHubWeights } from "../../deploy/bundle/hub-weights.ts";
import { makeTree } from "../../deploy/bundle/make.ts";
import { writeTree, type Tree } from "../../deploy/bundle/tree.ts";
import type { PassedVerdict } from "../../deploy/bundle/verdict.ts";
import { metricsFile } from "../../eval/schema/metrics.ts";
import { verdictFile } from "../../eval/schema/verdict.ts";
import { artifactDigest } from "../../models/core/manifest/artifact-files.ts";
import type { ManifestInput } from "../../models/core/manifest/manifest.ts";
import { loadManifest } from "../../models/core/predictor/load.ts";
import { jsonLines } from "../cli/repository.ts";
import { sluice } from "../cli/sluice.ts";
import { json, root, serve, temporaryFolder } from "../spaces/server/harness.ts";
import { offline, predictorOf } from "./core/build.ts";
import { familyModel, rowsOf, textOf } from "./core/generate/family-model.ts";

/** A model of two graphs and a decode loop from the gate to the deployed bundle. */

const dir = temporaryFolder();
const folder = join(dir, "models/t5");
const git = (...args: string[]) =>
  execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], { cwd: dir, encoding: "utf8" });
const { manifest, files } = familyModel("t5");
const rows = [
  ...rowsOf("t5"),
  ...Array.from({ length: 24 }, (_, i) => ({
    text: textOf(Array.from({ length: 1 + (i % 8) }, (__, j) => 3 + ((i * 7 + j * 5) % 37))),
  })),
];
let written: ManifestInput;
let tree: Tree;
// Only the digest of the verdict is written into a tree without metrics.
const verdict = { sha256: "1".repeat(64), metrics: null, profile: null } as PassedVerdict;
const source = { repository: "octo/models", commit: "0".repeat(40) } as never;
const template = {
  name: "README.template.md",
  bytes: new Uint8Array(readFileSync(join(root, "spaces/README.template.md"))),
};

beforeAll(async () => {
  git("init", "-q", "-b", "main");
  writeFileSync(join(dir, "sluice.yaml"), stringify({ schemaVersion: 1, models: ["models/t5"] }));
  writeFileSync(join(dir, ".gitignore"), ".sluice/\nout/\n");
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const predictor = await predictorOf(manifest, {}, files);
  const results = await predictor.predict(rows);
  const truth = results.map((one) => (one.ok && one.heads["text"]?.kind === "text" ? one.heads["text"].text : ""));
  writeFileSync(
    join(folder, "rows.jsonl"),
    jsonLines(rows.map((row, i) => ({ id: `row-${i}`, ...row, truth: truth[i], seconds: 2 }))),
  );
  written = {
    ...manifest,
    dataset: {
      id: "t5-rows",
      files: [{ path: "rows.jsonl" }],
      idField: "id",
      labels: { text: { field: "truth", audioSeconds: "seconds" } },
    },
    gates: {
      checks: [
        { kind: "limit", metric: "bleu", tokenizer: "none", min: 99 },
        { kind: "limit", metric: "time_to_first_token_ms", max: 60_000 },
        { kind: "limit", metric: "throughput_tokens_s", min: 0.001 },
        { kind: "limit", metric: "rtf", max: 1000 },
        { kind: "limit", metric: "model_bytes", max: 1_000_000 },
      ],
    },
  };
  writeFileSync(join(folder, "model.yaml"), stringify(written));
  git("add", "-A");
  git("commit", "-qm", "A model that generates");
}, 60_000);

describe("a model of several graphs", () => {
  it("is gated: answers, batch parity, tokens per second, first token, real-time factor, size of all graphs", async () => {
    const run = await sluice(dir, ["gate", "--json"]);
    expect(run.code, run.stderr + run.stdout).toBe(0);
    const [judged] = verdictFile.parse(JSON.parse(run.stdout)).models;
    expect(judged!.model.sha256).toBe(artifactDigest(manifest.artifact));
    expect(judged!.checks.map(({ metric, verdict: word }) => [metric, word])).toEqual([
      ["bleu", "PASS"],
      ["time_to_first_token_ms", "PASS"],
      ["throughput_tokens_s", "PASS"],
      ["rtf", "PASS"],
      ["model_bytes", "PASS"],
    ]);
    const { models } = metricsFile.parse(JSON.parse(readFileSync(join(dir, ".sluice/metrics.json"), "utf8")));
    const { performance, batchParity } = models[0]!;
    const bytes = files["t5-encoder.onnx"]!.length + files["t5-merged.onnx"]!.length;
    expect(performance).toMatchObject({ modelBytes: bytes, rtf: expect.any(Number) });
    // A row's answer has at most 14 tokens, and its time is that of one call: both figures are of the same calls.
    const [one] = performance!.batches;
    expect(one!.firstTokenP50Ms).toBeLessThan(one!.p99Ms);
    expect(one!.throughputTokensPerSecond! / one!.throughputRowsPerSecond).toBeGreaterThan(1);
    expect(one!.throughputTokensPerSecond! / one!.throughputRowsPerSecond).toBeLessThanOrEqual(14);
    expect(batchParity).toMatchObject({ ok: true, maxDifference: 0 });
    expect(readFileSync(join(dir, ".sluice/report.md"), "utf8")).toContain("time to first token");
  }, 120_000);

  it("is another model once one of its graphs is", () => {
    const graphs = { decoder: { ...manifest.artifact.graphs!.decoder!, sha256: "0".repeat(64) } };
    expect(artifactDigest({ ...manifest.artifact, graphs })).not.toBe(artifactDigest(manifest.artifact));
    expect(artifactDigest({ sha256: manifest.artifact.sha256 })).toBe(manifest.artifact.sha256);
  });

  it("is deployed with all of its graphs, and answers there as here", async () => {
    tree = await makeTree(await loadManifest(folder), verdict, source, { ...offline, space: async () => [template] });
    const served = join(dir, "out/tree");
    await writeTree(served, tree);
    const known = readFileSync(join(folder, "rows.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { truth: string });
    expect(tree.golden.rows.map(({ heads }) => (heads["text"] as any).text)).toEqual([known[1]!.truth]);
    const server = await serve([join(served, "models/t5")]);
    const { predictions } = (await json(await server.post("/predict/batch", { rows }))) as any;
    expect(predictions.map(({ heads }: any) => heads.text.text)).toEqual(known.map(({ truth }) => truth));
    const events = await (await server.post("/predict/stream", rows[1])).text();
    expect(events).toContain(JSON.stringify(known[1]!.truth));
    const info = (await json(await server.get("/model/info"))) as any;
    expect(info.artifact.sha256).toBe(artifactDigest(manifest.artifact));
    await server.kill();
  }, 120_000);

  it("has all of its graphs moved to the Hub where they are too large for a Space", () => {
    const weights = largeWeights(tree, 1000)!;
    expect(weights.files.map(({ path }) => path.replace(/\/[0-9a-f]{16}\//, "/…/"))).toEqual([
      "t5/…/t5-encoder.onnx",
      "t5/…/decoder/t5-merged.onnx",
    ]);
    const moved = withHubWeights(tree, weights, "octo/weights", "0123abc");
    const kept = moved.files.map(({ path }) => path);
    expect(kept.filter((path) => path.endsWith(".onnx"))).toEqual([]);
    const yaml = moved.files.find(({ path }) => path === "models/t5/model.yaml")!;
    const { artifact } = parse(Buffer.from(yaml.bytes).toString("utf8")) as ManifestInput;
    expect(artifact).toEqual({
      hub: `octo/weights@0123abc/${weights.files[0]!.path}`,
      sha256: manifest.artifact.sha256,
      graphs: {
        decoder: {
          hub: `octo/weights@0123abc/${weights.files[1]!.path}`,
          sha256: manifest.artifact.graphs!.decoder!.sha256,
        },
      },
    });
  });
});
