import type { BotConfiguration } from "../config/config.ts";
import { githubEnvironment } from "./environments.ts";
import type { Deployment, DeploymentStatus, GitHub } from "./github.ts";
import type { DeployedModel } from "../../github/registry/deployment.ts";

type LiveVersion = { deployment: Deployment & { payload: DeployedModel }; status: DeploymentStatus };

/** How many deployments of an environment are looked at to find each model's latest. */
const maxDeployments = 20;

/**
 * The version of a model that a stage serves: its latest successful deployment. Superseded deployments become inactive,
 * so an inactive one counts only if none is active.
 */
export async function liveVersion(
  github: GitHub,
  bot: BotConfiguration,
  stage: string,
  model: string,
): Promise<LiveVersion | null> {
  const ofModel = (await github.deployments({ environment: githubEnvironment(bot, model, stage), count: 50 }))
    .filter((one): one is LiveVersion["deployment"] => one.payload?.model === model)
    .slice(0, maxDeployments);
  for (const deployment of ofModel) {
    const statuses = await github.statuses(deployment.id);
    const status = statuses.find(({ state }) => state !== "inactive" && state !== "queued" && state !== "pending");
    if (status?.state === "success") return { deployment, status };
  }
  return null;
}

/** Versions that a stage served before the live one, newest first, each once. */
export async function earlierVersions(
  github: GitHub,
  bot: BotConfiguration,
  stage: string,
  model: string,
  live: string | null,
): Promise<string[]> {
  const versions: string[] = [];
  for (const { id, payload } of (
    await github.deployments({ environment: githubEnvironment(bot, model, stage), count: 50 })
  )
    .filter(({ payload }) => payload?.model === model)
    .slice(0, maxDeployments)) {
    const version = payload?.version;
    if (version === undefined || version === live || versions.includes(version)) continue;
    if ((await github.statuses(id)).some(({ state }) => state === "success")) versions.push(version);
    if (versions.length >= 5) break;
  }
  return versions;
}
