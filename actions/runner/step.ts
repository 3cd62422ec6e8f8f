import { setSecret } from "@actions/core";
import type { RepositoryApi } from "../../github/api.ts";
import { parseRepository } from "../../github/runner.ts";
import { ConfigurationError } from "../../models/core/errors.ts";
import { annotate } from "./annotate.ts";
import { logLine } from "./log.ts";
import type { WorkflowEvent } from "./workflow-event.ts";
import { sluiceVersion } from "../../models/core/version.ts";
import { sluiceCommand, startedBy } from "../../models/core/invocation.ts";

/**
 * Runs a step's main function as the process. Sets the exit code, annotates uncaught errors, and handles cancellation.
 */
export function runStep(main: (env: NodeJS.ProcessEnv, signal: AbortSignal) => Promise<number>): void {
  const cancelled = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.once(name, () => cancelled.abort(new Error(`cancelled by ${name}`)));
  // Tell the runner the secret before anything can print it. Nothing that the step starts needs it.
  const token = process.env["INPUT_TOKEN"];
  if (token !== undefined && token !== "") setSecret(token);
  const env = { ...process.env };
  delete process.env["INPUT_TOKEN"];

  const repository = env["GITHUB_ACTION_REPOSITORY"] || env["SLUICE_REPOSITORY"] || "";
  startedBy({
    kind: "workflow",
    server: env["GITHUB_SERVER_URL"] || "https://github.com",
    repository,
    own: repository === "" || repository === env["GITHUB_REPOSITORY"],
    version: sluiceVersion,
  });
  void finish(main(env, cancelled.signal));
}

async function finish(running: Promise<number>): Promise<void> {
  const code = await running.catch((error: unknown) => {
    annotate(error);
    return error instanceof ConfigurationError ? 2 : 4;
  });
  // Do not call process.exit at once, because the output must reach the runner. But idle sockets must not delay the
  // step.
  process.exitCode = code;
  setTimeout(() => process.exit(code), 500).unref();
}

/** The environment for everything that a step starts: git, the evaluation, its child processes. */
export function withoutToken({ INPUT_TOKEN: _secret, ...env }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return env;
}

/**
 * The event that started the workflow.
 *
 * @throws ConfigurationError outside a workflow
 */
export async function readWorkflowEvent(env: NodeJS.ProcessEnv): Promise<WorkflowEvent> {
  if (!env["GITHUB_EVENT_PATH"])
    throw new ConfigurationError({
      code: "event",
      problem: "GITHUB_EVENT_PATH is not set: this is not a GitHub workflow",
      hint: `on a laptop run \`${sluiceCommand()} gate\` instead`,
    });
  // Import it here, so that a payload that is not JSON is reported as this step's error instead of crashing the
  // process.
  return (await import("./workflow-event.ts")).workflowEvent;
}

/**
 * A GitHub client; null without a token or outside a workflow. Octokit is loaded here because most runs never need it.
 */
export async function connect(token: string | null, env: NodeJS.ProcessEnv): Promise<RepositoryApi | null> {
  const repository = parseRepository(env["GITHUB_REPOSITORY"]);
  if (token === null || repository === null) return null;
  const { connectStep } = await import("../../github/step.ts");
  return connectStep({ token, repository, env, log: logLine });
}

/** Creates something at most once, when it is first needed. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
