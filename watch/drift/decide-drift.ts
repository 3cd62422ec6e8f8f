import { decideConfidentLimit } from "../../eval/stats/decide.ts";
import type { DriftEstimate } from "./distributions.ts";

/** The state of one watched distribution, and the same in the words of the verdict algebra. */
export type DriftDecision =
  | { state: "DRIFT"; verdict: "FAIL" }
  | { state: "STABLE"; verdict: "PASS" }
  | { state: "INCONCLUSIVE"; verdict: "INCONCLUSIVE" };

/** Defaults of the effect sizes that count as drift. */
export const driftThresholds = { psi: 0.1, cramersV: 0.1, kolmogorovSmirnov: 0.1, jensenShannon: 0.1 } as const;

/**
 * Decides by effect, not by p-value: DRIFT when the whole interval lies above the threshold, STABLE when all of it lies
 * at or below it, else INCONCLUSIVE. A large sample alone can so never make a drift, nor a small one a STABLE. DRIFT is
 * wrong with probability at most (1 - level)/2 whatever effect up to the threshold is true.
 */
export function decideDrift({ interval }: Pick<DriftEstimate, "interval">, threshold: number): DriftDecision {
  switch (decideConfidentLimit(interval, null, threshold)) {
    case "pass":
      return { state: "STABLE", verdict: "PASS" };
    case "fail":
      return { state: "DRIFT", verdict: "FAIL" };
    case "inconclusive":
      return { state: "INCONCLUSIVE", verdict: "INCONCLUSIVE" };
  }
}
