import type { Deployed } from "./bundle/deployed.ts";
import { restorationOf, sameTree } from "./content.ts";
import type { Context } from "./context.ts";
import { commitOnce } from "./hub/commit-once.ts";
import type { CommitLine } from "./hub/repository.ts";
import { DeployFailure } from "./hub/failure.ts";
import type { Verified } from "./record/deployments.ts";
import type { Proof } from "./prove/prove.ts";
import { recordOf, waitAndProve } from "./serve-proof.ts";

export type FallBack =
  | { done: true; to: Verified; revision: string; deployed: Deployed; proof: Proof; url: string }
  | { done: false; why: string; to: Verified | null; revision: string | null };

/**
 * Puts the last proved tree back by a new commit, referring to large files by object id only, and proves it like any
 * other.
 *
 * @param from the revision that failed. If main is no longer at it, somebody else has taken over and nothing is changed
 * @param mustProve false if no time is left because the job is being cancelled: then only the commit is made
 */
export async function fallBack(
  context: Context,
  from: string,
  candidates: readonly Verified[],
  isPrivate: boolean,
  mustProve = true,
): Promise<FallBack> {
  const { space, timeline } = context;
  const { head } = await space.info();
  const restored = head === from ? null : await restoredAt(context, head, candidates);
  if (restored !== null)
    return mustProve
      ? proveRestored(context, restored, head, isPrivate)
      : { done: false, why: "it was committed, and there was no time to prove it", to: restored, revision: head };
  if (head !== from)
    return {
      done: false,
      why: `main of ${space.name} is at ${head.slice(0, 7)}, which this deployment did not make: it is left as it is`,
      to: null,
      revision: null,
    };
  const current = await space.tree(head);
  for (const to of candidates) {
    if (to.commit === from) continue;
    const good = await space.tree(to.commit);
    if (sameTree(good, current)) continue;
    timeline.stage("roll back", `to ${to.model} ${to.version} (${to.commit.slice(0, 7)}), ${to.source}`);
    const revision = await restore(context, to, head);
    if (!mustProve) return { done: false, why: "it was committed, and there was no time to prove it", to, revision };
    return await proveRestored(context, to, revision, isPrivate);
  }
  return {
    done: false,
    why: "no earlier revision of this Space is known to have been proved",
    to: null,
    revision: null,
  };
}

/**
 * The proved revision whose tree main already holds, because an earlier attempt got that far; null if it holds none of
 * them.
 */
async function restoredAt(context: Context, head: string, candidates: readonly Verified[]): Promise<Verified | null> {
  const current = await context.space.tree(head);
  for (const to of candidates) if (sameTree(await context.space.tree(to.commit), current)) return to;
  return null;
}

/** @returns the new revision that holds the earlier tree */
export async function restore(context: Context, to: Verified, parent: string): Promise<string> {
  const { space, timeline, deps, settings } = context;
  const good = await space.tree(to.commit);
  const { large, small, remove } = restorationOf(good, await space.tree(parent));
  const lines: CommitLine[] = [...large];
  for (const file of small) {
    const bytes = await space.read(to.commit, file.path, file);
    if (bytes === null)
      throw new DeployFailure("restore", `${file.path} of ${to.commit.slice(0, 7)} cannot be read back`);
    lines.push({ key: "file", value: { path: file.path, content: bytes.toString("base64"), encoding: "base64" } });
  }
  for (const path of remove) lines.push({ key: "deletedFile", value: { path } });
  const revision = await commitOnce(
    space,
    {
      lines,
      parent,
      title: `Restore ${to.model} ${to.version}`,
      description: `The tree of ${to.commit}, proved before. ${context.logUrl ?? ""}`.trim(),
      isDone: async (head) => sameTree(good, await space.tree(head)),
    },
    { ...deps, retryMs: settings["retry-wait"] },
  );
  timeline.stage(
    "commit",
    `${revision.slice(0, 7)}: ${large.length} large files by name, ${small.length} small ones, ${remove.length} removed`,
  );
  return revision;
}

async function proveRestored(context: Context, to: Verified, revision: string, isPrivate: boolean): Promise<FallBack> {
  const record = await recordOf(context, revision);
  if (record === null)
    return {
      done: false,
      why: `the restored revision ${revision.slice(0, 7)} carries no deployment.json and golden.json to prove it by`,
      to,
      revision,
    };
  try {
    const { proof, url } = await waitAndProve(context, revision, record, isPrivate);
    return { done: true, to, revision, deployed: record.deployed, proof, url };
  } catch (error) {
    context.deps.signal.throwIfAborted();
    return {
      done: false,
      why: `the restored revision ${revision.slice(0, 7)} could not be proved: ${(error as Error).message}`,
      to,
      revision,
    };
  }
}
