import type { RepositoryApi } from "../../github/api.ts";
import { commitsBetween } from "../../github/commits.ts";
import { deploymentStatuses, listDeployments, type Deployment } from "../../github/deployments.ts";
import { DEPLOY_TASK, environmentOf, parsePayload, type DeploymentPayload } from "../../github/registry/deployment.ts";
import type { CommitRecord, DeploymentRecord } from "../ops/dora.ts";

const pageSize = 100;
const maxPages = 3;

export type Deliveries = {
  environment: string;
  /** Oldest first; the one before the period too, because the first one within may have put it right. */
  deployments: DeploymentRecord[];
  commits: CommitRecord[];
  /** Deployments of the period that never succeeded: their proof failed, and the version before was kept. */
  unproved: number;
  notes: string[];
};

type Past = { deployment: Deployment; payload: DeploymentPayload; succeededAt: number | null };

/**
 * The deployments of a model to one stage since a time, from GitHub's own records: Deployments, their statuses, and the
 * commits between two of them. A roll-back restores what it took away, and is unplanned.
 *
 * @param since milliseconds since 1970
 */
export async function readDeliveries(
  api: RepositoryApi,
  model: string,
  stage: string,
  since: number,
): Promise<Deliveries> {
  const environment = environmentOf(model, stage);
  const { past, cut } = await readPast(api, environment, since);
  const deployments: DeploymentRecord[] = [];
  const commits = new Map<string, number>();
  const notes = cut
    ? [`GitHub has more than ${maxPages * pageSize} deployments of the period; the oldest are left out.`]
    : [];
  let live: Past | null = null;
  let shipped: Past | null = null;
  let forgotten = 0;
  for (const one of past) {
    const { deployment, payload, succeededAt } = one;
    const isRollback = payload.kind === "rollback";
    const record: DeploymentRecord = { id: String(deployment.id), succeededAt, commits: [] };
    if (succeededAt !== null) {
      if (!isRollback && shipped !== null && shipped.deployment.sha !== deployment.sha) {
        const between = await commitsBetween(api, shipped.deployment.sha, deployment.sha);
        if (between === null) forgotten += 1;
        for (const { sha, at } of between ?? []) if (at !== null) commits.set(sha, at);
        record.commits = (between ?? []).map(({ sha }) => sha);
      }
      if (isRollback)
        Object.assign(record, { unplanned: true, restores: live === null ? null : String(live.deployment.id) });
      else shipped = one;
      live = one;
    }
    deployments.push(record);
  }
  if (forgotten > 0)
    notes.push(`The commits of ${forgotten} deployments are no longer there: their history was rewritten.`);
  return {
    environment,
    deployments,
    commits: [...commits].map(([sha, at]) => ({ sha, at })),
    unproved: past.filter(
      ({ succeededAt, deployment }) => succeededAt === null && Date.parse(deployment.createdAt) >= since,
    ).length,
    notes,
  };
}

/** Oldest first: those since `since`, and back to the last successful one before. */
async function readPast(
  api: RepositoryApi,
  environment: string,
  since: number,
): Promise<{ past: Past[]; cut: boolean }> {
  const past: Past[] = [];
  for (let page = 1; page <= maxPages; page += 1) {
    const found = await listDeployments(api, { task: DEPLOY_TASK, environment }, pageSize, page);
    for (const deployment of found) {
      const payload = parsePayload(deployment.payload);
      // A roll-out's begin ships nothing yet.
      if (payload === null || payload.kind === "rollout") continue;
      const one = { deployment, payload, succeededAt: await successOf(api, deployment.id) };
      past.unshift(one);
      const isBefore = one.succeededAt !== null && one.succeededAt < since;
      // A roll-back ships nothing: the commits count from the deployment before it.
      if (isBefore && payload.kind === "deploy") return { past, cut: false };
    }
    if (found.length < pageSize) return { past, cut: false };
  }
  return { past, cut: true };
}

/** The first success: the card's record repeats the latest state, and a later deployment makes it inactive. */
async function successOf(api: RepositoryApi, deployment: number): Promise<number | null> {
  const times = (await deploymentStatuses(api, deployment, 100))
    .filter(({ state }) => state === "success")
    .map(({ createdAt }) => Date.parse(createdAt));
  return times.length === 0 ? null : Math.min(...times);
}
