import { expectUnit, type Moments, noMoments, observeMoments, plugInBet } from "./predictable-bets.ts";

/** The shares g of the largest bet that the grid spreads its capital over: ½, ¼ … 2⁻¹². */
export const gridShares: readonly number[] = Array.from({ length: 12 }, (_, i) => 2 ** -(i + 1));

/** Natural logarithms of the capital of one side: of the plug-in bet and of each bet of the grid. */
type Side = { plugIn: number; grid: number[]; peak: number };

/**
 * Two gamblers who bet on a stream of values in [0, 1] against the claim that their mean is m: `above` wins where the
 * mean is larger, `below` where it is smaller. Under the claim each capital is a nonnegative martingale from 1, so it
 * ever reaches 1/α with probability at most α, whenever one looks (Ville). Plain data: it can be stored as JSON and
 * taken up again.
 */
export type BettingCapital = {
  /** m in (0, 1). */
  mean: number;
  /** What the plug-in bets are tuned to; the guarantee does not depend on it. */
  errorRate: number;
  moments: Moments;
  above: Side;
  below: Side;
};

/** @throws RangeError where m is not inside (0, 1), or the error rate is not */
export function startBetting(mean: number, errorRate: number): BettingCapital {
  for (const [name, value] of Object.entries({ mean, errorRate }))
    if (!(value > 0 && value < 1)) throw new RangeError(`${name} must be between 0 and 1, got ${value}`);
  const side = (): Side => ({ plugIn: 0, grid: gridShares.map(() => 0), peak: 0 });
  return { mean, errorRate, moments: noMoments(), above: side(), below: side() };
}

/**
 * Bets on the next value, each side with the average of the plug-in bet (truncated at half of the largest) and of the
 * grid. Changes `capital`.
 *
 * @param value in [0, 1]
 * @throws RangeError otherwise
 */
export function bet(capital: BettingCapital, value: number): void {
  expectUnit(value);
  const { mean, moments } = capital;
  const wanted = plugInBet(moments, capital.errorRate);
  const gap = value - mean;
  settle(capital.above, wanted, mean, gap);
  settle(capital.below, wanted, 1 - mean, -gap);
  observeMoments(moments, value);
}

/** `reach`: the largest possible loss per unit of bet, so that 1/reach is the largest bet that cannot go bankrupt. */
function settle(side: Side, wanted: number, reach: number, gap: number): void {
  side.plugIn += Math.log1p(Math.min(wanted, 0.5 / reach) * gap);
  gridShares.forEach((share, i) => {
    side.grid[i] = (side.grid[i] as number) + Math.log1p((share / reach) * gap);
  });
  side.peak = Math.max(side.peak, logCapital(side));
}

/** ln of (plug-in capital + mean of the grid's) / 2, now. */
export function logCapital({ plugIn, grid }: Pick<Side, "plugIn" | "grid">): number {
  return logMean([plugIn, logMean(grid)]);
}

/** ln of the mean of exponentials, without overflow. */
export function logMean(logarithms: readonly number[]): number {
  const largest = Math.max(...logarithms);
  if (largest === Number.NEGATIVE_INFINITY) return largest;
  let sum = 0;
  for (const one of logarithms) sum += Math.exp(one - largest);
  return largest + Math.log(sum / logarithms.length);
}

/** Whether the capital has ever reached 1/α. Once it has, later losses do not take the decision back. */
export function everReached({ peak }: Pick<Side, "peak">, alpha: number): boolean {
  return peak >= Math.log(1 / alpha);
}
