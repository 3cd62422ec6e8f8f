import { appendFile } from "node:fs/promises";
import { setOutput, warning } from "@actions/core";

/**
 * Sets an output. Does nothing without GITHUB_OUTPUT (a run by hand), where core would print a retired workflow
 * command.
 */
export function output(name: string, value: string, env: NodeJS.ProcessEnv): void {
  if (env["GITHUB_OUTPUT"]) setOutput(name, value);
}

/** Adds to the step summary, if there is one. A failure to write it is only a warning. */
export async function addSummary(markdown: string, env: NodeJS.ProcessEnv): Promise<void> {
  const path = env["GITHUB_STEP_SUMMARY"];
  if (!path || markdown === "") return;
  await appendFile(path, markdown).catch((error: unknown) => {
    warning(`The step summary could not be written: ${error instanceof Error ? error.message : String(error)}`);
  });
}
