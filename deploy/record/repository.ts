import { userInfo } from "node:os";
import { gitIn } from "../../eval/gate/git.ts";

export type NamedRepository = { owner: string; repo: string; name: string };

/** OWNER/REPO: what the workflow says, else what `origin` of the clone says; null when neither does. */
export async function repositoryIn(root: string, env: NodeJS.ProcessEnv): Promise<NamedRepository | null> {
  const said = env["GITHUB_REPOSITORY"] || (await originOf(root, env));
  const [owner, repo] = (said ?? "").split("/");
  return owner && repo ? { owner, repo, name: `${owner}/${repo}` } : null;
}

async function originOf(root: string, env: NodeJS.ProcessEnv): Promise<string | null> {
  const { code, stdout } = await gitIn(
    root,
    env,
  )(["remote", "get-url", "origin"]).catch(() => ({ code: 1, stdout: Buffer.alloc(0) }));
  const found = /^(?:https?:\/\/[^/]+\/|(?:ssh:\/\/)?git@[^/:]+[/:])([^/]+\/[^/]+?)(?:\.git)?\/?\s*$/.exec(
    stdout.toString("utf8"),
  );
  return code === 0 ? (found?.[1] ?? null) : null;
}

/** Who deploys, and which run of a workflow this is. */
export function runIn(env: NodeJS.ProcessEnv): {
  run: { id: string; attempt: number; url: string } | null;
  actor: string;
  logUrl: string | null;
} {
  const {
    GITHUB_RUN_ID: id,
    GITHUB_SERVER_URL: server,
    GITHUB_REPOSITORY: name,
    GITHUB_RUN_ATTEMPT: attempt,
    GITHUB_ACTOR: actor,
  } = env;
  const url = id && server && name ? `${server}/${name}/actions/runs/${id}` : null;
  return {
    run: id && url !== null ? { id, attempt: Number(attempt ?? "1") || 1, url } : null,
    actor: actor || env["USER"] || userName(),
    logUrl: url,
  };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "somebody";
  }
}
