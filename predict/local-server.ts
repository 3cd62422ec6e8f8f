import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { ConfigurationError, EvaluationError } from "../models/core/errors.ts";

export type LocalServer = { origin: string; close(): Promise<void> };

const OPENS_WITHIN_MS = 60_000;
const CLOSES_WITHIN_MS = 5_000;

/**
 * Runs `sluice serve MODEL` in a child process on a free loopback port, with the settings of the SLUICE_* variables.
 * The child ends with this process, however that ends.
 *
 * @throws ConfigurationError or EvaluationError with the server's own message when it does not open its port.
 */
export async function serveLocally(
  model: string,
  options: { config: string; timeoutMs: number; env: NodeJS.ProcessEnv },
): Promise<LocalServer> {
  const child = spawn(
    process.execPath,
    [
      fileURLToPath(
        new URL(
          // In a bundle everything lies in one folder.
          import.meta.url.endsWith(".ts") ? "../cli/serve-with-parent.ts" : "./serve-with-parent.js",
          import.meta.url,
        ),
      ),
      model,
      "--config",
      options.config,
      // A single client that waits for its answers cannot overload the server, so no request is refused because of the
      // queue.
      "--host",
      "127.0.0.1",
      "--port",
      "0",
      "--no-watch",
      "--log-level",
      "silent",
      "--max-queue-wait-ms",
      "600000",
      "--request-timeout-ms",
      String(Math.min(600_000, options.timeoutMs)),
      "--drain-seconds",
      "1",
    ],
    { env: options.env, stdio: ["pipe", "ignore", "pipe"] },
  );
  const closed = once(child, "close");
  // A child that has ended is reported by "close".
  child.stdin.on("error", () => {});
  let stderr = "";
  const origin = await new Promise<string | null>((resolve) => {
    const opening = setTimeout(() => resolve(null), OPENS_WITHIN_MS);
    const end = (value: string | null) => {
      clearTimeout(opening);
      resolve(value);
    };
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-10_000);
      const found = /^Serving .* at (http:\S+)$/m.exec(stderr)?.[1];
      if (found !== undefined) end(found);
    });
    child.once("close", () => end(null));
    child.once("error", () => end(null));
  });
  const close = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    const force = setTimeout(() => child.kill("SIGKILL"), CLOSES_WITHIN_MS);
    await closed.catch(() => {});
    clearTimeout(force);
  };
  if (origin !== null) return { origin, close };
  const { exitCode } = child;
  await close();
  const message = stderr.trim().replace(/^sluice: /, "") || `it ended with ${exitCode}`;
  throw new (exitCode === 2 ? ConfigurationError : EvaluationError)({
    code: "predict-local",
    place: "--url local",
    problem: `the server of ${model} did not start: ${message}`,
  });
}
