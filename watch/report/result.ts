import { cut, oneLine } from "../../eval/report/text/text.ts";
import type { VerdictWord } from "../../eval/schema/verdict.ts";
import type { WatchFile } from "../schema/verdict.ts";

/** The verdict of a watch in a few hundred characters a model, for a step's output or a message. */
export type WatchResult = {
  schemaVersion: 1;
  verdict: VerdictWord;
  reason: string;
  models: { id: string; version: string; verdict: VerdictWord; reason: string; failed: string[]; drifted: string[] }[];
};

const MAX_REASON = 300;
const MAX_IDS = 20;

export function watchResult({ verdict, reason, models }: WatchFile): WatchResult {
  return {
    schemaVersion: 1,
    verdict,
    reason: cut(oneLine(reason), MAX_REASON),
    models: models.map((one) => ({
      id: one.model.id,
      version: one.model.version,
      verdict: one.verdict,
      reason: cut(oneLine(one.reason), MAX_REASON),
      failed: one.checks
        .filter((check) => check.verdict !== "PASS" && !check.advisory)
        .slice(0, MAX_IDS)
        .map(({ id }) => id),
      drifted: one.checks
        .filter((check) => check.group === "features" && check.verdict === "FAIL")
        .slice(0, MAX_IDS)
        .map(({ variable }) => variable ?? ""),
    })),
  };
}
