import { ConfigurationError } from "../models/core/errors.ts";
import type { Expected } from "./bundle/deployed.ts";
import { carryOut } from "./carry-out.ts";
import { restorationOf, sameTree } from "./content.ts";
import type { Context } from "./context.ts";
import { restore } from "./fall-back.ts";
import type { CurrentState } from "./plan.ts";
import { withoutFiles, type DeploymentReceipt } from "./receipt.ts";
import { pastDeployments, verifiedBy, verifiedRevisions, wasProved, type Verified } from "./record/deployments.ts";
import type { GitHubRecords } from "./record/github-records.ts";
import { Recorder } from "./recorder.ts";
import { recordOf } from "./serve-proof.ts";
import { hubAnswer, readState, withLivePredecessor } from "./state.ts";
import { withLock } from "./with-lock.ts";
import { sluiceCommand } from "../models/core/invocation.ts";

/**
 * Goes back, on a person's request, to a version that was proved in this environment: restores its tree by a new
 * commit.
 *
 * @param version the version to go back to; null for the last proved one that main does not hold and that nobody has
 * rolled back from
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
      const differs = !sameTree(await space.tree(to.commit), current);
      timeline.stage("roll back", `to ${to.model} ${to.version} (${to.commit.slice(0, 7)}), ${to.source}`);
      const ending = await carryOut(
        {
          expected: record,
          isPrivate: info.private,
          head: info.head,
          commit: differs ? (onSend) => hubAnswer(context, () => restore(context, to, info.head, "", onSend)) : null,
          candidates: state.verified.filter(({ commit }) => commit !== to.commit),
          noWay: "no other revision of this Space is known to have been proved",
          failedBefore: null,
        },
        context,
        records,
      );
      const isLive = ending.outcome === "live";
      return {
        schemaVersion: 1,
        ...ending,
        ...(isLive
          ? {
              reason: `rolled back to ${to.version}, proved`,
              rolledBackTo: { commit: to.commit, restored: ending.serving, model: to.model, version: to.version },
            }
          : {}),
        space: space.name,
        environment,
        deployed: withoutFiles(record.deployed),
        githubDeployment: records.deployment,
        tag: null,
        notRecorded: records.problems,
        startedAt,
        finishedAt: new Date(deps.now()).toISOString(),
        timeline: timeline.entries,
      };
    },
  );
}

/** What `rollback` would do. Takes no lock and changes nothing. @throws as `rollback` does */
export async function rollbackDryRun(
  model: string,
  version: string | null,
  context: Context,
): Promise<{ lines: string[]; deployed: DeploymentReceipt["deployed"] }> {
  const { space } = context;
  const github = recordsOf(context);
  const { head } = await hubAnswer(context, () => space.info());
  const to = await findTarget(context, github, model, version, head);
  const { deployed } = await requireRecord(context, to);
  const { large, small, remove } = restorationOf(await space.tree(to.commit), await space.tree(head));
  const changes = large.length + small.length + remove.length;
  return {
    deployed: withoutFiles(deployed),
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
async function requireRecord(context: Context, to: Verified): Promise<Expected> {
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
      hint: `${sluiceCommand()} history ${model}`,
    });
  }
  const known = new Set<string>();
  for (const past of await pastDeployments(github, environment)) {
    if (past.payload.space !== space.name || past.payload.kind === "rollout") continue;
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
    hint: `${sluiceCommand()} history ${model}`,
  });
}
