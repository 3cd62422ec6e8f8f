import { existsSync } from "node:fs";
import { join, posix, relative, sep } from "node:path";
import { ConfigurationError } from "../../models/core/errors.ts";
import type { LoadedManifest } from "../../models/core/predictor/load.ts";
import type { EvaluationContext } from "./context.ts";
import { listTree, slashed } from "./git.ts";
import { layOut } from "./lay-out.ts";
import { provedVersion } from "./proved-version.ts";

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
 * for, the last proved version counts (see `provedVersion`). Without one it is the model's `production` sub-folder, and
 * without that the model's own folder, because the base branch holds what was let through.
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
      return atCommit(candidate.manifest.id, reference, context);
  }
}

async function atCommit(
  id: string,
  { commit, label, production }: { commit: string; label: string; production: boolean },
  context: EvaluationContext,
): Promise<BaselineFolder> {
  const { branchBase, continuity } = context;
  const known = continuity.continues.get(id)?.id ?? id;
  const model = branchBase?.models.find((one) => one.id === known);
  if (branchBase === null || model === undefined)
    return { found: false, source: `no ${known} at ${label}: a first version`, commit, note: null };
  const { version, note } = production ? await provedVersion(known, commit, context) : { version: null, note: null };
  if (version !== null)
    return {
      found: true,
      dir: await modelAt(version.commit, version.folder, version.without, context),
      source: `${version.tag}, the last proved version, ${version.folder} at ${version.commit.slice(0, 7)}`,
      commit: version.commit,
      note,
    };
  const kept = posix.join(model.folder, branchBase.production);
  const hasKept = (await listTree(context.git, commit, posix.join(kept, "model.yaml"))).length > 0;
  const chosen = hasKept ? kept : model.folder;
  const dir = await modelAt(commit, chosen, hasKept ? null : kept, context);
  return { found: true, dir, source: `${chosen} at ${label}`, commit, note };
}

async function modelAt(commit: string, folder: string, without: string | null, context: EvaluationContext) {
  const files = await listTree(context.git, commit, folder);
  const inside = files.filter(({ path }) => without === null || !path.startsWith(`${without}/`));
  return layOut(inside, folder, commit, context);
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
