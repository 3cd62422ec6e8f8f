import { readFileSync } from "node:fs";
import type { ManifestInput } from "../../../../models/core/manifest/manifest.ts";
import { fixture, sha256 } from "../build.ts";

/** A row of tests/fixtures/tree_paths.py, with what scikit-learn's own nodes say of it. */
export type TreeRow = {
  amount: number;
  distance: number;
  channel: string;
  seen: number | null;
  features: (number | null)[];
  start: number;
  contributions: number[];
  probability: number;
};

export const treeRows = JSON.parse(
  readFileSync(new URL("../../../fixtures/tree-paths.json", import.meta.url), "utf8"),
) as TreeRow[];

/** The trees of that script as a model with two labels. */
export function treeManifest(changes: Partial<ManifestInput> = {}, onnx = "tree-paths.onnx"): ManifestInput {
  return {
    schemaVersion: 1,
    id: "trees",
    version: "1.0.0",
    task: "binary-classification",
    artifact: { path: onnx, sha256: sha256(fixture(onnx)) },
    preprocess: {
      payment: {
        kind: "tabular",
        columns: {
          amount: { type: "number" },
          distance: { type: "number" },
          channel: { type: "string" },
          seen: { type: "number", missing: "nan" },
        },
        features: [
          { column: "amount", encode: "number" },
          { column: "distance", encode: "number" },
          { column: "channel", encode: "one-hot", categories: ["pos", "atm", "online"] },
          { column: "seen", encode: "number" },
        ],
      },
    },
    inputs: [{ name: "features", dtype: "float32", shape: ["batch", 6], from: "payment.features" }],
    outputs: [{ name: "probability", dtype: "float32", shape: ["batch", 1] }],
    postprocess: [
      { name: "fraud", from: "probability", kind: "classification", activation: "none", labels: ["no", "yes"] },
    ],
    ...changes,
  };
}

export const rowOf = ({ amount, distance, channel, seen }: TreeRow) => ({ amount, distance, channel, seen });
