import { z } from "zod";

/** What the run's event tells about a card's candidate. Nothing of it is needed: a card has less on it without. */
export type Origin = { repository: string | null; pullRequest: number | null; fork: boolean; commit: string | null; actor: string | null; deploymentId: number | null; runUrl: string | null; serverUrl: string };

const side = z.object({ sha: z.string(), repo: z.object({ full_name: z.string() }).nullable() });
const payload = z.object({
  pull_request: z.object({ number: z.int().positive(), head: side, base: side }).optional().catch(undefined),
  deployment: z.object({ id: z.int().positive(), sha: z.string() }).optional().catch(undefined),
  merge_group: z.object({ head_sha: z.string() }).optional().catch(undefined),
});

/** Reads the event's payload and the runner's variables; whatever is missing or odd is null. */
export function readOrigin(event: unknown, env: NodeJS.ProcessEnv): Origin {
  const parsed = payload.safeParse(event);
  const { pull_request: pr, deployment, merge_group: group } = parsed.success ? parsed.data : {};
  const repository = orNull(env["GITHUB_REPOSITORY"]);
  const serverUrl = env["GITHUB_SERVER_URL"] || "https://github.com";
  const run = orNull(env["GITHUB_RUN_ID"]);
  return {
    repository, serverUrl,
    pullRequest: pr?.number ?? null,
    fork: pr !== undefined && pr.head.repo?.full_name !== pr.base.repo?.full_name,
    commit: pr?.head.sha ?? deployment?.sha ?? group?.head_sha ?? orNull(env["GITHUB_SHA"]),
    actor: orNull(env["GITHUB_TRIGGERING_ACTOR"]) ?? orNull(env["GITHUB_ACTOR"]),
    deploymentId: deployment?.id ?? null,
    runUrl: repository === null || run === null ? null : `${serverUrl}/${repository}/actions/runs/${run}`,
  };
}

function orNull(text: string | undefined): string | null {
  return text === undefined || text === "" ? null : text;
}
