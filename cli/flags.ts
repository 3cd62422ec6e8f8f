import type { Command } from "commander";

export type CommonFlags = { out: string; json: boolean };

/**
 * Flags that all judging commands share.
 *
 * @param out where the command writes by default. `.sluice` itself is the gate's: `deploy` reads its verdict there.
 */
export function commonFlags(command: Command, out = ".sluice"): Command {
  return command
    .option("--out <dir>", "folder for predictions/, metrics.json, verdict.json, report.md and report.html", out)
    .option("--json", "one JSON document on stdout; progress and logs stay on stderr", false);
}
