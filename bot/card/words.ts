import { verdictMark } from "../../eval/report/text/verdict-mark.ts";
import { inertLine } from "../telegram/format.ts";
import type { CardState, Phase } from "./state.ts";

export function nameOf({ model }: CardState): string {
  return model.version === "" ? inertLine(model.id, 64) : `${inertLine(model.id, 64)} ${inertLine(model.version, 40)}`;
}

const to = (environment: string | null, preposition: "to" | "in") =>
  environment === null ? "" : ` ${preposition} ${inertLine(environment, 40)}`;

/** An emoji and a few words for the current phase. */
export function headline(state: CardState): { sign: string; words: string } {
  const { phase, verdict, environment } = state;
  switch (phase) {
    case "evaluating":
      return { sign: "⏳", words: "evaluating" };
    case "verdict":
      return verdict === null
        ? { sign: "❔", words: "no verdict" }
        : { sign: verdictMark[verdict.verdict], words: verdict.verdict };
    case "waiting":
      return {
        sign: "🔔",
        words: `waiting for approval${environment === null ? "" : ` to deploy${to(environment, "to")}`}`,
      };
    case "build":
    case "start":
    case "proving":
      return { sign: "🚚", words: `deploying${to(environment, "to")}` };
    case "live":
      return { sign: "🟢", words: `live${to(environment, "in")}` };
    case "rolled-back":
      return { sign: "↩️", words: `rolled back${to(environment, "in")}` };
    case "failed":
      return { sign: "🛑", words: `deployment${to(environment, "to")} failed` };
  }
}

const steps: readonly { name: string; phase: Phase }[] = [
  { name: "gate", phase: "evaluating" },
  { name: "approval", phase: "waiting" },
  { name: "build", phase: "build" },
  { name: "start", phase: "start" },
  { name: "proof", phase: "proving" },
  { name: "live", phase: "live" },
];

/**
 * A candidate's steps, with a mark on those that are done: "gate ✓ · build ✓ · start … · proof · live". Approval is
 * listed only while the run waits for it, because the card does not know whether an earlier one was needed.
 */
export function progress({ phase, verdict }: CardState): string {
  if (phase === "rolled-back" || phase === "failed") return "";
  const passing = steps.filter((one) => one.phase !== "waiting" || phase === "waiting");
  const at = phase === "verdict" ? 1 : passing.findIndex((one) => one.phase === phase);
  return passing
    .map(({ name }, i) => {
      if (i === 0 && verdict !== null && phase !== "evaluating")
        return `${name} ${verdict.verdict === "PASS" ? "✓" : "✗"}`;
      if (i < at || phase === "live") return `${name} ✓`;
      return i === at && phase !== "verdict" ? `${name} …` : name;
    })
    .join(" · ");
}

/** The gate's reason (unless it is PASS), why the deployment failed, and which version serves now. */
export function explanation({ phase, verdict, reason, restored, model }: CardState): string[] {
  const lines: string[] = [];
  if (verdict !== null && verdict.verdict !== "PASS" && verdict.reason !== "")
    lines.push(inertLine(verdict.reason, 300));
  if ((phase === "failed" || phase === "rolled-back") && reason !== null) lines.push(inertLine(reason, 300));
  const again = restored === null ? null : `${inertLine(model.id, 64)} ${inertLine(restored, 40)} serves again`;
  // A receipt's reason ends with these words, unless it was too long for the card.
  if (phase === "rolled-back" && (again === null || lines.at(-1)?.includes(again) !== true))
    lines.push(again === null ? "What serves now is not known." : `${again}.`);
  return lines;
}

/** "9f8e7d6 · pull request 12 · ana": which commit, and who. */
export function origin({ commit, pullRequest, actor, repository }: CardState): string[] {
  return [
    ...(repository === null ? [] : [inertLine(repository, 100)]),
    ...(commit === null ? [] : [inertLine(commit.slice(0, 7), 12)]),
    ...(pullRequest === null ? [] : [`pull request ${pullRequest}`]),
    ...(actor === null ? [] : [`by ${inertLine(actor, 40)}`]),
  ];
}
