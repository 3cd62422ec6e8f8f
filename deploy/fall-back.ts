import type { Expected } from "./bundle/deployed.ts";
import { restorationOf, sameTree } from "./content.ts";
import { commitDeps, type Context } from "./context.ts";
import { commitOnce, CommitUnclear, HeadMoved, Overtaken } from "./hub/commit-once.ts";
import type { CommitLine } from "./hub/repository.ts";
import { DeployFailure } from "./hub/failure.ts";
import type { Verified } from "./record/deployments.ts";
import type { Proof } from "./prove/prove.ts";
import { recordOf, waitAndProve } from "./serve-proof.ts";

/**
 * A return to an earlier revision. What `kind` says of one that was not made: `nothing` is known to go back to; somebody
 * else has `overtaken`; it was committed and is `unproved`; nobody knows, because the Hub is `unreachable`.
 */
export type FallBack =
  | { done: true; to: Verified; revision: string; deployed: Expected["deployed"]; proof: Proof; url: string }
  | {
      done: false;
      kind: "nothing" | "overtaken" | "unproved" | "unreachable";
      why: string;
      to: Verified | null;
      revision: string | null;
    };

/** By these words a later run knows what a restoring commit was made for. */
const undoing = (from: string) => `Undoes ${from}.`;

/** The revision that a commit of ours undoes, by its description; null if it undoes none. */
export function undoneBy(description: string): string | null {
  return /Undoes ([0-9a-f]{40})\./.exec(description)?.[1] ?? null;
}

/**
 * Puts the last proved tree back by a new commit, referring to large files by object id only, and proves it like any
 * other.
 *
 * @param from the revision that failed. If main is no longer at it, and not at its restoration either, somebody else has
 * taken over and nothing is changed
 * @param mustProve false if no time is left because the job is being cancelled: then only the commit is made
 * @throws HttpRefusal, NoAnswer if the Hub does not answer
 */
export async function fallBack(
  context: Context,
  from: string,
  candidates: readonly Verified[],
  isPrivate: boolean,
  mustProve = true,
): Promise<FallBack> {
  const { space, timeline } = context;
  const { head, undoes } = await headSeen(context, from);
  const current = await space.tree(head);
  if (head !== from) {
    // An earlier attempt may have got this far. A person's own revert is theirs.
    if (undoes !== from) return overtakenBy(space.name, head);
    for (const to of candidates)
      if (sameTree(await space.tree(to.commit), current))
        return mustProve ? proveRestored(context, to, { commit: head, before: from }, isPrivate) : unproved(to, head);
    return overtakenBy(space.name, head);
  }
  for (const to of candidates) {
    if (to.commit === from) continue;
    const good = await space.tree(to.commit);
    if (sameTree(good, current)) continue;
    timeline.stage("roll back", `to ${to.model} ${to.version} (${to.commit.slice(0, 7)}), ${to.source}`);
    let revision: string;
    try {
      revision = await restore(context, to, head, undoing(from));
    } catch (error) {
      if (error instanceof HeadMoved || error instanceof Overtaken)
        return { done: false, kind: "overtaken", why: error.message, to: null, revision: null };
      if (error instanceof CommitUnclear)
        return { done: false, kind: "unreachable", why: error.message, to, revision: null };
      throw error;
    }
    if (!mustProve) return unproved(to, revision);
    return await proveRestored(context, to, { commit: revision, before: head }, isPrivate);
  }
  return {
    done: false,
    kind: "nothing",
    why: "no earlier revision of this Space is known to have been proved",
    to: null,
    revision: null,
  };
}

/** Main, and what its last commit undoes. What speaks against us is asked for again, since replicas lag behind. */
async function headSeen({ space, http }: Context, from: string): Promise<{ head: string; undoes: string | null }> {
  for (let look = 1; ; look += 1) {
    const { head } = await space.info();
    if (head === from) return { head, undoes: null };
    const made = (await space.log()).find(({ id }) => id === head);
    const undoes = made === undefined ? null : undoneBy(made.message);
    if (undoes === from || look >= 3) return { head, undoes };
    await http.pause(look);
  }
}

function overtakenBy(space: string, head: string): FallBack {
  return {
    done: false,
    kind: "overtaken",
    why: `main of ${space} is at ${head.slice(0, 7)}, which this deployment did not make: it is left as it is`,
    to: null,
    revision: null,
  };
}

function unproved(to: Verified, revision: string): FallBack {
  const why = "it was committed, and there was no time to prove it";
  return { done: false, kind: "unproved", why, to, revision };
}

/**
 * @param why what stands in the commit's description besides what it restores
 * @returns the new revision that holds the earlier tree
 * @throws as `commitOnce` does
 */
export async function restore(
  context: Context,
  to: Verified,
  parent: string,
  why: string,
  onSend: () => void = () => {},
): Promise<string> {
  const { space, timeline } = context;
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
  const mark = `[${context.mark} back]`;
  const revision = await commitOnce(
    space,
    {
      lines,
      parent,
      title: `Restore ${to.model} ${to.version}`,
      description: [`The tree of ${to.commit}, proved before.`, why, context.logUrl ?? "", mark]
        .filter((one) => one !== "")
        .join(" "),
      mark,
      isDone: async (head) => sameTree(good, await space.tree(head)),
    },
    { ...commitDeps(context), onSend },
  );
  timeline.stage(
    "commit",
    `${revision.slice(0, 7)}: ${large.length} large files by name, ${small.length} small ones, ${remove.length} removed`,
  );
  return revision;
}

async function proveRestored(
  context: Context,
  to: Verified,
  awaited: { commit: string; before: string },
  isPrivate: boolean,
): Promise<FallBack> {
  const { commit: revision } = awaited;
  const failed = (why: string): FallBack => ({ done: false, kind: "unproved", why, to, revision });
  const record = await recordOf(context, revision);
  if (record === null)
    return failed(
      `the restored revision ${revision.slice(0, 7)} carries no deployment.json and golden.json to prove it by`,
    );
  try {
    const { proof, url } = await waitAndProve(context, awaited, record, isPrivate, () => {});
    return { done: true, to, revision, deployed: record.deployed, proof, url };
  } catch (error) {
    context.deps.signal.throwIfAborted();
    if (error instanceof Overtaken) return { done: false, kind: "overtaken", why: error.message, to, revision };
    return failed(`the restored revision ${revision.slice(0, 7)} could not be proved: ${(error as Error).message}`);
  }
}
