import { info } from "@actions/core";

/** Makes text that anybody may have written safe to print: the runner obeys lines that start with "::" and "##[". */
export function escapeWorkflowCommands(text: string): string {
  return text.replace(/^(\s*):(?=:)/gm, "$1: ").replaceAll("##[", "## [");
}

/** One line, or several, in the job's log. */
export function logLine(text: string): void {
  info(escapeWorkflowCommands(text));
}
