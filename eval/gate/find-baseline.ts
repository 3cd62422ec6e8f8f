import { existsSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { join, posix, relative, sep } from "node:path";
import { ConfigurationError } from "../../models/core/errors.ts";
import type { LoadedManifest } from "../../models/core/predictor/load.ts";
import type { BaseModels } from "./base-models.ts";
import type { Reference } from "./baseline.ts";
import type { EvaluationContext } from "./context.ts";
import { listTree, slashed } from "./git.ts";
import { layOutModel, plainManifestAt } from "./lay-out-model.ts";
import { provedVersion } from "./proved-version.ts";
import { differingFiles } from "./same-files.ts";
import { stepFolders } from "./step-folders.ts";

type CommitReference = Extract<Reference, { kind: "commit" }>;

/**
 * A folder with the baseline's model.yaml, or why there is none. `commit` is the commit that was looked at, if any;
 * `note` is for the reader of the report.
 */
export type BaselineFolder = { source: string; commit: string | null; note: string | null } & (
  | { found: true; dir: string }
  | { found: false }
);

/**
 * Finds the baseline of one model. Files at a commit are written to a folder of this run.
 *
 * At a commit, the model is found by its id, or the id that it had there, never by its folder. Where production is asked
 * for, the version counts that it served last (see `provedVersion`). Without one it is the model's `production` sub-folder, and
 * without that the model's own folder, because the base branch holds what was let through. Of a pull request, the commit
 * is the base branch's tip (see `standingBase`).
 */
export async function findBaseline(candidate: LoadedManifest, context: EvaluationContext): Promise<BaselineFolder> {
  const { reference, request } = context;
  const { production } = context.configuration;
  switch (reference.kind) {
    case "none":
      return { found: false, source: "none asked for", commit: null, note: null };
    case "dir":
      return inFolder(reference.dir, candidate.dir, production);
    case "working-tree": {
      const dir = join(candidate.dir, production);
      const place = { commit: null, note: null };
      return existsSync(join(dir, "model.yaml"))
        ? { found: true, dir, source: `${slashed(relative(request.root, dir))} in the working tree`, ...place }
        : {
            found: false,
            source: `no ${production}/ beside model.yaml, and no base branch to look at`,
            ...place,
          };
    }
    case "commit":
      return atCommit(candidate, reference, context);
  }
}

async function atCommit(
  candidate: LoadedManifest,
  reference: CommitReference,
  context: EvaluationContext,
): Promise<BaselineFolder> {
  const { id } = candidate.manifest;
  const known = context.continuity.continues.get(id)?.id ?? id;
  const { base, label, why } = await standingBase(known, candidate.dir, reference, context);
  const model = base?.models.find((one) => one.id === known);
  if (base === null || model === undefined)
    return {
      found: false,
      source: `no ${known} at ${label}: a first version`,
      commit: base?.commit ?? reference.commit,
      note: null,
    };
  const { commit } = base;
  const { version, note } = reference.production
    ? await provedVersion(known, commit, context)
    : { version: null, note: null };
  if (version !== null)
    return {
      found: true,
      dir: await layOutModel(version.commit, version.folder, context, { without: version.without }),
      source: `${known} ${version.version}, which production served last (${version.tag}), ${version.folder} at ${version.commit.slice(0, 7)}`,
      commit: version.commit,
      note,
    };
  const kept = posix.join(model.folder, base.production);
  const hasKept = (await listTree(context.git, commit, posix.join(kept, "model.yaml"))).length > 0;
  const chosen = hasKept ? kept : model.folder;
  const dir = await layOutModel(commit, chosen, context, { without: hasKept ? null : kept });
  return { found: true, dir, source: `${chosen} at ${label}${why}`, commit, note };
}

/**
 * Where a model's baseline is looked for. The author of a change chooses where it leaves the base branch, so what a merge
 * would replace is the model at the base branch's tip. Only a model that the change leaves alone is held against what it
 * was at the branch point: a merge keeps the tip's.
 *
 * @returns `why`: what the reader of the report is told of the choice
 */
async function standingBase(
  id: string,
  candidateDir: string,
  { commit, label, production }: CommitReference,
  { git, branchBase, policyBase, repository }: EvaluationContext,
): Promise<{ base: BaseModels | null; label: string; why: string }> {
  const branchPoint = { base: branchBase, label, why: "" };
  if (!production || policyBase === null || policyBase.commit === commit) return branchPoint;
  const modelOf = (base: BaseModels | null) => base?.models.find((one) => one.id === id);
  const [before, now] = [modelOf(branchBase), modelOf(policyBase)];
  if (before === undefined || now === undefined) return { base: policyBase, label: policyBase.label, why: "" };
  // A composition is what its models are, too.
  const foldersAt = async (at: string, folder: string) => [
    folder,
    ...(await stepFolders(folder, (one) => plainManifestAt(git, at, one))),
  ];
  const [oldFolders, currentFolders] = [
    await foldersAt(commit, before.folder),
    await foldersAt(policyBase.commit, now.folder),
  ];
  const [old, current] = await Promise.all([
    listTree(git, commit, oldFolders),
    listTree(git, policyBase.commit, currentFolders),
  ]);
  if (isDeepStrictEqual(old, current)) return { base: policyBase, label: policyBase.label, why: "" };
  const inPlace = before.folder === now.folder && before.folder === slashed(relative(repository, candidateDir));
  const changed = async () => {
    for (const folder of oldFolders)
      if ((await differingFiles(git, commit, folder, join(repository, folder))).length > 0) return true;
    return false;
  };
  return inPlace && !(await changed())
    ? { ...branchPoint, why: ", which this change leaves as it was there" }
    : {
        base: policyBase,
        label: policyBase.label,
        why: `, where the base branch is now; this change left it at ${commit.slice(0, 7)}, when the model's files were others`,
      };
}

function inFolder(dir: string, modelDir: string, production: string): BaselineFolder {
  const id = modelDir.split(sep).at(-1) as string;
  // The folder may be the model itself, hold several models, or be another checkout of the repository.
  for (const candidate of [dir, join(dir, id), join(dir, "models", id, production), join(dir, "models", id)]) {
    if (existsSync(join(candidate, "model.yaml")))
      return { found: true, dir: candidate, source: candidate, commit: null, note: null };
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
