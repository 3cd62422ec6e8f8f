import { bet, type BettingCapital, everReached, startBetting } from "./betting-capital.ts";

/**
 * Evidence on one metric of a roll-out, anytime-valid. Each observation is a difference D in [-1, 1] in the direction of
 * good: candidate - baseline where higher is better, the negative where lower is. It is bet on as X = (D + 1)/2 against
 * m = (1 - margin)/2. Plain data.
 */
export type CanaryEvidence = { metric: string; margin: number; capital: BettingCapital };

/**
 * @param margin largest loss that is accepted, in (-1, 1); negative asks for a gain
 * @param alpha what a promotion may err with
 * @throws RangeError outside
 */
export function startCanaryEvidence(metric: string, margin: number, alpha: number): CanaryEvidence {
  if (!(margin > -1 && margin < 1))
    throw new RangeError(`the margin of ${metric} must be between -1 and 1, got ${margin}; for example 0.02`);
  return { metric, margin, capital: startBetting((1 - margin) / 2, alpha) };
}

/**
 * Takes the difference of one pair (shadow), or of one block (./unpaired-blocks.ts), in. Changes `evidence`.
 *
 * @throws RangeError where it is not in [-1, 1]
 */
export function observeDifference(evidence: CanaryEvidence, difference: number): void {
  if (!(difference >= -1 && difference <= 1))
    throw new RangeError(`a difference of ${evidence.metric} must be in [-1, 1], got ${difference}`);
  bet(evidence.capital, (difference + 1) / 2);
}

/** Differences seen so far. */
export const differencesSeen = ({ capital }: CanaryEvidence): number => capital.moments.count;

/** The true difference is above -margin: wrong with probability at most α, however often one looks. */
export const provesGood = ({ capital }: CanaryEvidence, alpha: number): boolean => everReached(capital.above, alpha);

/** The true difference is below -margin: wrong with probability at most α, however often one looks. */
export const provesBad = ({ capital }: CanaryEvidence, alpha: number): boolean => everReached(capital.below, alpha);
