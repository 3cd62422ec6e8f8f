import type { Streams } from "./streams.ts";

/** How a report is printed to this terminal: colour only where it is one, ASCII where it can do no more. */
export function terminalOptions({ stdout, env }: Streams): { color: boolean; width: number; plain: boolean } {
  // `isTTY` is undefined on a pipe, and undefined would leave the choice to the painter, which takes CI=true for a
  // terminal.
  return {
    color: stdout.isTTY && env["NO_COLOR"] === undefined,
    width: stdout.columns ?? 100,
    plain: env["TERM"] === "dumb",
  };
}
