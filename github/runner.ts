import { userInfo } from "node:os";

// Reads the runner's environment variables, set by a workflow or by a person.

export type Repository = { owner: string; repo: string };

/** One run of a workflow. */
export type WorkflowRun = { id: string; attempt: number; url: string };

/** OWNER/NAME in two parts; null for anything else. */
export function parseRepository(name: string | undefined): Repository | null {
  const [owner, repo] = (name ?? "").split("/");
  return owner && repo ? { owner, repo } : null;
}

export function fullName({ owner, repo }: Repository): string {
  return `${owner}/${repo}`;
}

/** The repository that a remote's URL names, on any server; null for a URL of another form. */
export function repositoryOfRemote(url: string): Repository | null {
  return parseRepository(
    /^(?:https?:\/\/[^/]+\/|(?:ssh:\/\/)?git@[^/:]+[/:])([^/]+\/[^/]+?)(?:\.git)?\/?\s*$/.exec(url)?.[1],
  );
}

export function apiUrlOf(env: NodeJS.ProcessEnv): string {
  return env["GITHUB_API_URL"] || "https://api.github.com";
}

/** URL of the run that these variables belong to; null outside a workflow. */
export function runUrlOf({
  GITHUB_SERVER_URL: server,
  GITHUB_REPOSITORY: name,
  GITHUB_RUN_ID: run,
}: NodeJS.ProcessEnv): string | null {
  return server && name && run ? `${server}/${name}/actions/runs/${run}` : null;
}

export function runOf(env: NodeJS.ProcessEnv): WorkflowRun | null {
  const { GITHUB_RUN_ID: id, GITHUB_RUN_ATTEMPT: attempt } = env;
  const url = runUrlOf(env);
  return id && url !== null ? { id, attempt: Number(attempt ?? "1") || 1, url } : null;
}

/** Who started this: the workflow's actor, otherwise the user of this machine. */
export function actorOf(env: NodeJS.ProcessEnv): string {
  return env["GITHUB_ACTOR"] || env["USER"] || userName();
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "somebody";
  }
}
