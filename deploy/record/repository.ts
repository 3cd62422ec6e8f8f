import { gitIn } from "../../eval/gate/git.ts";
import { parseRepository, repositoryOfRemote, type Repository } from "../../github/runner.ts";

/**
 * The GitHub repository, from the workflow's variables or else from the clone's `origin`; null if neither names one.
 */
export async function repositoryIn(root: string, env: NodeJS.ProcessEnv): Promise<Repository | null> {
  return env["GITHUB_REPOSITORY"] ? parseRepository(env["GITHUB_REPOSITORY"]) : originOf(root, env);
}

async function originOf(root: string, env: NodeJS.ProcessEnv): Promise<Repository | null> {
  const git = gitIn(root, env);
  const answer = await git(["remote", "get-url", "origin"]).catch(() => null);
  return answer?.code === 0 ? repositoryOfRemote(answer.stdout.toString("utf8")) : null;
}
