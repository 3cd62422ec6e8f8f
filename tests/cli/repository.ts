import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import type { ManifestInput } from "../../models/core/manifest/manifest.ts";

const fixtures = join(import.meta.dirname, "../fixtures");

/** A team's repository with one model, in its own folder, under git. */
export type TeamRepository = {
  dir: string;
  git: (...args: string[]) => string;
  write: (path: string, content: string | Uint8Array) => void;
  /**
   * Writes model.yaml of the linear model. `offset` is added to each of its answers, so 0 is right and 5 is wrong by 5.
   */
  model: (changes?: LinearChanges) => void;
  remove: () => void;
};

export type LinearChanges = Partial<ManifestInput> & { offset?: number };

/** 200 rows whose true value is the linear fixture's answer plus noise between -1 and 1 with mean 0. */
export function rows(count = 200): { id: string; a: number; b: number; c: number; value: number; half: string }[] {
  return Array.from({ length: count }, (_, i) => {
    const [a, b, c] = [i % 7, i % 5, i % 3];
    const noise = ((i * 37) % 101) / 50 - 1;
    return { id: `row-${i}`, a, b, c, value: a + 10 * b + 100 * c + 0.5 + noise, half: i % 2 === 0 ? "even" : "odd" };
  });
}

export const jsonLines = (items: readonly object[]) => items.map((item) => `${JSON.stringify(item)}\n`).join("");

export function linearManifest({ offset = 0, ...changes }: LinearChanges = {}): ManifestInput {
  return {
    schemaVersion: 1,
    id: "linear",
    version: "1.1.0",
    task: "regression",
    artifact: {
      path: "linear.onnx",
      sha256: createHash("sha256")
        .update(readFileSync(join(fixtures, "linear.onnx")))
        .digest("hex"),
    },
    preprocess: {
      row: {
        kind: "tabular",
        columns: { a: { type: "number" }, b: { type: "number" }, c: { type: "number" } },
        features: ["a", "b", "c"].map((column) => ({ column, encode: "number" as const })),
      },
    },
    inputs: [{ name: "features", dtype: "float32", shape: ["batch", 3], from: "row.features" }],
    outputs: [{ name: "prediction", dtype: "float32", shape: ["batch", 1] }],
    postprocess: [
      {
        name: "value",
        from: "prediction",
        kind: "regression",
        inverse: { kind: "affine", scale: 1, offset },
        unit: "points",
      },
    ],
    dataset: {
      id: "rows",
      files: [{ path: "data/rows.jsonl" }],
      idField: "id",
      labels: { value: { field: "value" } },
      slices: ["half"],
    },
    gates: {
      checks: [
        { kind: "non-inferiority", metric: "mae", margin: { relative: 0.1 } },
        { kind: "non-inferiority", metric: "mae", margin: 0.2, slices: ["half"] },
        { kind: "limit", metric: "rmse", max: 2 },
      ],
    },
    ...changes,
  };
}

/**
 * A repository with a correct production version committed on `main`. The candidate in the working tree is the same
 * model.
 */
export function teamRepository(): TeamRepository {
  const dir = mkdtempSync(join(tmpdir(), "sluice-team-"));
  const git = (...args: string[]) =>
    execFileSync(
      "git",
      ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main", ...args],
      { cwd: dir, encoding: "utf8" },
    );
  const write = (path: string, content: string | Uint8Array) => {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), content);
  };
  const model = (changes: LinearChanges = {}) => write("models/linear/model.yaml", stringify(linearManifest(changes)));
  git("init", "-q");
  write("sluice.yaml", "schemaVersion: 1\nmodels: [models/linear]\n");
  write("models/linear/data/rows.jsonl", jsonLines(rows()));
  model({ version: "1.0.0" });
  cpSync(join(fixtures, "linear.onnx"), join(dir, "models/linear/linear.onnx"));
  git("add", "-A");
  git("commit", "-qm", "The first version");
  model();
  return { dir, git, write, model, remove: () => rmSync(dir, { recursive: true, force: true }) };
}
