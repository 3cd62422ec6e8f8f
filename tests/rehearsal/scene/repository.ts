import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../../..");

export type Files = Record<string, string | Buffer>;

/** Files below a folder of this repository, by the path that they get. */
export function folder(path: string, as: string, keep: (relativePath: string) => boolean = () => true): Files {
  const from = join(root, path);
  const files = readdirSync(from, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => relative(from, join(entry.parentPath, entry.name)));
  return Object.fromEntries(files.filter(keep).map((name) => [`${as}/${name}`, readFileSync(join(from, name))]));
}

export const sha256 = (bytes: Buffer | string): string => createHash("sha256").update(bytes).digest("hex");

/** What a team that uses Sluice calls: the workflows and the committed actions of this very tree. */
export const productPaths = [".github/workflows/gate.yml", ".github/workflows/gate-comment.yml", ".github/workflows/deploy.yml", ...["gate", "gate/changed", "gate/report", "deploy", "notify"].map((action) => `actions/${action}/action.yml`), ...["gate", "deploy", "notify"].map((action) => `actions/${action}/dist`)];

/**
 * The mood model as a team has it: candidate and production are versions of this repository's own, real weights on real
 * sentences; the sentences lie beside the model, because a job of the rehearsal reaches no registry.
 */
export function moodModel(version: "1.0.0" | "1.1.0"): Files {
  const kept = (name: string) => !/^(train|data|production|\.gitignore)/.test(name);
  const own = folder("models/mood", "models/mood", kept);
  const manifest = moodData(String(own["models/mood/model.yaml"]));
  if (version === "1.1.0") return { ...own, "models/mood/model.yaml": manifest };
  const old = folder("models/mood/production", "models/mood", (name) => name !== "receipt.json" && name !== "model.yaml");
  const weights = old["models/mood/model.onnx"] as Buffer;
  return { ...own, ...old, "models/mood/model.yaml": manifest.replace(/^version: .*$/m, "version: 1.0.0").replace(/sha256: [0-9a-f]{64}/, `sha256: ${sha256(weights)}`) };
}

function moodData(manifest: string): string {
  return manifest.replaceAll(/- npm: sentiment@[^\n]*\n\s+integrity: [^\n]*\n(\s+)path: test\/fixtures\/(\w+)\.json/g, "- path: data/$2.json").replace(/^# yaml-language-server.*\n/, "");
}

export const moodSentences: Files = Object.fromEntries(["amazon", "imdb", "yelp"].map((source) => [`models/mood/data/${source}.json`, readFileSync(join(root, `node_modules/sentiment/test/fixtures/${source}.json`))]));
