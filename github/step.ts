import { createClient } from "./client.ts";
import { type RepositoryApi } from "./api.ts";
import { proxyFetch } from "./proxy.ts";
import { apiUrlOf, type Repository } from "./runner.ts";

type StepApiOptions = {
  token: string;
  repository: Repository;
  env: NodeJS.ProcessEnv;
  log: (line: string) => void;
  timeoutMs?: number;
};

/**
 * A GitHub client for a step that only reports. A report must not delay its job, so time limits and pauses are short.
 */
export function connectStep({ token, repository, env, log, timeoutMs = 10_000 }: StepApiOptions): RepositoryApi {
  const apiUrl = apiUrlOf(env);
  const octokit = createClient({
    token,
    apiUrl,
    userAgent: userAgentOf(env),
    fetch: proxyFetch(env, apiUrl),
    log,
    limits: { timeoutMs, maxPauseSeconds: 20, waitsFor: "every request", secondaryPauseSeconds: 60 },
  });
  return { octokit, ...repository };
}

/** GitHub asks actions to name the orchestration that runs them. */
function userAgentOf(env: NodeJS.ProcessEnv): string {
  const orchestration = env["ACTIONS_ORCHESTRATION_ID"]?.trim();
  return orchestration
    ? `sluice-gate actions_orchestration_id/${orchestration.replaceAll(/[^a-z0-9_.-]/gi, "_")}`
    : "sluice-gate";
}
