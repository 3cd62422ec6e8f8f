import type { RolloutEvidence, RolloutStatus } from "../../models/core/rollout/status.ts";
import type { RolloutNote } from "../../github/registry/rollout.ts";
import { commandButton, type Button, type Reply } from "../context/reply.ts";
import { safe, withSign } from "../context/text.ts";
import { count } from "../../eval/report/text/format.ts";
import { hasEnded, mayGoOn } from "./rules.ts";

const width = 8;
const maxMetrics = 6;

/** How far a metric is from its proof, on a log scale: "▓▓▓░░░░░" towards good, or towards bad where that weighs more. */
function bar({ for: good, against }: RolloutEvidence): string {
  const share = Math.max(good, against, 0);
  const filled = Math.round(width * Math.min(1, share));
  return `${good >= against ? "🟩" : "🟥"} <code>${"▓".repeat(filled)}${"░".repeat(width - filled)}</code>`;
}

/** The evidence of the step. A picture of it would take the place of these lines. */
function evidenceLines({ evidence, step, steps }: RolloutStatus): string[] {
  const phase = steps[step]?.share === 0 ? "shadow" : "canary";
  return evidence
    .filter((one) => one.phase === phase)
    .slice(0, maxMetrics)
    .map((one) => {
      const mean = one.mean === null ? "nothing yet" : `${one.mean >= 0 ? "+" : ""}${one.mean.toPrecision(2)}`;
      const proved =
        one.proved === null ? "" : one.proved === "good" ? ", keeps its margin" : ", worse than its margin";
      return `${bar(one)} ${safe(one.metric, 40)} ${mean}, margin ${one.margin}, ${count(one.differences)}${proved}`;
    });
}

/** One card of a roll-out: the step, the evidence, and what a person may do. */
export function rolloutCard(
  model: string,
  environment: string,
  status: RolloutStatus | null,
  note: RolloutNote | null,
): Reply {
  const versions = status ?? null;
  const candidate = versions?.candidate.version ?? note?.candidate ?? "?";
  const baseline = versions?.baseline.version ?? note?.baseline ?? "?";
  const head = `<b>${safe(model)}</b> ${safe(candidate, 40)} beside ${safe(baseline, 40)} in ${safe(environment)}`;
  const ended = note?.ended ?? null;
  if (ended !== null)
    return {
      html: [
        `${withSign(ended.verdict)} roll-out of ${head}`,
        `${safe(ended.reason, 300)}${ended.by === null ? "" : ` (${safe(ended.by, 60)})`}`,
        `${count(ended.rows)} rows of the candidate`,
      ].join("\n"),
      buttons: [[commandButton(`/rollout ${model}`, "Again"), commandButton(`/status ${model}`)]],
    };
  if (status === null)
    return {
      html: [`❔ roll-out of ${head}`, safe(note?.seen.reason ?? "the Space does not answer", 300)].join("\n"),
      buttons: [[commandButton(`/rollout ${model}`, "Again")]],
    };
  const { decision, step, steps, rows, shadow } = status;
  const track = steps
    .map(({ name }, i) => `${i < step ? "✓" : i === step ? "▶" : "·"} ${name}`)
    .concat(`· everybody`)
    .join("  ");
  const waits = note !== null && note.waitsFor !== null;
  const buttons: Button[][] = hasEnded(status)
    ? []
    : [
        [
          commandButton(
            `/rollout ${model} ${mayGoOn(status) ? "promote" : "override"}`,
            mayGoOn(status) ? "Promote…" : "Promote (override)…",
          ),
          commandButton(`/rollout ${model} abort`, "Abort…"),
        ],
      ];
  return {
    html: [
      `${decision.action === "PAUSE" ? "⏸" : withSign(decision.verdict)} roll-out of ${head}`,
      safe(track, 200),
      ...evidenceLines(status),
      `${count(rows.candidate)} rows in this step, ${count(rows.candidateTotal)} in all${shadow.shed > 0 ? `, ${count(shadow.shed)} shed` : ""}`,
      `${decision.action}: ${safe(decision.reason, 300)}`,
      ...(waits ? ["🔔 waits for a person"] : []),
      ...(note !== null && note.restarts > 0 ? [`the Space was restarted ${note.restarts} times meanwhile`] : []),
    ].join("\n"),
    buttons: [...buttons, [commandButton(`/rollout ${model}`, "Again")]],
  };
}
