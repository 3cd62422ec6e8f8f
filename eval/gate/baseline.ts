import { existsSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { ConfigurationError } from "../../models/core/errors.ts";
import { commitOf, listTree, mergeBaseWithDefaultBranch, type Git } from "./git.ts";
import { layOut, type LayOutDeps } from "./lay-out.ts";

/** What a person or an action asks for. `auto` is the production version at the merge base. */
export type BaselineChoice = "auto" | "none" | { ref: string } | { dir: string };

/** A folder with the baseline's model.yaml, or why there is none. `commit` is the commit that was looked at, if any. */
export type BaselineFolder =
  | { found: true; dir: string; source: string; commit: string | null }
  | { found: false; source: string; commit: string | null };

/** Where baselines and thresholds are read from; resolved once per run. */
export type Reference =
  | { kind: "none" }
  | { kind: "dir"; dir: string }
  | { kind: "commit"; commit: string; label: string }
  | { kind: "working-tree" };

export async function resolveReference(choice: BaselineChoice, git: Git): Promise<Reference> {
  if (choice === "none") return { kind: "none" };
  if (choice === "auto") {
    const base = await mergeBaseWithDefaultBranch(git);
    return base === null
      ? { kind: "working-tree" }
      : { kind: "commit", commit: base.commit, label: `merge base with ${base.branch}, ${base.commit.slice(0, 7)}` };
  }
  if ("dir" in choice) {
    if (!existsSync(choice.dir))
      throw new ConfigurationError({
        code: "baseline-not-found",
        problem: "the baseline folder does not exist",
        place: "--baseline",
        expected: "a folder with a model.yaml, a git ref, or none",
        received: choice.dir,
        example: "--baseline models/mood/production",
      });
    return { kind: "dir", dir: choice.dir };
  }
  const commit = await commitOf(git, choice.ref);
  if (commit === null)
    throw new ConfigurationError({
      code: "baseline-not-found",
      problem: "the baseline is neither a folder nor a commit known here",
      place: "--baseline",
      expected: "a folder with a model.yaml, a git ref, or none",
      received: choice.ref,
      example: "--baseline origin/main",
      hint: "in a shallow clone fetch more history first, e.g. fetch-depth: 0",
    });
  return {
    kind: "commit",
    commit,
    label: commit.startsWith(choice.ref) ? choice.ref.slice(0, 12) : `${choice.ref} (${commit.slice(0, 7)})`,
  };
}

/**
 * Finds the baseline of one model. Files at a commit are written to a folder of this run.
 *
 * At a commit, the model's `production` sub-folder holds its production version. In a repository without one, the
 * production version is the model's own folder at that commit, because the base branch holds what was let through.
 *
 * @param modelDir the candidate's folder, absolute
 * @param root the repository, absolute
 */
export async function findBaseline(
  reference: Reference,
  modelDir: string,
  root: string,
  production: string,
  deps: LayOutDeps,
): Promise<BaselineFolder> {
  switch (reference.kind) {
    case "none":
      return { found: false, source: "none asked for", commit: null };
    case "dir":
      return inFolder(reference.dir, modelDir, production);
    case "working-tree": {
      const dir = join(modelDir, production);
      return existsSync(join(dir, "model.yaml"))
        ? { found: true, dir, source: `${slashed(relative(root, dir))} in the working tree`, commit: null }
        : { found: false, source: `no ${production}/ beside model.yaml, and no base branch to look at`, commit: null };
    }
    case "commit": {
      const folder = slashed(relative(await topLevel(deps.git, root), modelDir));
      const files = await listTree(deps.git, reference.commit, folder);
      const kept = `${folder}/${production}`;
      const chosen = files.some((file) => file.path === `${kept}/model.yaml`) ? kept : folder;
      if (!files.some((file) => file.path === `${chosen}/model.yaml`)) {
        return {
          found: false,
          source: `no ${folder}/model.yaml at ${reference.label}: a first version`,
          commit: reference.commit,
        };
      }
      const inside = files.filter(
        (file) => file.path.startsWith(`${chosen}/`) && (chosen === kept || !file.path.startsWith(`${kept}/`)),
      );
      const dir = await layOut(inside, chosen, reference.commit, deps);
      return { found: true, dir, source: `${chosen} at ${reference.label}`, commit: reference.commit };
    }
  }
}

/** The text of a file at the reference; null when it is not there, or when the reference is not a commit. */
export async function readAtReference(
  reference: Reference,
  path: string,
  root: string,
  git: Git,
): Promise<string | null> {
  if (reference.kind !== "commit") return null;
  const relativePath = slashed(relative(await topLevel(git, root), path));
  const { code, stdout } = await git(["cat-file", "blob", `${reference.commit}:${relativePath}`]);
  return code === 0 ? stdout.toString("utf8") : null;
}

/** Paths under a folder whose content differs between a commit and the working tree. */
export async function changedSince(commit: string, folder: string, root: string, git: Git): Promise<string[]> {
  const top = await topLevel(git, root);
  const { code, stdout } = await git(["diff", "--name-only", "-z", commit, "--", join(top, relative(top, folder))]);
  return code === 0
    ? stdout
        .toString("utf8")
        .split("\0")
        .filter((path) => path !== "")
    : [];
}

async function topLevel(git: Git, root: string): Promise<string> {
  const { code, stdout } = await git(["rev-parse", "--show-toplevel"]);
  return code === 0 ? resolve(stdout.toString("utf8").trim()) : root;
}

function inFolder(dir: string, modelDir: string, production: string): BaselineFolder {
  const id = modelDir.split(sep).at(-1) as string;
  // The folder may be the model itself, hold several models, or be another checkout of the repository.
  for (const candidate of [dir, join(dir, id), join(dir, "models", id, production), join(dir, "models", id)]) {
    if (existsSync(join(candidate, "model.yaml")))
      return { found: true, dir: candidate, source: candidate, commit: null };
  }
  throw new ConfigurationError({
    code: "baseline-not-found",
    problem: `no model.yaml of ${id} in the baseline folder`,
    place: "--baseline",
    expected: `${dir}/model.yaml or ${dir}/${id}/model.yaml`,
    received: dir,
    example: "--baseline models/mood/production",
  });
}

function slashed(path: string): string {
  return path.split(sep).join("/");
}
