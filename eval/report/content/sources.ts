import { notReached, type ModelVerdict } from "../../schema/verdict.ts";

/**
 * Where baseline and thresholds came from, for the facts of a report. Null for what an early error kept from being
 * looked at.
 */
export function sources(model: Pick<ModelVerdict, "baselineSource" | "policySource">): {
  baseline: string | null;
  thresholds: string | null;
} {
  const known = (source: string) => (source === notReached ? null : source);
  return { baseline: known(model.baselineSource), thresholds: known(model.policySource) };
}
