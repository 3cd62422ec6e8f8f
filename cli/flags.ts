import type { Command } from "commander";

export type CommonFlags = { out: string; json: boolean };

/** Flags that all judging commands share. */
export function commonFlags(command: Command): Command {
  return command
    .option("--out <dir>", "folder for predictions/, metrics.json, verdict.json, report.md and report.html", ".sluice")
    .option("--json", "one JSON document on stdout; progress and logs stay on stderr", false);
}
