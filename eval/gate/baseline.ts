import { existsSync } from "node:fs";
import { relative } from "node:path";
import { ConfigurationError } from "../../models/core/errors.ts";
import { commitOf, mergeBaseWithDefaultBranch, readAt, slashed, topLevel, type Git } from "./git.ts";

/**
 * What a person or an action asks for. `auto`: the production version as of the merge base with the default branch.
 * `production`: of a commit, the same is asked for; otherwise the models of exactly this commit.
 */
export type BaselineChoice = "auto" | "none" | { ref: string; production?: boolean } | { dir: string };

/** Where baselines and thresholds are read from; resolved once per run. */
export type Reference =
  | { kind: "none" }
  | { kind: "dir"; dir: string }
  /** `production`: whether the last proved version is wanted, which may be of another commit. */
  | { kind: "commit"; commit: string; label: string; production: boolean }
  | { kind: "working-tree" };

export async function resolveReference(choice: BaselineChoice, git: Git): Promise<Reference> {
  if (choice === "none") return { kind: "none" };
  if (choice === "auto") {
    const base = await mergeBaseWithDefaultBranch(git);
    return base === null
      ? { kind: "working-tree" }
      : {
          kind: "commit",
          commit: base.commit,
          label: `merge base with ${base.branch}, ${base.commit.slice(0, 7)}`,
          production: true,
        };
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
    production: choice.production === true,
    label: commit.startsWith(choice.ref) ? choice.ref.slice(0, 12) : `${choice.ref} (${commit.slice(0, 7)})`,
  };
}

/** The text of a file at the reference; null when it is not there, or when the reference is not a commit. */
export async function readAtReference(
  reference: Reference,
  path: string,
  root: string,
  git: Git,
): Promise<string | null> {
  if (reference.kind !== "commit") return null;
  return readAt(git, reference.commit, slashed(relative(await topLevel(git, root), path)));
}
