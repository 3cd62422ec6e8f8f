import { readdir, readFile } from "node:fs/promises";
import { join, posix, relative, sep } from "node:path";
import { productionReceiptOf } from "../../eval/gate/production-receipt.ts";
import { sluiceVersion } from "../../models/core/version.ts";
import { ConfigurationError } from "../../models/core/errors.ts";
import { modelIdentity } from "../../models/core/manifest/identity.ts";
import type { LoadedManifest } from "../../models/core/predictor/load.ts";
import type { PassedVerdict } from "./verdict.ts";
import { GOLDEN_FILE, type Deployed } from "./deployed.ts";
import { companionFiles } from "./companions.ts";
import { goldenAnswers } from "./golden.ts";
import { readModelFiles } from "./model-files.ts";
import { renderReadme } from "./readme.ts";
import { deployedFile, treeFile, type Tree } from "./tree.ts";

type MakeDeps = {
  env: NodeJS.ProcessEnv;
  fetch: typeof fetch;
  /**
   * Reads the part of the tree that is the same for every model, from the action's dist/space or from a fresh build.
   */
  space: () => Promise<{ name: string; bytes: Uint8Array }[]>;
};

/**
 * Makes the whole tree of a model's Space: server, page, Dockerfile, model, README, golden answers and deployment.json.
 * Equal inputs on equal machines give equal bytes.
 *
 * @throws ConfigurationError for anything that must not be published; EvaluationError if the model cannot be run
 */
export async function makeTree(
  loaded: LoadedManifest,
  verdict: PassedVerdict,
  source: Deployed["source"],
  deps: MakeDeps,
): Promise<Tree> {
  const { manifest } = loaded;
  const shared = await deps.space();
  const template = shared.find(({ name }) => name === "README.template.md");
  if (template === undefined)
    throw new ConfigurationError({
      code: "space-files",
      problem: "the Space's README.template.md is missing from the action",
    });
  const model = await readModelFiles(loaded);
  const golden = await goldenAnswers(loaded, deps);
  const described = {
    schemaVersion: 1 as const,
    model: modelIdentity(manifest),
    source,
    verdict: { verdict: "PASS" as const, sha256: verdict.sha256 },
    server: { version: sluiceVersion },
  };
  const card = model.find(({ path }) => path === "README.md");
  const json = (value: unknown) => Buffer.from(`${JSON.stringify(value, null, 1)}\n`);
  const readme = renderReadme(
    Buffer.from(template.bytes).toString("utf8"),
    card === undefined ? null : Buffer.from(card.bytes).toString("utf8"),
    { deployed: described, title: manifest.id, description: manifest.description, license: manifest.license ?? null },
  );
  const files = [
    ...packagesFor(loaded, shared)
      .filter(({ name }) => name !== "README.template.md")
      .map(({ name, bytes }) => treeFile(name, bytes)),
    ...model.map(({ path, bytes }) => treeFile(posix.join("models", manifest.id, path), bytes)),
    ...(await companionFiles(loaded)).map(({ path, bytes }) => treeFile(path, bytes)),
    ...(verdict.metrics === null
      ? []
      : [
          treeFile(
            `models/${manifest.id}/receipt.json`,
            json(productionReceiptOf(verdict.model, verdict.metrics, verdict.sluiceVersion)),
          ),
        ]),
    ...(verdict.profile === null ? [] : [treeFile(`models/${manifest.id}/profile.json`, verdict.profile)]),
    treeFile("README.md", Buffer.from(readme)),
    treeFile(GOLDEN_FILE, json(golden)),
  ].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const deployed: Deployed = {
    ...described,
    files: Object.fromEntries(files.map(({ path, sha256 }) => [path, sha256])),
  };
  return { files: [...files, deployedFile(deployed)], deployed, golden };
}

/** Only a model that hears gets the packages that decode sound; both kinds of tree have the same names. */
function packagesFor(
  { manifest: { preprocess } }: LoadedManifest,
  shared: readonly { name: string; bytes: Uint8Array }[],
): { name: string; bytes: Uint8Array }[] {
  const hears = Object.values(preprocess).some(({ kind }) => kind === "audio");
  const variant = /^(package(?:-lock)?)\.audio\.json$/;
  const left = new Set(hears ? ["package.json", "package-lock.json"] : []);
  return shared.flatMap(({ name, bytes }) => {
    const audio = variant.exec(name);
    if (audio !== null) return hears ? [{ name: `${audio[1]}.json`, bytes }] : [];
    return left.has(name) ? [] : [{ name, bytes }];
  });
}

/** Reads the shared files from a folder. */
export async function readSpaceFiles(dir: string): Promise<{ name: string; bytes: Uint8Array }[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return Promise.all(
    files.map(async (file) => ({ name: relative(dir, file).split(sep).join("/"), bytes: await readFile(file) })),
  );
}
