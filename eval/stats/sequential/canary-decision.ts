import { type CanaryEvidence, differencesSeen, provesBad, provesGood } from "./canary-evidence.ts";

/** What a roll-out does next, and the same in the words of the verdict algebra. */
export type CanaryDecision = {
  action: "PROMOTE" | "ABORT" | "CONTINUE" | "PAUSE" | "KEEP_BASELINE";
  verdict: "PASS" | "FAIL" | "INCONCLUSIVE";
  /** Metric that decided, or that waits. */
  metric: string | null;
  reason: string;
};

export type CanaryLimits = {
  alpha: number;
  /** What all aborts may err with, where it is less: a roll-out of several phases shares its error among them. */
  abortAlpha?: number;
  /** Fewer differences than this since the last look are too little traffic to go on with: PAUSE. */
  leastNew?: number;
  /** The time or the traffic that was allowed is used up. */
  ended?: boolean;
  /** Differences of each metric at the last look, by name. */
  before?: Readonly<Record<string, number>>;
};

/**
 * Decides between PROMOTE, ABORT and going on from the evidence on k metrics. One metric that is shown to be worse than
 * its margin, at α/k, aborts, so that a candidate on its margins is aborted with probability at most α. Promotion needs
 * every metric to be shown better than its margin, each at α: where one truly is worse, that one promotes with
 * probability at most α (intersection-union; Berger, Technometrics 24, 1982). Both hold at every look at once, so one may
 * look after each row. At the end without a proof the baseline stays: INCONCLUSIVE. No metric at all promotes nothing.
 *
 * The guarantee is per build: a new build is a new test and starts with new evidence.
 */
export function decideCanary(metrics: readonly CanaryEvidence[], limits: CanaryLimits): CanaryDecision {
  const { alpha, abortAlpha = alpha, leastNew = 1, ended = false, before = {} } = limits;
  const bad = metrics.find((one) => provesBad(one, abortAlpha / metrics.length));
  if (bad !== undefined)
    return {
      action: "ABORT",
      verdict: "FAIL",
      metric: bad.metric,
      reason: `${bad.metric} is worse than its margin of ${bad.margin}, shown by ${differencesSeen(bad)} differences`,
    };
  const open = metrics.find((one) => !provesGood(one, alpha));
  if (metrics.length > 0 && open === undefined)
    return {
      action: "PROMOTE",
      verdict: "PASS",
      metric: null,
      reason: `all ${metrics.length} metrics keep their margins`,
    };
  const metric = open?.metric ?? null;
  const undecided = metric === null ? "there is no metric to decide by" : `${metric} is not decided yet`;
  if (ended)
    return {
      action: "KEEP_BASELINE",
      verdict: "INCONCLUSIVE",
      metric,
      reason: `${undecided} and what was allowed is used up: the baseline stays`,
    };
  if (open !== undefined && differencesSeen(open) - (before[open.metric] ?? 0) < leastNew)
    return {
      action: "PAUSE",
      verdict: "INCONCLUSIVE",
      metric,
      reason: `${undecided}: fewer than ${leastNew} new differences since the last look`,
    };
  return { action: "CONTINUE", verdict: "INCONCLUSIVE", metric, reason: undecided };
}
