import { spawn } from "node:child_process";
import { join } from "node:path";

const cli = join(import.meta.dirname, "../../cli.ts");

export type Run = { code: number | null; stdout: string; stderr: string };

/** Runs the command line as a user does, in its own process. */
export function sluice(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Run> {
  return new Promise((resolve, reject) => {
    // Nobody listens at this registry, so a command that tries to reach it fails instead of hanging.
    const child = spawn(process.execPath, [cli, ...args], {
      cwd,
      env: { ...process.env, GITHUB_TOKEN: "", npm_config_registry: "http://127.0.0.1:9/", ...env },
      timeout: 90_000,
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}
