import { oneLine } from "../../eval/report/text/text.ts";
import type { WatchFile } from "../schema/verdict.ts";
import { nameOf } from "../checks/check.ts";

/** What a terminal shows: the verdict of each model, what did not pass, and the notes. */
export function renderWatchTerminal({ models }: WatchFile): string {
  return models
    .map(({ model, verdict, reason, checks, notes, window }) =>
      [
        `${verdict.padEnd(12)} ${model.id} ${model.version}: ${reason}`,
        ...(window === null
          ? []
          : [`             ${window.answered} rows answered and ${window.refused} refused, ${checks.length} checks`]),
        ...checks
          .filter((check) => check.verdict !== "PASS" && (!check.advisory || check.verdict === "FAIL"))
          .slice(0, 20)
          .map((check) => `  ${check.verdict}${check.advisory ? " (informs)" : ""} ${nameOf(check)}: ${check.reason}`),
        ...notes.map((note) => `  ${note}`),
      ]
        .map(oneLineKeepingIndent)
        .join("\n"),
    )
    .join("\n\n");
}

const oneLineKeepingIndent = (line: string) => `${/^ */.exec(line)![0]}${oneLine(line)}`;
