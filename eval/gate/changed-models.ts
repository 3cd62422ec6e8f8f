import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { parse } from "yaml";
import { EvaluationError } from "../../models/core/errors.ts";
import { resolveReference } from "./baseline.ts";
import { hadArtifact } from "./forbid-backend-switch.ts";
import type { Git } from "./git.ts";
import type { Baseline } from "./references.ts";

/** `models`: to be gated, in the configuration's order. `unjudged`: a remote provider answers for them. */
type ModelsToGate = { models: string[]; unjudged: string[]; because: string };

/**
 * The models that a change touches and that can be judged.
 *
 * @param listed the configuration's models
 * @param always paths that matter to every model
 */
export async function modelsToGate(
  listed: readonly string[],
  always: readonly string[],
  baseline: Baseline,
  root: string,
  git: Git,
): Promise<ModelsToGate> {
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
  return ref === null
    ? { models, unjudged, because: "there is no commit to compare with" }
    : { ...changedModels(await changedFiles(ref.ref, git), models, always), unjudged };
}

/**
 * The models that a change touches: those with a changed file in their folder, or all of them when a path that matters
 * to every model changed.
 *
 * @param files changed paths, relative to the root like all paths here
 */
export function changedModels(
  files: readonly string[],
  models: readonly string[],
  always: readonly string[],
): { models: string[]; because: string } {
  const everything = files.find((file) => always.some((path) => under(file, path)));
  if (everything !== undefined)
    return { models: [...models], because: `${everything} changed, which matters to every model` };
  const touched = models.filter((model) => files.some((file) => under(file, model)));
  return { models: touched, because: `${files.length} changed ${files.length === 1 ? "file" : "files"}` };
}

function under(file: string, folder: string): boolean {
  return file === folder || file.startsWith(`${folder.replace(/\/+$/, "")}/`);
}

/**
 * Paths that differ between a commit and HEAD, below the folder that git runs in and relative to it. Only the two trees
 * are compared, so no history is needed.
 */
async function changedFiles(commit: string, git: Git): Promise<string[]> {
  const { code, stdout, stderr } = await git([
    "diff",
    "--name-only",
    "--relative",
    "--no-renames",
    "-z",
    commit,
    "HEAD",
  ]);
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
    .filter((path) => path !== "");
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
  return (await readManifest(folder))["backend"] !== "hf-inference";
}

async function readManifest(folder: string): Promise<Record<string, unknown>> {
  const manifest: unknown = await readFile(join(folder, "model.yaml"), "utf8")
    .then((text) => parse(text) as unknown)
    .catch(() => null);
  return typeof manifest === "object" && manifest !== null ? (manifest as Record<string, unknown>) : {};
}
