import { ConfigurationError } from "../models/core/errors.ts";
import type { Deployed, Golden } from "./bundle/deployed.ts";
import { restorationOf, sameTree } from "./content.ts";
import type { Context } from "./context.ts";
import { withoutFiles } from "./deploy.ts";
import { DeployFailure } from "./hub/failure.ts";
import { fallBack, restore } from "./fall-back.ts";
import type { CurrentState } from "./plan.ts";
import type { DeploymentReceipt } from "./receipt.ts";
import { pastDeployments, verifiedBy, verifiedRevisions, wasProved, type Verified } from "./record/deployments.ts";
import type { GitHubRecords } from "./record/github-records.ts";
import { Recorder } from "./recorder.ts";
import { recordOf, waitAndProve } from "./serve-proof.ts";
import { hubAnswer, readState, withLivePredecessor } from "./state.ts";
import { withLock } from "./with-lock.ts";

/**
 * Goes back, on a person's request, to a version that was proved in this environment: restores its tree by a new
 * commit.
 *
 * @param version the version to go back to; null for the last proved one that main does not hold
 * @throws ConfigurationError when there is none
 */
export async function rollback(model: string, version: string | null, context: Context): Promise<DeploymentReceipt> {
  const { environment, deps, timeline, space } = context;
  const startedAt = new Date(deps.now()).toISOString();
  const github = recordsOf(context);
  let recorder: Recorder | null = null;
  return withLock(
    context,
    () => recorder,
    async () => {
      const info = await hubAnswer(context, () => space.info());
      const current = await space.tree(info.head);
      const to = await findTarget(context, github, model, version, info.head);
      const record = await requireRecord(context, to);
      const records = (recorder = new Recorder(context, { deployed: record.deployed, files: [] }, "rollback"));
      const state: CurrentState = await withLivePredecessor(context, await readState(context, record.deployed.model));
      const committed = !sameTree(await space.tree(to.commit), current);
      timeline.stage("roll back", `to ${to.model} ${to.version} (${to.commit.slice(0, 7)}), ${to.source}`);
      const revision = committed ? await restore(context, to, info.head) : info.head;
      const deployed = withoutFiles(record);
      const common = {
        schemaVersion: 1 as const,
        space: space.name,
        environment,
        deployed,
        spaceCommit: revision,
        committed,
        tag: null,
        startedAt,
        timeline: timeline.entries,
      };
      const finish = () => ({
        githubDeployment: records.deployment,
        notRecorded: records.problems,
        finishedAt: new Date(deps.now()).toISOString(),
      });
      try {
        await records.begin(revision);
        const { proof, url } = await waitAndProve(context, revision, record, info.private);
        await records.success(revision, url, proof);
        timeline.stage("live", `${to.model} ${to.version} at ${url}`);
        return {
          ...common,
          ...finish(),
          outcome: "live",
          reason: `rolled back to ${to.version}, proved`,
          url,
          serving: revision,
          rolledBackTo: { commit: to.commit, restored: revision, model: to.model, version: to.version },
          proof,
          log: [],
        };
      } catch (error) {
        if (!(error instanceof DeployFailure)) throw error;
        timeline.stage("failed", error.message);
        const back = await fallBack(
          context,
          revision,
          state.verified.filter(({ commit }) => commit !== to.commit),
          info.private,
        );
        await records.failure(context, error.message, back);
        return {
          ...common,
          ...finish(),
          outcome: back.done ? "rolled-back" : "failed",
          reason: `${error.message}. ${back.done ? `${back.to.version} serves again.` : `Not undone: ${back.why}.`}`,
          url: back.done ? back.url : null,
          serving: back.done ? back.revision : null,
          rolledBackTo: null,
          proof: null,
          log: [...error.log],
        };
      }
    },
  );
}

/** What `rollback` would do. Takes no lock and changes nothing. @throws as `rollback` does */
export async function rollbackDryRun(
  model: string,
  version: string | null,
  context: Context,
): Promise<{ lines: string[]; deployed: Omit<Deployed, "files"> }> {
  const { space } = context;
  const github = recordsOf(context);
  const { head } = await hubAnswer(context, () => space.info());
  const to = await findTarget(context, github, model, version, head);
  const { deployed } = await requireRecord(context, to);
  const { large, small, remove } = restorationOf(await space.tree(to.commit), await space.tree(head));
  const changes = large.length + small.length + remove.length;
  return {
    deployed: withoutFiles({ deployed }),
    lines: [
      `back to ${to.model} ${to.version} on ${space.name} (${to.commit.slice(0, 7)}, ${to.source})`,
      changes === 0
        ? `no commit: ${head.slice(0, 7)} already holds exactly that tree`
        : `commit once on top of ${head.slice(0, 7)}: ${large.length} large files by name, ${small.length} small ones, ${remove.length} removed`,
      "wait until the Space runs that very revision",
      "prove it: readiness, weights, source commit, golden answers, latency",
      "record the deployment",
    ],
  };
}

function recordsOf({ github, commit }: Context): GitHubRecords {
  if (github === null || commit === null)
    throw new ConfigurationError({
      code: "no-records",
      problem: "without GitHub nobody knows what was proved before",
      expected: "GITHUB_TOKEN, in a clone of the repository",
      received: github === null ? "no token, or no repository" : "no commit",
    });
  return github;
}

/** What an earlier revision is proved by. @throws ConfigurationError when it holds no such record */
async function requireRecord(context: Context, to: Verified): Promise<{ deployed: Deployed; golden: Golden }> {
  const record = await recordOf(context, to.commit);
  if (record !== null) return record;
  throw new ConfigurationError({
    code: "not-ours",
    place: `spaces/${context.space.name}@${to.commit.slice(0, 7)}`,
    problem: "the revision has no deployment.json to prove it by",
    expected: "a revision that sluice deployed",
  });
}

async function findTarget(
  context: Context,
  github: GitHubRecords,
  model: string,
  version: string | null,
  head: string,
): Promise<Verified> {
  const { environment, space } = context;
  if (version === null) {
    const current = await recordOf(context, head);
    const found = (await verifiedRevisions(github, environment, space.name, 10)).find(
      (one) => one.commit !== head && one.version !== current?.deployed.model.version,
    );
    if (found !== undefined) return found;
    throw new ConfigurationError({
      code: "no-predecessor",
      place: environment,
      problem: "no earlier version is known to have been proved here",
      expected: "an earlier version whose deployment to this environment succeeded",
      hint: `npx sluice history ${model}`,
    });
  }
  const known = new Set<string>();
  for (const past of await pastDeployments(github, environment)) {
    if (past.payload.space !== space.name) continue;
    known.add(past.payload.model.version);
    if (past.payload.model.version === version && (await wasProved(github, past.deployment.id)))
      return verifiedBy(past);
  }
  throw new ConfigurationError({
    code: "no-such-version",
    place: environment,
    problem: `${model} ${version} was never proved here`,
    expected:
      known.size === 0 ? "a version whose deployment to this environment succeeded" : `one of ${[...known].join(", ")}`,
    received: version,
    hint: `npx sluice history ${model}`,
  });
}
