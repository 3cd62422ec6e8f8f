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

/**
 * What stands for Sluice's own command line in the product's repository: it starts that of this working tree, so that a
 * job's `npm ci` of Sluice is short.
 */
export const commandLine: Files = {
  "package.json": '{ "name": "small", "version": "1.0.0" }\n',
  "package-lock.json": '{ "name": "small", "version": "1.0.0", "lockfileVersion": 3, "packages": { "": {} } }\n',
  "scripts/sluice.mjs": `import { spawnSync } from "node:child_process";
const cli = ${JSON.stringify(join(root, "cli.ts"))};
const node = ${JSON.stringify(process.execPath)};
process.exit(spawnSync(node, [cli, ...process.argv.slice(2)], { stdio: "inherit" }).status ?? 1);\n`,
};

/** What a team that uses Sluice calls: the workflows and the committed actions of this working tree. */
export const productPaths = [
  ".github/workflows/gate.yml",
  ".github/workflows/gate-comment.yml",
  ".github/workflows/deploy.yml",
  ".github/workflows/rollout.yml",
  ...["gate", "gate/changed", "gate/report", "deploy", "notify"].map((action) => `actions/${action}/action.yml`),
  ...["gate", "deploy", "notify"].map((action) => `actions/${action}/dist`),
];
