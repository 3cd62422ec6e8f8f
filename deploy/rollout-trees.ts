import { posix } from "node:path";
import { ConfigurationError } from "../models/core/errors.ts";
import { CANDIDATE_DIR, ROLLOUT_FILE, rolloutPlan, type RolloutPlan } from "../models/core/rollout/plan.ts";
import { DEPLOYED_FILE, deployedSchema, GOLDEN_FILE, goldenSchema, parseTreeFile } from "./bundle/deployed.ts";
import { parseJsonFile } from "./bundle/json-file.ts";
import { treeFile, type Tree, type TreeFile } from "./bundle/tree.ts";
import type { Context } from "./context.ts";
import { recordOf } from "./serve-proof.ts";
import { DeployFailure } from "./hub/failure.ts";

/**
 * The tree that a Space holds now, as a version to roll out beside. Large files come without their bytes: a commit names
 * them by digest, and they stay where they are.
 *
 * @throws ConfigurationError where the Space holds no version of Sluice's
 */
export async function liveTree(context: Context): Promise<Tree> {
  const { space } = context;
  const { head } = await space.info();
  const record = await recordOf(context, head);
  if (record === null)
    throw new ConfigurationError({
      code: "rollout-baseline",
      place: `spaces/${space.name}`,
      problem: "the Space serves no version that Sluice deployed, so there is nothing to roll out beside",
      expected: "a version that `sluice deploy` has put there",
      hint: "deploy the first version without --rollout",
    });
  const { deployed, golden } = record;
  const files: TreeFile[] = [];
  for (const remote of await space.tree(head)) {
    const sha256 = deployed.files[remote.path];
    if (sha256 === undefined) continue;
    if (remote.lfs === null) files.push(treeFile(remote.path, await bytesOf(context, head, remote.path)));
    else files.push({ path: remote.path, bytes: new Uint8Array(), size: remote.lfs.size, sha256, gitOid: remote.oid });
  }
  return { files, deployed, golden };
}

async function bytesOf({ space }: Context, revision: string, path: string): Promise<Buffer> {
  const bytes = await space.read(revision, path);
  if (bytes !== null) return bytes;
  throw new DeployFailure("hub-bytes", `the Hub lists ${path} at ${revision.slice(0, 7)} and does not give it`);
}

/** The roll-out that a revision of the Space holds; null where it holds none. @throws ConfigurationError for a bad file */
export async function planIn({ space }: Context, revision: string): Promise<RolloutPlan | null> {
  const bytes = await space.read(revision, ROLLOUT_FILE);
  return bytes === null
    ? null
    : parseJsonFile(rolloutPlan, bytes, ROLLOUT_FILE, {
        code: "tree-file",
        origin: "a file that `sluice deploy --rollout` wrote",
        mismatch: "the file is not what it should be",
        schema: "a roll-out's plan",
        hint: "deploy the candidate with --rollout again",
      });
}

/**
 * The candidate's own tree, as it was made and judged, put together from the Space that rolls it out. Every file must be
 * the one that the candidate's record names.
 *
 * @throws DeployFailure where one is not
 */
export async function candidateTree(context: Context, revision: string): Promise<Tree> {
  const inside = (path: string) => posix.join(CANDIDATE_DIR, path);
  const record = await bytesOf(context, revision, inside(DEPLOYED_FILE));
  const deployed = parseTreeFile(deployedSchema, record, inside(DEPLOYED_FILE));
  const golden = await bytesOf(context, revision, inside(GOLDEN_FILE));
  const there = new Set((await context.space.tree(revision)).map(({ path }) => path));
  const files: TreeFile[] = [];
  for (const [path, sha256] of Object.entries(deployed.files)) {
    const place = there.has(inside(path)) ? inside(path) : path;
    const file = treeFile(path, await bytesOf(context, revision, place));
    if (file.sha256 !== sha256)
      throw new DeployFailure(
        "rollout-tree",
        `${place} of the Space is not the file that the candidate was judged with`,
      );
    files.push(file);
  }
  return {
    files: [...files, treeFile(DEPLOYED_FILE, record)],
    deployed,
    golden: parseTreeFile(goldenSchema, golden, inside(GOLDEN_FILE)),
  };
}
