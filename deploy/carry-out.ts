import type { Expected } from "./bundle/deployed.ts";
import { commitDeps, uncancelled, type Context } from "./context.ts";
import { fallBack, type FallBack } from "./fall-back.ts";
import { commitAfter, CommitUnclear, Overtaken } from "./hub/commit-once.ts";
import { DeployFailure } from "./hub/failure.ts";
import { HttpRefusal, NoAnswer } from "./hub/http.ts";
import { untilAnswered } from "./hub/until-answered.ts";
import { Progress } from "./progress.ts";
import type { Verified } from "./record/deployments.ts";
import type { DeploymentReceipt } from "./receipt.ts";
import type { Recorder } from "./recorder.ts";
import { waitAndProve } from "./serve-proof.ts";

/** What a deployment or a roll-back is to make of a Space. */
export type Change = {
  expected: Expected;
  isPrivate: boolean;
  /** Main before. */
  head: string;
  /**
   * Makes the commit; null if main holds the tree already.
   *
   * @param onSend to be called when from now on the commit may exist
   */
  commit: ((onSend: () => void) => Promise<string>) | null;
  /** Proved revisions to go back to, newest first, and why there are none if there are none. */
  candidates: readonly Verified[];
  noWay: string;
  /** What an earlier run has already found out about `revision`, before it could go back. */
  failedBefore: { revision: string; why: string } | null;
};

export type Ending = Pick<
  DeploymentReceipt,
  "outcome" | "reason" | "url" | "spaceCommit" | "serving" | "committed" | "rolledBackTo" | "proof" | "log"
>;

/**
 * Commits once, waits, proves and records, or goes back. From the moment in which the commit may have been sent, it does
 * not end before the revision is proved or undone, was overtaken, or nobody can find out; it says which.
 *
 * @throws what kept it from sending anything
 */
export async function carryOut(change: Change, context: Context, recorder: Recorder): Promise<Ending> {
  const progress = new Progress();
  const done = { revision: change.failedBefore?.revision ?? null, committed: false };
  try {
    return await steps(change, context, recorder, progress, done);
  } catch (error) {
    if (progress.mayEnd) throw error;
    // Nothing may end here unsaid, not even by a mistake of ours.
    return unknown(done.revision, done.committed, error as Error, uncancelled(context), recorder);
  }
}

type Done = { revision: string | null; committed: boolean };

async function steps(
  change: Change,
  context: Context,
  recorder: Recorder,
  progress: Progress,
  done: Done,
): Promise<Ending> {
  const { timeline } = context;
  const { expected, failedBefore } = change;
  const { model } = expected.deployed;
  if (failedBefore !== null) {
    progress.enter("committed");
    return undo(new DeployFailure("failed-before", failedBefore.why), change, context, recorder, progress, done);
  }
  try {
    done.revision = await commit(change, context, progress);
    done.committed = change.commit !== null;
  } catch (error) {
    if (error instanceof Overtaken) {
      done.committed = true;
      return overtaken(error.commit, true, error.message, context, recorder, progress);
    }
    if (!(error instanceof CommitUnclear)) {
      if (progress.state === "maybe-sent") progress.enter("nothing-sent");
      throw error;
    }
    progress.enter("unknown");
    return await unknown(null, true, error, uncancelled(context), recorder);
  }
  const { revision } = done;
  progress.enter("committed");
  try {
    context.deps.signal.throwIfAborted();
    await recorder.begin(revision);
    const awaited = { commit: revision, before: change.head };
    const { proof, url } = await waitAndProve(context, awaited, expected, change.isPrivate, (step) => {
      progress.enter(step);
    });
    progress.enter("live");
    await recorder.success(revision, url, proof);
    timeline.stage("live", `${model.id} ${model.version} at ${url}`);
    return {
      outcome: "live",
      reason: "proved",
      url,
      spaceCommit: revision,
      serving: revision,
      committed: done.committed,
      rolledBackTo: null,
      proof,
      log: [],
    };
  } catch (error) {
    if (progress.mayEnd) throw error;
    if (error instanceof Overtaken)
      return overtaken(revision, done.committed, error.message, context, recorder, progress);
    return undo(error, change, context, recorder, progress, done);
  }
}

/** The revision that holds the tree. A job that is cancelled while the commit is under way still finds out about it. */
async function commit(change: Change, context: Context, progress: Progress): Promise<string> {
  if (change.commit === null) {
    context.timeline.stage("commit", `none: ${change.head.slice(0, 7)} already holds this tree`);
    return change.head;
  }
  try {
    return await change.commit(() => {
      progress.enter("maybe-sent");
    });
  } catch (error) {
    if (!(error instanceof CommitUnclear) || !context.deps.signal.aborted) throw error;
    const working = uncancelled(context);
    const found = await commitAfter(
      working.space,
      error.plan,
      { mustHaveMoved: false, settles: false },
      commitDeps(working),
    );
    // The request may still be under way: that main has not moved yet decides nothing.
    if (found === null) throw error;
    return found;
  }
}

/** The new revision failed: go back to the last proved one. */
async function undo(
  error: unknown,
  change: Change,
  context: Context,
  recorder: Recorder,
  progress: Progress,
  done: Done,
): Promise<Ending> {
  progress.enter("undoing");
  const revision = done.revision!;
  const cancelled = context.deps.signal.aborted;
  const failure =
    error instanceof DeployFailure
      ? error
      : new DeployFailure(
          cancelled ? "cancelled" : "unreachable",
          cancelled ? "the job was cancelled" : (error as Error).message,
          { cause: error },
        );
  context.timeline.stage("failed", failure.message);
  for (const line of failure.log) context.timeline.log(line);
  const working = uncancelled(context);
  const [to] = change.candidates;
  const recorded = recorder.failed(
    working,
    revision,
    // A version whose job was cancelled was not found wrong, and a later run may try it again.
    cancelled ? "error" : "failure",
    failure.message,
    to === undefined ? "There is nothing to go back to." : `Going back to ${to.model} ${to.version}.`,
  );
  // A cancelled job has no time to write this down first.
  if (!cancelled) await recorded;
  const back: FallBack =
    to === undefined
      ? { done: false, kind: "nothing", why: change.noWay, to: null, revision: null }
      : await goBack(working, revision, change, !cancelled);
  await recorded;
  const common = { spaceCommit: revision, committed: done.committed, log: [...failure.log] };
  if (back.done) {
    progress.enter("undone");
    await recorder.returned(working, back);
    const reason = `${failure.message}. Rolled back: ${back.to.model} ${back.to.version} serves again, proved.`;
    context.timeline.stage("rolled back", `${back.to.model} ${back.to.version} serves again at ${back.url}, proved`);
    return {
      ...common,
      outcome: "rolled-back",
      reason,
      url: back.url,
      serving: back.revision,
      rolledBackTo: { commit: back.to.commit, restored: back.revision, model: back.to.model, version: back.to.version },
      proof: back.proof,
    };
  }
  context.timeline.stage("not rolled back", back.why);
  if (back.kind === "overtaken")
    return overtaken(revision, done.committed, `${failure.message}. ${back.why}`, working, recorder, progress);
  // What an outage has hidden is not known to be wrong.
  const isUnknown = back.kind === "unreachable" || (failure.code === "unreachable" && back.kind === "nothing");
  if (isUnknown) {
    progress.enter("unknown");
    return unknown(
      revision,
      done.committed,
      new Error(`${failure.message}. Not rolled back: ${back.why}`),
      working,
      recorder,
    );
  }
  progress.enter("failed");
  if (back.kind !== "nothing" && !cancelled)
    await recorder.ended(working, revision, "error", `${failure.message}. Not rolled back: ${back.why}`);
  return {
    ...common,
    outcome: "failed",
    reason: `${failure.message}. Not rolled back: ${back.why}.`,
    url: null,
    serving: null,
    rolledBackTo:
      back.to === null
        ? null
        : { commit: back.to.commit, restored: back.revision, model: back.to.model, version: back.to.version },
    proof: null,
  };
}

/** Going back matters most, so a Hub that does not answer is asked for as long as a build may take. */
async function goBack(context: Context, from: string, change: Change, mustProve: boolean): Promise<FallBack> {
  const { settings, deps, http } = context;
  try {
    return await untilAnswered(
      () => fallBack(context, from, change.candidates, change.isPrivate, mustProve),
      {
        outageMs: settings["build-timeout"],
        refusalMs: settings["settle-after"],
        pauseMs: settings["retry-wait"] * 4,
      },
      { ...deps, http },
    );
  } catch (error) {
    const why = `rolling back failed: ${(error as Error).message}`;
    const away = error instanceof HttpRefusal || error instanceof NoAnswer || deps.signal.aborted;
    return { done: false, kind: away ? "unreachable" : "unproved", why, to: null, revision: null };
  }
}

/** Somebody else's commit has replaced ours. It is theirs to answer for, so nothing is restarted or restored. */
async function overtaken(
  revision: string,
  committed: boolean,
  why: string,
  context: Context,
  recorder: Recorder,
  progress: Progress,
): Promise<Ending> {
  progress.enter("overtaken");
  context.timeline.stage("overtaken", why);
  await recorder.ended(context, revision, "inactive", `Overtaken: ${why}`);
  const reason = `${why}. Nothing was restarted or restored; what serves now is not this deployment's.`;
  return withoutProof("overtaken", reason, revision, committed);
}

/** Nobody could find out what serves. Says what to do next. */
async function unknown(
  revision: string | null,
  committed: boolean,
  cause: Error,
  context: Context,
  recorder: Recorder,
): Promise<Ending> {
  const { space, timeline } = context;
  const what =
    revision === null
      ? "The Space may or may not hold the new version"
      : `The Space holds ${revision.slice(0, 7)}, which is neither proved nor undone, or what replaced it`;
  const next = `look at the commits and the app of spaces/${space.name}, and run this deployment again when the Hub answers: it looks before it sends, and proves or undoes what it finds`;
  timeline.stage("unknown", `${cause.message}. Next: ${next}`);
  await recorder.ended(context, revision, "error", `Unknown: ${cause.message}`);
  return withoutProof("unknown", `${cause.message}. ${what}. Next: ${next}.`, revision, committed);
}

/** An ending that says nothing of what serves. */
const withoutProof = (
  outcome: Ending["outcome"],
  reason: string,
  revision: string | null,
  committed: boolean,
): Ending => ({
  outcome,
  reason,
  url: null,
  spaceCommit: revision,
  serving: null,
  committed,
  rolledBackTo: null,
  proof: null,
  log: [],
});
