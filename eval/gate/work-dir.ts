import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Runs `work` with a new, empty folder that only this user can enter (mode 0700), and removes it afterwards. It lies
 * outside the repository, so no commit can put a file there.
 *
 * @param env RUNNER_TEMP: a job's own temporary folder in GitHub Actions; default: the system's
 */
export async function withWorkDir<T>(env: NodeJS.ProcessEnv, work: (workDir: string) => Promise<T>): Promise<T> {
  const workDir = await mkdtemp(join(env["RUNNER_TEMP"] || tmpdir(), "sluice-"));
  try {
    return await work(workDir);
  } finally {
    await rm(workDir, { recursive: true, force: true, maxRetries: 3 });
  }
}
