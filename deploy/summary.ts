import type { DeploymentReceipt } from "./receipt.ts";

const titles: Record<DeploymentReceipt["outcome"], string> = {
  live: "✅ live and proved",
  "rolled-back": "↩️ failed, rolled back",
  failed: "❌ failed",
  overtaken: "⏭️ overtaken by somebody else's commit",
  unknown: "❔ what serves is not known",
  refused: "⛔ refused, nothing was changed",
  planned: "📝 the plan",
  bundled: "📦 the tree was made",
};

/** The step summary: what serves now, why, and the timeline. */
export function renderSummary(receipt: DeploymentReceipt): string {
  const {
    deployed: { model, source },
    space,
    environment,
    url,
    proof,
    reason,
    rolledBackTo,
    notRecorded,
    timeline,
    log,
  } = receipt;
  const lines = [
    `## ${code(model.id)} ${text(model.version)} → ${code(space ?? "no Space")} (${text(environment)}): ${titles[receipt.outcome]}`,
    "",
  ];
  if (receipt.outcome !== "planned") lines.push(text(reason), "");
  if (url !== null) lines.push(`Serving at ${url}`, "");
  const rows: [string, string][] = [
    ["weights", code(`sha256 ${model.sha256}`)],
    ["commit", code(source.commit ?? "unknown")],
    ["Space revision", code(receipt.spaceCommit ?? "none")],
    [
      "committed",
      receipt.committed ? (receipt.spaceCommit === null ? "not known" : "yes, once") : "no: nothing differed",
    ],
  ];
  if (rolledBackTo !== null)
    rows.push([
      "back to",
      `${text(rolledBackTo.model)} ${text(rolledBackTo.version)} ${code(rolledBackTo.commit.slice(0, 7))}`,
    ]);
  if (proof !== null)
    rows.push([
      "proof",
      `${proof.rounds} rounds, ${proof.predictions} timed predictions, p50 ${proof.p50Ms.toFixed(0)} ms, golden answers ${proof.exact ? "equal" : "within tolerance"}`,
    ]);
  if (receipt.outcome !== "planned")
    lines.push("| | |", "|---|---|", ...rows.map(([name, value]) => `| ${name} | ${value} |`), "");
  else lines.push(fenced(reason.split("\n")), "");
  for (const problem of notRecorded) lines.push(`> [!WARNING]\n> ${text(problem)}`, "");
  if (log.length > 0)
    lines.push("<details open><summary>End of the Space's log</summary>", "", fenced(log), "", "</details>", "");
  if (timeline.length > 0)
    lines.push(
      "<details><summary>Timeline</summary>",
      "",
      "| s | stage | |",
      "|--:|---|---|",
      ...timeline.map(({ stage, ms, note }) => `| ${(ms / 1000).toFixed(1)} | ${text(stage)} | ${text(note)} |`),
      "",
      "</details>",
      "",
    );
  return `${lines.join("\n")}\n`;
}

/** Escapes outside text, so that it is not interpreted as Markdown or HTML. */
function text(raw: string): string {
  return raw
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(/([\\`*_[\]|#~])/g, "\\$1")
    .replaceAll(/\s*\n\s*/g, " ");
}

function code(raw: string): string {
  return `\`${raw.replaceAll("`", "'").replaceAll("|", "\\|")}\``;
}

function fenced(lines: readonly string[]): string {
  const body = lines.join("\n");
  const fence = "`".repeat(Math.max(3, ...[...body.matchAll(/`+/g)].map(([run]) => run.length + 1)));
  return `${fence}text\n${body}\n${fence}`;
}
