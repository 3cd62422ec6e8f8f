import { DEPLOY_TASK, parsePayload, type DeploymentPayload } from "../../github/registry/deployment.ts";
import type { Deployment } from "../../github/deployments.ts";
import { mayHaveHappened } from "../hub/http.ts";
import type { GitHubRecords } from "./github-records.ts";

/** How many Deployments are searched for a proved revision. Each one costs a request. */
const maxDeployments = 20;

/** A revision of the Space that was once proved, and where that is recorded. */
export type Verified = { commit: string; model: string; version: string; source: string };

/** One of our Deployments. */
type PastDeployment = { deployment: Deployment; payload: DeploymentPayload };

/** Our Deployments, newest first. @param environment null for all */
export async function pastDeployments(
  github: GitHubRecords,
  environment: string | null,
  count = 100,
): Promise<PastDeployment[]> {
  const found = await github.deployments(
    { task: DEPLOY_TASK, ...(environment === null ? {} : { environment }) },
    count,
  );
  return found.flatMap((deployment) => {
    const payload = parsePayload(deployment.payload);
    return payload === null ? [] : [{ deployment, payload }];
  });
}

/** The revisions of a Space that were once proved live, newest first, each once. */
export async function verifiedRevisions(
  github: GitHubRecords,
  environment: string,
  space: string,
  wanted = 3,
): Promise<Verified[]> {
  const found: Verified[] = [];
  for (const { deployment, payload } of (await pastDeployments(github, environment)).slice(0, maxDeployments)) {
    if (payload.space !== space || found.some(({ commit }) => commit === payload.spaceCommit)) continue;
    if (!(await wasProved(github, deployment.id))) continue;
    found.push(verifiedBy({ deployment, payload }));
    if (found.length >= wanted) break;
  }
  return found;
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
        production: /prod/i.test(environment),
      });
    } catch (error) {
      if (!mayHaveHappened(error) || attempt >= 3) throw error;
      await github.pause(attempt);
    }
  }
}
