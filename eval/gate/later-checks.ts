import { planCheck } from "../power/plan-check.ts";
import type { ModelPair } from "./model-pair.ts";

/** Correlation of two versions' errors that a forecast assumes; `sluice plan` has the same. */
const assumedCorrelation = 0.95;
const named = 5;
/** A forecast looks at every row for each check. Beyond this many looks only the first checks are forecast. */
const maxLooks = 4_000_000;

/**
 * What a first version does not show: which of its relative checks cannot decide on these rows once there is a baseline.
 * Said now, while the data is being chosen, and not at the next candidate. Null when there is a baseline, or nothing to
 * say.
 */
export function laterNote({ baseline, mismatch, candidate, planned, exam }: ModelPair, seed: number): string | null {
  if (baseline !== null || mismatch !== null) return null;
  const { minimumPerClass, onInsufficient } = exam.gates;
  const relative = planned.filter(({ policy }) => policy.kind !== "limit");
  const forecast = relative.slice(0, Math.max(1, Math.floor(maxLooks / exam.dataset.rows.length)));
  const unable = forecast.flatMap((one) => {
    const predictions = candidate.predictions.get(one.head ?? "");
    if (predictions === undefined) return [];
    const { metric, slice, refused } = planCheck(one, predictions, null, {
      minimumPerClass,
      onInsufficient,
      seed,
      correlation: assumedCorrelation,
    });
    return refused === null ? [] : [`${metric}${slice === "all" ? "" : ` on ${slice}`}: ${refused}`];
  });
  if (unable.length === 0) return null;
  const of = forecast.length < relative.length ? ` of the first ${forecast.length}` : "";
  const checks = `${unable.length === 1 ? "one check" : `${unable.length} checks`}${of}`;
  return `From the next version on, ${checks} cannot decide on these rows. ${unable.slice(0, named).join(". ")}${unable.length > named ? `. And ${unable.length - named} more` : ""}.`;
}
