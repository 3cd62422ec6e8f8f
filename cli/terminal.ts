import type { Streams } from "./streams.ts";

/** How a report is printed here: with colour only on a terminal, in plain ASCII if the terminal supports no more. */
export function terminalOptions({ stdout, env }: Streams): { color: boolean; width: number; plain: boolean } {
  // `isTTY` is undefined on a pipe. Passing undefined on would leave the choice to the colour library, which takes
  // CI=true for a terminal.
  return {
    color: Boolean(stdout.isTTY) && env["NO_COLOR"] === undefined,
    width: stdout.columns ?? 100,
    plain: env["TERM"] === "dumb",
  };
}
