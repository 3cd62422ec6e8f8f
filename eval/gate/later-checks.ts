import { planCheck } from "../power/plan-check.ts";
import type { ModelPair } from "./model-pair.ts";

/** Correlation of two versions' errors that a forecast assumes; `sluice plan` has the same. */
const assumedCorrelation = 0.95;
const named = 5;

/**
 * What a first version does not show: which of its relative checks cannot decide on these rows once there is a baseline.
 * Said now, while the data is being chosen, and not at the next candidate. Null when there is a baseline, or nothing to
 * say.
 */
export function laterNote({ baseline, mismatch, candidate, planned, exam }: ModelPair, seed: number): string | null {
  if (baseline !== null || mismatch !== null) return null;
  const { minimumPerClass, onInsufficient } = exam.gates;
  const unable = planned.flatMap((one) => {
    const predictions = candidate.predictions.get(one.head ?? "");
    if (one.policy.kind === "limit" || predictions === undefined) return [];
    const { metric, slice, refused } = planCheck(one, predictions, null, {
      minimumPerClass,
      onInsufficient,
      seed,
      correlation: assumedCorrelation,
    });
    return refused === null ? [] : [`${metric}${slice === "all" ? "" : ` on ${slice}`}: ${refused}`];
  });
  if (unable.length === 0) return null;
  const checks = unable.length === 1 ? "one check" : `${unable.length} checks`;
  return `From the next version on, ${checks} cannot decide on these rows. ${unable.slice(0, named).join(". ")}${unable.length > named ? `. And ${unable.length - named} more` : ""}.`;
}
