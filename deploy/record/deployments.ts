import { DEPLOY_TASK, parsePayload, type DeploymentPayload } from "../../github/registry/deployment.ts";
import { isProduction } from "../../github/registry/production.ts";
import type { Deployment } from "../../github/deployments.ts";
import { mayHaveHappened } from "../hub/http.ts";
import type { GitHubRecords } from "./github-records.ts";

/** Our Deployments are read in pages of this size, up to this many pages. */
const pageSize = 100;
const maxPages = 10;

/** A revision of the Space that was once proved, and where that is recorded. */
export type Verified = { commit: string; model: string; version: string; source: string };

/** One of our Deployments. */
export type PastDeployment = { deployment: Deployment; payload: DeploymentPayload };

/** Our newest Deployments, newest first. @param environment null for all */
export async function pastDeployments(
  github: GitHubRecords,
  environment: string | null,
  count = pageSize,
): Promise<PastDeployment[]> {
  return oursAmong(
    await github.deployments({ task: DEPLOY_TASK, ...(environment === null ? {} : { environment }) }, count),
  );
}

/**
 * The revisions of a Space that were once proved live and not rolled back from since, newest first, each version once.
 * A return to a version means that nobody wants what came after it: only a person who names such a version gets it back,
 * and then it counts again.
 *
 * @param wanted how many to look for at most
 */
export async function verifiedRevisions(
  github: GitHubRecords,
  environment: string,
  space: string,
  wanted = 3,
): Promise<Verified[]> {
  // A tree with a candidate beside the version is no place to go back to: the version's own tree was there before.
  const all = (await allDeployments(github, environment)).filter(
    ({ payload }) => payload.space === space && payload.kind !== "rollout",
  );
  const found: Verified[] = [];
  for (let i = 0; i < all.length && found.length < wanted; i += 1) {
    const { deployment, payload } = all[i]!;
    if (found.some(({ commit }) => commit === payload.spaceCommit) || !(await wasProved(github, deployment.id)))
      continue;
    found.push(verifiedBy(all[i]!));
    // After a return to a version, what counts goes on below the time when that version was live before.
    for (let at = i; at >= 0 && all[at]!.payload.kind === "rollback";) {
      at = await provedBefore(github, all, at);
      if (at >= 0) i = at;
    }
  }
  return found;
}

/** The index of the proved Deployment of the same version that comes next in time before; -1 if there is none. */
async function provedBefore(github: GitHubRecords, all: readonly PastDeployment[], from: number): Promise<number> {
  const version = versionOf(all[from]!);
  for (let i = from + 1; i < all.length; i += 1)
    if (versionOf(all[i]!) === version && (await wasProved(github, all[i]!.deployment.id))) return i;
  return -1;
}

function versionOf({ payload: { model } }: PastDeployment): string {
  return `${model.id} ${model.version} ${model.sha256}`;
}

/** Our Deployments to an environment, newest first, as many as GitHub keeps. */
async function allDeployments(github: GitHubRecords, environment: string): Promise<PastDeployment[]> {
  const found: PastDeployment[] = [];
  for (let page = 1; page <= maxPages; page += 1) {
    const deployments = await github.deployments({ task: DEPLOY_TASK, environment }, pageSize, page);
    found.push(...oursAmong(deployments));
    if (deployments.length < pageSize) break;
  }
  return found;
}

function oursAmong(deployments: readonly Deployment[]): PastDeployment[] {
  return deployments.flatMap((deployment) => {
    const payload = parsePayload(deployment.payload);
    return payload === null ? [] : [{ deployment, payload }];
  });
}

/** The revision that a Deployment put into its Space. */
export function verifiedBy({ deployment, payload: { spaceCommit, model } }: PastDeployment): Verified {
  return {
    commit: spaceCommit,
    model: model.id,
    version: model.version,
    source: `GitHub Deployment ${deployment.id}`,
  };
}

/**
 * Whether a Deployment ever had the state "success". A later deployment makes an earlier one inactive, so its current
 * state does not tell.
 */
export async function wasProved(github: GitHubRecords, deployment: number): Promise<boolean> {
  return (await github.states(deployment)).includes("success");
}

/** The Deployment for a revision of a Space: one that an interrupted run left behind, or a new one. */
export async function openDeployment(
  github: GitHubRecords,
  environment: string,
  payload: DeploymentPayload,
  commit: string,
  description: string,
): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const left = (await pastDeployments(github, environment, 30)).find(
      (past) =>
        past.payload.space === payload.space &&
        past.payload.spaceCommit === payload.spaceCommit &&
        past.payload.kind === payload.kind,
    );
    if (left !== undefined) return left.deployment.id;
    try {
      return await github.createDeployment({
        ref: commit,
        environment,
        task: DEPLOY_TASK,
        description,
        payload,
        production: isProduction(payload.model.id, environment),
      });
    } catch (error) {
      if (!mayHaveHappened(error) || attempt >= 3) throw error;
      await github.pause(attempt);
    }
  }
}

/**
 * Closes the Deployments that runs before this one left open, because they were killed: nobody else writes what became
 * of them.
 *
 * @param keep the one that this run goes on with
 */
export async function closeAbandoned(
  github: GitHubRecords,
  environment: string,
  space: string,
  keep: number,
  logUrl: string | null,
): Promise<void> {
  for (const { deployment, payload } of await pastDeployments(github, environment, 10)) {
    if (deployment.id >= keep || payload.space !== space) continue;
    const [state] = await github.states(deployment.id);
    if (state !== undefined && state !== "in_progress") continue;
    await github.addStatus(deployment.id, {
      state: "error",
      description: "The run that made it was ended before it could say what became of it.",
      environmentUrl: null,
      logUrl,
    });
  }
}

/** The state that a revision's Deployment has now; null if it has none. */
export async function lastStateOf(
  github: GitHubRecords,
  environment: string,
  space: string,
  revision: string,
): Promise<string | null> {
  const found = (await pastDeployments(github, environment)).find(
    ({ payload }) => payload.space === space && payload.spaceCommit === revision,
  );
  return found === undefined ? null : ((await github.states(found.deployment.id))[0] ?? null);
}
