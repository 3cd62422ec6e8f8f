import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");

export type Files = Record<string, string | Buffer>;

/** The files below a folder of this repository, by their new path. */
export function folder(path: string, as: string, keep: (relativePath: string) => boolean = () => true): Files {
  const from = join(root, path);
  const files = readdirSync(from, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(from, join(entry.parentPath, entry.name)));
  return Object.fromEntries(files.filter(keep).map((name) => [`${as}/${name}`, readFileSync(join(from, name))]));
}

export const sha256 = (bytes: Buffer | string): string => createHash("sha256").update(bytes).digest("hex");

/** What a team that uses Sluice calls: the workflows and the committed actions of this working tree. */
export const productPaths = [
  ".github/workflows/gate.yml",
  ".github/workflows/gate-comment.yml",
  ".github/workflows/deploy.yml",
  ...["gate", "gate/changed", "gate/report", "deploy", "notify"].map((action) => `actions/${action}/action.yml`),
  ...["gate", "deploy", "notify"].map((action) => `actions/${action}/dist`),
];
