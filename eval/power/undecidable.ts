import type { CheckPolicy } from "../../models/core/manifest/gates.ts";
import type { Sample } from "../metrics/definition.ts";
import { fewClusters } from "./few-clusters.ts";
import { fewLargeErrors } from "./few-large-errors.ts";

/**
 * Why a check that reads an interval cannot be decided on these rows, whatever they say, and what would help; null
 * where it can.
 *
 * @param samples the candidate's rows, and for a comparison the baseline's
 */
export function undecidable(
  policy: Pick<CheckPolicy, "kind" | "metric"> & { confident?: boolean },
  samples: readonly [Sample, ...Sample[]],
): string | null {
  const limit = policy.kind === "limit";
  if (limit && policy.confident !== true) return null;
  return fewClusters(policy.metric, samples[0], limit) ?? fewLargeErrors(policy.metric, samples);
}
