import type { ModelVerdict, VerdictWord } from "../schema/verdict.ts";
import { severity, worstOf } from "./algebra.ts";

/** What the verdict over some checks needs of each: the gate's, and those of a watch. */
type JudgedCheck = {
  metric: string;
  slice: string;
  verdict: VerdictWord;
  reason: string;
  advisory: boolean;
  waiver?: object | undefined;
};

/**
 * The verdict over a model's checks: the worst of the deciding ones. Advisory checks are shown but do not decide. A
 * model with no deciding check is INCONCLUSIVE: nothing was shown about it. A model with no check at all is ERROR.
 */
export function judgeModel(checks: readonly JudgedCheck[]): { verdict: VerdictWord; reason: string } {
  const deciding = checks.filter((check) => !check.advisory);
  if (checks.length === 0) return { verdict: "ERROR", reason: "the gate has no checks" };
  if (deciding.length === 0)
    return {
      verdict: "INCONCLUSIVE",
      reason: checks.some((check) => check.waiver !== undefined)
        ? "no check decides: waivers leave none"
        : "no check could decide: every one is relative and there is no baseline, or too small",
    };
  const verdict = worstOf(deciding.map((check) => check.verdict));
  if (verdict === "PASS") {
    const shown = (n: number, what: string) => (n > 0 ? [`${n} ${what}`] : []);
    const waived = checks.filter((check) => check.waiver !== undefined).length;
    const alone = checks.filter((check) => check.advisory && check.reason.startsWith("no baseline")).length;
    return {
      verdict,
      reason: [
        deciding.length === 1 ? "the deciding check passes" : `all ${deciding.length} deciding checks pass`,
        ...shown(alone, "without a baseline"),
        ...shown(checks.length - deciding.length - waived - alone, "could not decide"),
        ...shown(waived, "waived"),
      ].join("; "),
    };
  }
  const counts = severity
    .toReversed()
    .filter((word) => word !== "PASS")
    .map((word) => ({ word, n: deciding.filter((check) => check.verdict === word).length }))
    .filter(({ n }) => n > 0)
    .map(({ word, n }) => `${n} ${word}`)
    .join(", ");
  const first = deciding.find((check) => check.verdict === verdict) as JudgedCheck;
  const where = first.slice === "all" ? first.metric : `${first.metric} on ${first.slice}`;
  return {
    verdict,
    reason: `${where}: ${first.reason}${deciding.length === 1 ? "" : ` (of ${deciding.length} deciding checks ${counts})`}`,
  };
}

/** The verdict over a run: the worst of its models. */
export function judgeRun(
  models: readonly (Pick<ModelVerdict, "verdict" | "reason"> & { model: Pick<ModelVerdict["model"], "id"> })[],
): {
  verdict: VerdictWord;
  reason: string;
} {
  if (models.length === 0) return { verdict: "ERROR", reason: "no model was evaluated" };
  const verdict = worstOf(models.map((one) => one.verdict));
  const [only] = models;
  if (only !== undefined && models.length === 1) return { verdict, reason: only.reason };
  if (verdict === "PASS") return { verdict, reason: `all ${models.length} models pass` };
  return {
    verdict,
    reason: models
      .filter((one) => one.verdict !== "PASS")
      .map((one) => `${one.model.id} ${one.verdict}: ${one.reason}`)
      .join(" · "),
  };
}
