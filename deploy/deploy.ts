import { ConfigurationError, type Diagnostic } from "../models/core/errors.ts";
import { largeWeights, withHubWeights, type LargeWeights } from "./bundle/hub-weights.ts";
import type { Tree } from "./bundle/tree.ts";
import { carryOut, type Change } from "./carry-out.ts";
import { isTree } from "./content.ts";
import { commitDeps, type Context } from "./context.ts";
import { undoneBy } from "./fall-back.ts";
import { commitOnce } from "./hub/commit-once.ts";
import { describePlan, plan, refusals, type CurrentState, type Step } from "./plan.ts";
import { withoutFiles, type DeploymentReceipt } from "./receipt.ts";
import { lastStateOf } from "./record/deployments.ts";
import { Recorder } from "./recorder.ts";
import { expectedOf } from "./serve-proof.ts";
import { hubAnswer, readState, withLivePredecessor } from "./state.ts";
import { uploadNotes } from "./upload-notes.ts";
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
      const failedBefore = await leftBy(seen, space, context);
      if (failedBefore !== null) timeline.note(failedBefore.why);
      // File by file only where the plan is all there is: in --dry-run.
      for (const line of describePlan(context.space.name, steps, space).filter((one) => !/^ {2}[+-] /.test(one)))
        timeline.note(line);
      const first = steps.find((step) => step.kind === "commit");
      const way = steps.find((step) => step.kind === "fall-back");
      const change: Change = {
        expected: expectedOf(space),
        isPrivate: state.info.private,
        head: state.info.head,
        commit: first !== undefined ? (onSend) => commitTree(first, space, context, onSend) : null,
        candidates: failedBefore !== null ? seen.verified : way?.to == null ? [] : state.verified,
        noWay: way?.why ?? "",
        failedBefore,
      };
      return { result: await carryOut(change, context, recorder), space };
    },
  );
  return {
    schemaVersion: 1,
    ...result,
    space: context.space.name,
    environment,
    deployed: withoutFiles(space.deployed),
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

function refuse(diagnostics: readonly Diagnostic[]): void {
  const [first, ...others] = diagnostics;
  if (first !== undefined) throw new ConfigurationError({ ...first, ...(others.length === 0 ? {} : { others }) });
}

async function commitTree(
  step: Step & { kind: "commit" },
  tree: Tree,
  context: Context,
  onSend: () => void,
): Promise<string> {
  const { space, timeline, deps, reason, logUrl } = context;
  const { model, source } = tree.deployed;
  timeline.stage("upload", `${step.changes.upload.length} files, ${(step.bytes / 1_048_576).toFixed(1)} MiB`);
  const mark = `[${context.mark} deploy]`;
  const note = (text: string) => {
    timeline.note(text);
  };
  const revision = await hubAnswer(context, async () => {
    const lines = await space.upload(step.changes.upload, uploadNotes(note, deps.monotonic));
    for (const path of step.changes.remove) lines.push({ key: "deletedFile", value: { path } });
    deps.signal.throwIfAborted();
    return commitOnce(
      space,
      {
        lines,
        parent: step.parent,
        title: `Deploy ${model.id} ${model.version}`,
        description: [`From commit ${source.commit ?? "unknown"}.`, reason, logUrl ?? "", mark]
          .filter((one) => one !== "")
          .join(" "),
        mark,
        isDone: async (head) => isTree(tree.files, await space.tree(head)),
      },
      { ...commitDeps(context), onSend },
    );
  });
  timeline.stage("commit", revision.slice(0, 7));
  return revision;
}

/**
 * What a run that was killed has left undone: it had found this very tree to be wrong, and may already have restored the
 * earlier one, but proved nothing. The wrong tree is not served again to find that out once more.
 */
async function leftBy(state: CurrentState, tree: Tree, context: Context): Promise<Change["failedBefore"]> {
  const { space, github, environment } = context;
  const { info, files, verified } = state;
  if (github === null || verified.length === 0 || verified.some(({ commit }) => commit === info.head)) return null;
  const holdsIt = isTree(tree.files, files);
  const made = holdsIt ? undefined : (await space.log()).find(({ id }) => id === info.head);
  const revision = holdsIt ? info.head : made === undefined ? null : undoneBy(made.message);
  if (revision === null || !(holdsIt || isTree(tree.files, await space.tree(revision)))) return null;
  // A run that came to its own end has written another state after the failure.
  if ((await lastStateOf(github, environment, space.name, revision)) !== "failure") return null;
  return {
    revision,
    why: "an earlier run found that this version does not prove itself, and ended before the last one was back",
  };
}
