import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";
import { manifest, type Manifest, type ManifestInput } from "../../../models/core/manifest/manifest.ts";
import type { EvaluationDataset } from "../../../eval/dataset/read.ts";
import { readDataset, type DatasetDeps } from "../../../eval/dataset/read.ts";

export type DatasetInput = Partial<NonNullable<ManifestInput["dataset"]>>;

/** A parsed manifest of a text classifier (neg, pos) that also has a regression head. */
export function manifestWith(dataset: DatasetInput, more: Partial<ManifestInput> = {}): Manifest {
  return manifest.parse({
    schemaVersion: 1,
    id: "toy",
    version: "1.0.0",
    task: "binary-classification",
    artifact: { path: "model.onnx", sha256: "0".repeat(64) },
    preprocess: { tokens: { kind: "text" } },
    inputs: [{ name: "ids", dtype: "int64", shape: ["batch", "length"], from: "tokens.ids" }],
    outputs: [{ name: "logits", dtype: "float32", shape: ["batch", 2] }],
    postprocess: [
      { name: "sentiment", from: "logits", kind: "classification", activation: "softmax", labels: ["neg", "pos"] },
      { name: "stars", from: "logits", kind: "regression" },
    ],
    dataset: {
      id: "toy",
      files: [{ path: "rows.csv" }],
      labels: { sentiment: { field: "class", map: { 0: "neg", 1: "pos" } } },
      ...dataset,
    },
    ...more,
  });
}

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** A temporary folder with these files. It is removed after the suite. */
export function folderWith(files: Record<string, string | Uint8Array>): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-dataset-"));
  folders.push(folder);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

/** Deps of a machine without a network and without anything in npm's cache. Nothing is read from outside `root`. */
export function offlineDeps(cacheDir: string, root = tmpdir()): DatasetDeps {
  return {
    root,
    cacheDir,
    workDir: folderWith({}),
    lfs: () => Promise.reject(new Error("no LFS objects in this test")),
    env: { npm_config_cache: folderWith({}) },
    fetch: () => Promise.reject(new TypeError("fetch failed", { cause: { code: "ENETUNREACH" } })),
  };
}

export function read(
  dataset: DatasetInput,
  files: Record<string, string | Uint8Array>,
  more: Partial<ManifestInput> = {},
): Promise<EvaluationDataset> {
  const folder = folderWith(files);
  return readDataset(manifestWith(dataset, more), folder, offlineDeps(join(folder, "cache")));
}
