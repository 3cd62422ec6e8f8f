import type { RolloutEvidence } from "../../models/core/rollout/status.ts";
import type { RolloutLook } from "./look.ts";

const width = 10;

/** Evidence as a bar: how far towards the proof on a log scale. Against it where that weighs more. */
function bar({ for: good, against }: RolloutEvidence): string {
  const [share, sign] = good >= against ? [good, "+"] : [against, "-"];
  const filled = Math.round(width * Math.min(1, Math.max(0, share)));
  return `${sign}${"█".repeat(filled)}${"░".repeat(width - filled)}`;
}

/** What a look found, for a terminal. */
export function renderLook({ verdict, words, note, status }: RolloutLook): string {
  const lines = [`${verdict}  ${note.model} ${note.candidate} beside ${note.baseline}: ${words}`];
  if (status !== null) {
    const step =
      status.step < 0
        ? "not begun"
        : `${status.steps[status.step]?.name} (${status.step + 1} of ${status.steps.length})`;
    lines.push(
      `  ${step}; ${status.rows.candidate} rows of the candidate in this step, ${status.rows.candidateTotal} in all`,
    );
    for (const one of status.evidence.filter(({ differences }) => differences > 0))
      lines.push(
        `  ${bar(one)} ${one.phase} ${one.metric}: ${one.mean === null ? "" : `${one.mean >= 0 ? "+" : ""}${one.mean.toPrecision(2)}`} by ${one.differences} differences, margin ${one.margin}${one.proved === null ? "" : `, shown ${one.proved}`}`,
      );
    if (status.shadow.shed > 0) lines.push(`  ${status.shadow.shed} shadow rows were shed under load`);
  }
  if (note.waitsFor !== null)
    lines.push("  waits for a person: sluice rollout MODEL --promote, or --abort --reason TEXT");
  if (note.restarts > 0) lines.push(`  the Space was restarted ${note.restarts} times meanwhile`);
  if (note.ended !== null)
    lines.push(`  ended ${note.ended.at}${note.ended.by === null ? "" : ` by ${note.ended.by}`}`);
  return lines.join("\n");
}
