import { ConfigurationError, type Diagnostic } from "../models/core/errors.ts";
import { largeWeights, withHubWeights, type LargeWeights } from "./bundle/hub-weights.ts";
import type { Tree } from "./bundle/tree.ts";
import { isTree } from "./content.ts";
import { uncancelled, type Context } from "./context.ts";
import { DeployFailure } from "./hub/failure.ts";
import { fallBack, type FallBack } from "./fall-back.ts";
import { commitOnce } from "./hub/commit-once.ts";
import { describePlan, plan, refusals, type CurrentState, type Step } from "./plan.ts";
import type { Proof } from "./prove/prove.ts";
import type { DeploymentReceipt } from "./receipt.ts";
import { Recorder } from "./recorder.ts";
import { waitAndProve } from "./serve-proof.ts";
import { hubAnswer, readState, withLivePredecessor } from "./state.ts";
import { withLock } from "./with-lock.ts";
import { readWeightsState, publishWeights, type WeightsState } from "./weights.ts";

/**
 * Deploys a tree: takes the lock, reads the state, plans, refuses or commits once, waits, proves and records. If
 * waiting or proving fails, it goes back to the last proved tree. It never leaves a lock behind unless the process is
 * killed.
 *
 * @returns what happened; `outcome` says whether the tree is live
 * @throws ConfigurationError for every refusal before anything was changed; HttpRefusal, NoAnswer if the Hub or GitHub
 * failed before anything was changed
 */
export async function deploy(tree: Tree, context: Context): Promise<DeploymentReceipt> {
  const { timeline, environment, deps } = context;
  const startedAt = new Date(deps.now()).toISOString();
  const recorder = new Recorder(context, tree);
  const { result, space } = await withLock(
    context,
    () => recorder,
    async () => {
      const seen = await readState(context, tree.deployed.model);
      const wanted = await withWeights(tree, context);
      refuse(refusals(seen, wanted, context.settings));
      const state = await withLivePredecessor(context, seen);
      const space = await published(tree, wanted, context);
      const steps = plan(state, space);
      // File by file only where the plan is all there is: in --dry-run.
      for (const line of describePlan(context.space.name, steps, space).filter((one) => !/^ {2}[+-] /.test(one)))
        timeline.note(line);
      return { result: await execute(steps, state, space, context, recorder), space };
    },
  );
  return {
    schemaVersion: 1,
    ...result,
    space: context.space.name,
    environment,
    deployed: withoutFiles(space),
    githubDeployment: recorder.deployment,
    tag: recorder.tag,
    notRecorded: recorder.problems,
    startedAt,
    finishedAt: new Date(deps.now()).toISOString(),
    timeline: timeline.entries,
  };
}

/** The plan of what `deploy` would do. Takes no lock and changes nothing. */
export async function dryRun(tree: Tree, context: Context): Promise<string[]> {
  const seen = await readState(context, tree.deployed.model);
  const wanted = await withWeights(tree, context);
  refuse(refusals(seen, wanted, context.settings));
  const state = await withLivePredecessor(context, seen);
  return describePlan(context.space.name, plan(state, wanted), wanted);
}

type TreeWithWeights = Tree & { large: LargeWeights | null; weights: WeightsState | null };

/**
 * The tree as the Space will hold it, with the state of its large weights. A commit that has yet to be made is shown as
 * zeros.
 */
async function withWeights(tree: Tree, context: Context): Promise<TreeWithWeights> {
  const large = largeWeights(tree, context.settings["max-weights-bytes"]);
  if (large === null || context.weights === null) return { ...tree, large: null, weights: null };
  const weights = await readWeightsState(context, context.weights, large);
  return { ...withHubWeights(tree, large, weights.repository, weights.revision ?? "0".repeat(40)), large, weights };
}

/** The tree to commit, after its large weights were committed to their repository. */
async function published(tree: Tree, { large, weights }: TreeWithWeights, context: Context): Promise<Tree> {
  if (large === null || weights === null || context.weights === null) return tree;
  if (weights.private && weights.secret === null)
    context.timeline.note(
      `${weights.repository} is private: the Space needs a secret HF_TOKEN that may read it, and this token may not look whether it has one`,
    );
  const { id, version } = tree.deployed.model;
  const revision = await publishWeights(context, context.weights, large, weights, `Weights of ${id} ${version}`);
  context.timeline.stage(
    "weights",
    `${weights.repository}@${revision.slice(0, 7)}${weights.revision === null ? "" : ", there before"}`,
  );
  return withHubWeights(tree, large, weights.repository, revision);
}

export function withoutFiles({
  deployed: { files: _files, ...rest },
}: Pick<Tree, "deployed">): DeploymentReceipt["deployed"] {
  return rest;
}

type Result = Pick<
  DeploymentReceipt,
  "outcome" | "reason" | "url" | "spaceCommit" | "serving" | "committed" | "rolledBackTo" | "proof" | "log"
>;

function refuse(diagnostics: readonly Diagnostic[]): void {
  const [first, ...others] = diagnostics;
  if (first !== undefined) throw new ConfigurationError({ ...first, ...(others.length === 0 ? {} : { others }) });
}

async function execute(
  steps: readonly Step[],
  state: CurrentState,
  tree: Tree,
  context: Context,
  recorder: Recorder,
): Promise<Result> {
  const first = steps[0]!;
  const committed = first.kind === "commit";
  const revision = first.kind === "commit" ? await commitTree(first, tree, context) : state.info.head;
  if (!committed) context.timeline.stage("commit", `none: ${revision.slice(0, 7)} already holds this tree`);
  try {
    await recorder.begin(revision);
    const { proof, url } = await waitAndProve(context, revision, tree, state.info.private);
    await recorder.success(revision, url, proof);
    context.timeline.stage("live", `${tree.deployed.model.id} ${tree.deployed.model.version} at ${url}`);
    return {
      outcome: "live",
      reason: "proved",
      url,
      spaceCommit: revision,
      serving: revision,
      committed,
      rolledBackTo: null,
      proof,
      log: [],
    };
  } catch (error) {
    const way = steps.find((step) => step.kind === "fall-back");
    return await undo(
      error,
      revision,
      committed,
      way?.to == null ? { ...state, verified: [] } : state,
      way?.why ?? "",
      context,
      recorder,
    );
  }
}

async function commitTree(step: Step & { kind: "commit" }, tree: Tree, context: Context): Promise<string> {
  const { space, timeline, deps, settings, reason, logUrl } = context;
  const { model, source } = tree.deployed;
  timeline.stage("upload", `${step.changes.upload.length} files, ${(step.bytes / 1_048_576).toFixed(1)} MiB`);
  const revision = await hubAnswer(context, async () => {
    const lines = await space.upload(step.changes.upload, (path) => {
      timeline.note(`uploading ${path}`);
    });
    for (const path of step.changes.remove) lines.push({ key: "deletedFile", value: { path } });
    deps.signal.throwIfAborted();
    return commitOnce(
      space,
      {
        lines,
        parent: step.parent,
        title: `Deploy ${model.id} ${model.version}`,
        description: [`From commit ${source.commit ?? "unknown"}.`, reason, logUrl ?? ""].join(" ").trim(),
        isDone: async (head) => isTree(tree.files, await space.tree(head)),
      },
      { ...deps, retryMs: settings["retry-wait"] },
    );
  });
  timeline.stage("commit", revision.slice(0, 7));
  return revision;
}

/** The new revision failed: go back to the last proved one. */
async function undo(
  error: unknown,
  revision: string,
  committed: boolean,
  state: CurrentState,
  noWay: string,
  context: Context,
  recorder: Recorder,
): Promise<Result> {
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
  const back: FallBack =
    state.verified.length === 0
      ? { done: false, why: noWay, to: null, revision: null }
      : await persistently(working, () => fallBack(working, revision, state.verified, state.info.private, !cancelled));
  await recorder.failure(working, failure.message, back);
  const common = { spaceCommit: revision, committed, log: [...failure.log] };
  if (back.done) {
    const reason = `${failure.message}. Rolled back: ${back.to.model} ${back.to.version} serves again, proved.`;
    context.timeline.stage("rolled back", `${back.to.model} ${back.to.version} serves again at ${back.url}, proved`);
    return {
      ...common,
      outcome: "rolled-back",
      reason,
      url: back.url,
      serving: back.revision,
      rolledBackTo: { commit: back.to.commit, restored: back.revision, model: back.to.model, version: back.to.version },
      proof: back.proof as Proof,
    };
  }
  context.timeline.stage("not rolled back", back.why);
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

/** Going back matters most, so it is retried for longer than anything else when the Hub does not answer. */
async function persistently(context: Context, act: () => Promise<FallBack>): Promise<FallBack> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await act();
    } catch (problem) {
      if (context.deps.signal.aborted || attempt >= 5)
        return { done: false, why: `rolling back failed: ${(problem as Error).message}`, to: null, revision: null };
      context.timeline.note(`rolling back: ${(problem as Error).message}; trying again`);
      await context.http.pause(attempt + 2).catch(() => {});
    }
  }
}
