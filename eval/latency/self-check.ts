import type { Interval } from "../schema/verdict.ts";
import type { Contrast } from "./contrast.ts";
import { hodgesLehmann } from "./hodges-lehmann.ts";

/**
 * How sure the A/A arm must be before it voids a run. Under ordinary noise an interval at level 1 - 2·alpha = 0.9 would
 * void one good run in ten without finding anything wrong; at 0.998 it voids one in 500.
 */
const SELF_LEVEL = 0.998;

export type SelfComparison = { ratio: number; interval: Interval | null; pairs: number; excludesOne: boolean };

/**
 * Each model against its own second process, over all rounds. The true ratio is 1. An interval that excludes 1 means
 * that the rounds are not the independent repetitions that the verdict assumes, so the verdict does not stand.
 */
export function selfComparison(contrasts: readonly Contrast[]): SelfComparison {
  const logs = contrasts.flatMap((one) => [one.baselineSelf, one.candidateSelf]);
  const { estimate, low, high } = hodgesLehmann(logs, (1 - SELF_LEVEL) / 2);
  const bounded = Number.isFinite(low) && Number.isFinite(high);
  return {
    ratio: Math.exp(estimate),
    interval: bounded
      ? {
          low: Math.exp(low),
          high: Math.exp(high),
          level: SELF_LEVEL,
          method: `Hodges-Lehmann over ${logs.length} pairs of processes`,
        }
      : null,
    pairs: logs.length,
    excludesOne: bounded && (low > 0 || high < 0),
  };
}
