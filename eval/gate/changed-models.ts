import { readFile } from "node:fs/promises";
import { basename, join, posix, relative, resolve } from "node:path";
import { parse } from "yaml";
import { EvaluationError } from "../../models/core/errors.ts";
import { remoteBackends } from "../../models/remote/manifest.ts";
import type { Configuration } from "../schema/configuration.ts";
import { readBaseModels, type BaseModels } from "./base-models.ts";
import { resolveReference, type Reference } from "./baseline.ts";
import { continuity } from "./continuity.ts";
import { hadArtifact } from "./forbid-backend-switch.ts";
import { slashed, topLevel, type Git } from "./git.ts";
import { plainManifestAt } from "./lay-out-model.ts";
import type { Baseline } from "./references.ts";
import { stepFolders } from "./step-folders.ts";

/** `models`: to be gated, in the configuration's order. `unjudged`: a remote provider answers for them. */
type ModelsToGate = { models: string[]; unjudged: string[]; because: string };

/**
 * The models that a change touches and that can be judged, and those that it takes out: their gates say so.
 *
 * @param configFile relative to the root, like all paths here
 * @param always further paths that matter to every model
 */
export async function modelsToGate(
  configuration: Configuration,
  configFile: string,
  always: readonly string[],
  baseline: Baseline,
  root: string,
  git: Git,
): Promise<ModelsToGate> {
  const listed = configuration.models;
  const ref = typeof baseline === "object" && "ref" in baseline ? baseline : null;
  const at = ref === null ? null : await resolveReference(ref, git);
  // A model that had an artifact at the baseline stays in, whatever its manifest says now. If it is remote now, its
  // gate refuses it.
  const judged = await Promise.all(
    listed.map(async (model) => {
      const folder = resolve(root, model);
      return (await isJudged(folder)) || (at !== null && (await hadArtifact(at, folder, root, git)));
    }),
  );
  const models = listed.filter((_, i) => judged[i]);
  const unjudged = listed.filter((_, i) => !judged[i]);
  // Without a commit to compare with, every model counts as new.
  if (ref === null || at === null) return { models, unjudged, because: "there is no commit to compare with" };
  const base = await readBaseModels(at, resolve(root, configFile), configuration, root, git);
  const inRoot = await fromTop(root, git);
  const manifests = new Map<string, Manifest>();
  for (const model of models) manifests.set(model, await readManifest(resolve(root, model)));
  const steps = new Map<string, string[]>();
  for (const [model, manifest] of manifests)
    steps.set(model, await stepsElsewhere(model, manifest, base, at, inRoot, root, git));
  const changed = changedModels(await changedFiles(ref.ref, inRoot, git), models, [configFile, ...always], (model) => [
    ...pathsElsewhere(model, manifests.get(model) ?? {}, base, inRoot),
    ...steps.get(model)!,
  ]);
  const candidates = [...manifests].map(([folder, { id, formerly }]) => ({
    id: String(id),
    formerly: typeof formerly === "string" ? formerly : undefined,
    folder,
  }));
  const ended = continuity(base, null, candidates).ended.map(({ model }) => inRoot(model.folder));
  return { ...changed, models: [...new Set([...changed.models, ...ended])], unjudged };
}

/** Paths outside a model's folder that its model.yaml names, here or at the base, and the folder it had at the base. */
function pathsElsewhere(
  folder: string,
  manifest: Manifest,
  base: BaseModels | null,
  inRoot: (path: string) => string,
): string[] {
  const before = base?.models.find(({ id }) => id === manifest["id"] || id === manifest["formerly"]);
  const named = (from: string, value: unknown) =>
    texts(value)
      .filter((text) => text.startsWith("../"))
      .map((text) => posix.join(from, text));
  if (before === undefined) return named(folder, manifest);
  const old = inRoot(before.folder);
  return [...named(folder, manifest), old, ...named(old, before.plain)];
}

/** The folders of a composition's models, here and at the base: a change of one is a change of the composition. */
async function stepsElsewhere(
  folder: string,
  manifest: Manifest,
  base: BaseModels | null,
  at: Reference,
  inRoot: (path: string) => string,
  root: string,
  git: Git,
): Promise<string[]> {
  const before = base?.models.find(({ id }) => id === manifest["id"] || id === manifest["formerly"]);
  const here = await stepFolders(folder, (one) => readManifest(resolve(root, one)));
  if (before === undefined || at.kind !== "commit") return here;
  const there = await stepFolders(before.folder, (one) => plainManifestAt(git, at.commit, one));
  return [...here, ...there.map(inRoot)];
}

function texts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(texts) : [];
}

/** Turns a path from the repository's top level into one from the root. */
async function fromTop(root: string, git: Git): Promise<(path: string) => string> {
  const prefix = slashed(relative(await topLevel(git, root), root));
  return (path) => posix.relative(prefix, path);
}

/**
 * The models that a change touches: those with a changed file in their folder or at another path of theirs, or all of
 * them when a path that matters to every model changed.
 *
 * @param files changed paths, relative to the root like all paths here
 * @param elsewhere a model's paths outside its folder
 */
export function changedModels(
  files: readonly string[],
  models: readonly string[],
  always: readonly string[],
  elsewhere: (model: string) => readonly string[] = () => [],
): { models: string[]; because: string } {
  const everything = files.find((file) => always.some((path) => under(file, path)));
  if (everything !== undefined)
    return { models: [...models], because: `${everything} changed, which matters to every model` };
  const touched = models.filter((model) => {
    const paths = [model, ...elsewhere(model)];
    return files.some((file) => paths.some((path) => under(file, path)));
  });
  return { models: touched, because: `${files.length} changed ${files.length === 1 ? "file" : "files"}` };
}

function under(file: string, folder: string): boolean {
  return file === folder || file.startsWith(`${folder.replace(/\/+$/, "")}/`);
}

/** Paths that differ between a commit and HEAD. Only the two trees are compared, so no history is needed. */
async function changedFiles(commit: string, inRoot: (path: string) => string, git: Git): Promise<string[]> {
  const { code, stdout, stderr } = await git(["diff", "--name-only", "--no-renames", "-z", commit, "HEAD"]);
  if (code !== 0)
    throw new EvaluationError({
      code: "diff",
      problem: "git cannot tell what changed",
      place: commit.slice(0, 12),
      received: stderr.trim(),
    });
  return stdout
    .toString("utf8")
    .split("\0")
    .filter((path) => path !== "")
    .map(inRoot);
}

/** A word that is safe in a list that a later workflow step reads. */
const harmlessWord = /^[\w.+-]{1,64}$/;

/**
 * ID@VERSION of the model in a folder, or the folder's name when its model.yaml cannot be read. Nothing is validated
 * here: the gate reports what is wrong with the file, with line and column.
 */
export async function candidateName(folder: string): Promise<string> {
  const manifest = await readManifest(folder);
  const field = (name: string): string | null => {
    const value = manifest[name];
    return (typeof value === "string" || typeof value === "number") && harmlessWord.test(String(value))
      ? String(value)
      : null;
  };
  const [id, version] = [field("id") ?? basename(folder), field("version")];
  return version === null ? id : `${id}@${version}`;
}

/** Whether a folder's model can be judged: a model that a remote provider runs has no artifact. */
async function isJudged(folder: string): Promise<boolean> {
  return !remoteBackends.includes((await readManifest(folder))["backend"]);
}

type Manifest = Readonly<Record<string, unknown>>;

async function readManifest(folder: string): Promise<Manifest> {
  const manifest: unknown = await readFile(join(folder, "model.yaml"), "utf8")
    .then((text) => parse(text) as unknown)
    .catch(() => null);
  return typeof manifest === "object" && manifest !== null ? (manifest as Manifest) : {};
}
