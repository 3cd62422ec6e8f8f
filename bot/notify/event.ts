import { z } from "zod";
import { orNull } from "../../github/action-input.ts";

/** What the run's event says about a card's candidate. Everything is optional; a card shows less without it. */
export type Origin = {
  repository: string | null;
  pullRequest: number | null;
  fork: boolean;
  commit: string | null;
  actor: string | null;
  deploymentId: number | null;
  runUrl: string | null;
  serverUrl: string;
  head: Head | null;
};

/** A pull request's head in GitHub's workflow_run event, which has no pull request number for forks. */
export type Head = { owner: string; branch: string; commit: string };

const side = z.object({ sha: z.string(), repo: z.object({ full_name: z.string() }).nullable() });
const payload = z.object({
  pull_request: z.object({ number: z.int().positive(), head: side, base: side }).optional().catch(undefined),
  deployment: z.object({ id: z.int().positive(), sha: z.string() }).optional().catch(undefined),
  merge_group: z.object({ head_sha: z.string() }).optional().catch(undefined),
  workflow_run: z
    .object({
      id: z.int().positive(),
      event: z.string(),
      head_sha: z.string(),
      head_branch: z.string(),
      head_repository: z.object({ owner: z.object({ login: z.string() }) }),
    })
    .optional()
    .catch(undefined),
});

/** Reads the event's payload and the runner's variables; a missing or malformed value becomes null. */
export function readOrigin(event: unknown, env: NodeJS.ProcessEnv): Origin {
  const parsed = payload.safeParse(event);
  const { pull_request: pr, deployment, merge_group: group, workflow_run: ran } = parsed.success ? parsed.data : {};
  const repository = orNull(env["GITHUB_REPOSITORY"]);
  const serverUrl = env["GITHUB_SERVER_URL"] || "https://github.com";
  // A workflow that publishes the results of another run (workflow_run) has its own commit and run, which are not the
  // candidate's.
  const head =
    ran?.event === "pull_request"
      ? { owner: ran.head_repository.owner.login, branch: ran.head_branch, commit: ran.head_sha }
      : null;
  const run = head !== null && ran !== undefined ? String(ran.id) : orNull(env["GITHUB_RUN_ID"]);
  return {
    repository,
    serverUrl,
    pullRequest: pr?.number ?? null,
    fork: pr !== undefined && pr.head.repo?.full_name !== pr.base.repo?.full_name,
    commit: pr?.head.sha ?? deployment?.sha ?? group?.head_sha ?? ran?.head_sha ?? orNull(env["GITHUB_SHA"]),
    actor: orNull(env["GITHUB_TRIGGERING_ACTOR"]) ?? orNull(env["GITHUB_ACTOR"]),
    deploymentId: deployment?.id ?? null,
    runUrl: repository === null || run === null ? null : `${serverUrl}/${repository}/actions/runs/${run}`,
    head,
  };
}
