import { info } from "@actions/core";

/** Makes untrusted text safe to print: the runner executes lines that start with "::" or "##[". */
export function escapeWorkflowCommands(text: string): string {
  return text.replace(/^(\s*):(?=:)/gm, "$1: ").replaceAll("##[", "## [");
}

/** One line, or several, in the job's log. */
export function logLine(text: string): void {
  info(escapeWorkflowCommands(text));
}
