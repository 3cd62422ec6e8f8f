import { createHash } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { ManifestInput } from "../../../models/core/manifest/manifest.ts";

export const WIDTH = 64;
export const K = 20;
export const columns = Array.from({ length: WIDTH }, (_, i) => `u${i}`);
export type Request = { user: string; seen: string[] };

export const readRequests = (file: string) =>
  readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Request);

const digest = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");
const tensor = (name: string, dtype: "float32" | "int64", from: string, size: string | number) => ({
  name,
  dtype,
  shape: ["batch", size],
  from,
});

/** Where the vectors of the users come from: a table in the model's folder, or Redis. */
export type Users = { path: string } | { redis: true };

/**
 * Writes model.yaml of a made-up model into `dir`, by a rename, as a server that watches the folder wants it.
 *
 * @param users where a user's vector is looked up; null: the graph computes it from the list
 */
export function writeManifest(
  dir: string,
  weights: string,
  { version = "1.0.0", users = null, items = "items.csv" }: { version?: string; users?: Users | null; items?: string },
  examples: readonly Request[],
): void {
  const catalogue = { path: items, sha256: digest(join(dir, items)), id: "item" };
  const lookup =
    users === null
      ? {}
      : {
          user: {
            kind: "lookup" as const,
            key: ["user"],
            store:
              "path" in users
                ? { path: users.path, sha256: digest(join(dir, users.path)) }
                : { redis: { prefix: "u:", columns, timeoutMs: 2000 } },
            missing: { fill: 0 },
            features: Object.fromEntries(columns.map((column) => [column, {}])),
          },
        };
  const manifest: ManifestInput = {
    schemaVersion: 1,
    id: "catalogue",
    version,
    task: "ranking",
    artifact: { path: weights, sha256: digest(join(dir, weights)) },
    preprocess: { ...lookup, seen: { kind: "items", field: "seen", catalogue, maxItems: 200 } },
    inputs: [
      ...(users === null ? [] : [tensor("user", "float32", "user.features", WIDTH)]),
      tensor("seen", "int64", "seen.ids", "items"),
      ...(users === null ? [tensor("mask", "float32", "seen.mask", "items")] : []),
    ],
    outputs: [
      { name: "best_scores", dtype: "float32", shape: ["batch", K] },
      { name: "best_items", dtype: "int64", shape: ["batch", K] },
    ],
    postprocess: [
      { name: "items", kind: "ranking", scores: "best_scores", ids: "best_items", k: K, catalogue, exclude: "seen" },
    ],
    runtime: { threads: 2 },
    serving: { examples: [...examples] },
  };
  writeFileSync(join(dir, "model.yaml.new"), stringify(manifest));
  renameSync(join(dir, "model.yaml.new"), join(dir, "model.yaml"));
}
