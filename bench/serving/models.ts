import { createHash } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { stringify } from "yaml";
import type { ManifestInput } from "../../models/core/manifest/manifest.ts";
import { root } from "./processes.ts";

const folder = join(root, ".cache/bench-serving");
export const peerWeights = join(folder, "mlp.pt");
export const mlpRow = { features: Array.from({ length: 32 }, (_, i) => Math.round(1000 * Math.sin(i)) / 1000) };

/** Writes the ONNX files once, then a folder per model. The encoder's texts have the lengths of SST-2's sentences. */
export function benchModels(): { mlp: string; encoder: string; texts: string[] } {
  if (!existsSync(join(folder, "encoder.onnx"))) {
    const made = spawnSync("/usr/bin/python3", [join(import.meta.dirname, "make_models.py"), folder], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    if (made.status !== 0) throw new Error("make_models.py failed; it needs python3-torch");
  }
  const texts = sentences();
  const mlp = write("mlp", {
    task: "regression",
    preprocess: { row: { kind: "tensor", field: "features", shape: [32] } },
    inputs: [{ name: "features", dtype: "float32", shape: ["batch", 32], from: "row.values" }],
    outputs: [{ name: "prediction", dtype: "float32", shape: ["batch", 1] }],
    postprocess: [{ name: "value", from: "prediction", kind: "regression" }],
    serving: { examples: [mlpRow] },
  });
  const encoder = write("encoder", {
    task: "binary-classification",
    preprocess: { tokens: { kind: "text", maxTokens: 128 } },
    runtime: { threads: 2 },
    inputs: [
      { name: "input_ids", dtype: "int64", shape: ["batch", "sequence"], from: "tokens.ids" },
      { name: "attention_mask", dtype: "int64", shape: ["batch", "sequence"], from: "tokens.attention_mask" },
    ],
    outputs: [{ name: "logits", dtype: "float32", shape: ["batch", 2] }],
    postprocess: [
      { name: "mood", from: "logits", kind: "classification", activation: "softmax", labels: ["negative", "positive"] },
    ],
    serving: { examples: texts.slice(0, 8).map((text) => ({ text })) },
  });
  writeFileSync(join(encoder, "tokenizer.json"), readFileSync(join(root, "models/mood/tokenizer.json")));
  return { mlp, encoder, texts };
}

function write(id: string, parts: Omit<ManifestInput, "schemaVersion" | "id" | "version" | "artifact">): string {
  const dir = join(folder, id);
  mkdirSync(dir, { recursive: true });
  const file = `${id}.onnx`;
  rmSync(join(dir, file), { force: true });
  linkSync(join(folder, file), join(dir, file));
  const sha256 = createHash("sha256")
    .update(readFileSync(join(dir, file)))
    .digest("hex");
  writeFileSync(
    join(dir, "model.yaml"),
    stringify({
      schemaVersion: 1,
      id,
      version: "1.0.0",
      artifact: { path: file, sha256 },
      ...parts,
    } satisfies ManifestInput),
  );
  return dir;
}

/**
 * Every twelfth sentence of SST-2's development set, when the shared data are there; else the IMDb sentences of the
 * repository's dataset package.
 */
function sentences(): string[] {
  const shared = join(root, "../shared/data/sentiment/sst2_dev.tsv");
  if (existsSync(shared))
    return readFileSync(shared, "utf8")
      .split("\n")
      .slice(1)
      .map((line) => line.split("\t"))
      .map((cells) => cells.reduce((longest, cell) => (cell.length > longest.length ? cell : longest), ""))
      .filter((text) => text !== "")
      .filter((_, i) => i % 12 === 0);
  const rows = JSON.parse(readFileSync(join(root, "node_modules/sentiment/test/fixtures/imdb.json"), "utf8")) as {
    text: string;
  }[];
  return rows
    .map(({ text }) => text)
    .filter((text) => text !== "")
    .filter((_, i) => i % 12 === 0);
}
