import { expectUnit } from "./predictable-bets.ts";

/** Bets of the default; those that could go bankrupt at m₀ are left out. */
export const detectorBets: readonly number[] = [0.25, 0.5, 1, 2, 4];

/**
 * Watches values in [0, 1] for a mean that rises above m₀ (J. Shin, A. Ramdas and A. Rinaldo, New England J. Stat. Data
 * Sci. 2, 2024). For each bet λ, L = 1 + λ(x - m₀), `sr` is M ← L(M + 1) from 0 (Shiryaev-Roberts) and `cusum` M ← L·max(M,
 * 1) from 1; each is averaged over the bets. While every mean is at most m₀ given the past, an alarm at M ≥ A comes after A
 * values on average at the earliest: ARL ≥ A. For a mean that falls, give 1 - x and 1 - m₀. Plain data.
 *
 * A rate that swings within the day is above m₀ for half of it, which the guarantee does not allow: give the values of a
 * whole cohort in random order.
 */
export type EDetector = { mean: number; bets: number[]; sr: number[]; cusum: number[]; count: number };

/** @throws RangeError where m₀ is not inside (0, 1) */
export function startEDetector(mean: number): EDetector {
  if (!(mean > 0 && mean < 1)) throw new RangeError(`the mean to hold must be between 0 and 1, got ${mean}`);
  const bets = detectorBets.filter((lambda) => lambda < 1 / mean);
  return { mean, bets, sr: bets.map(() => 0), cusum: bets.map(() => 1), count: 0 };
}

/**
 * Takes the next value in. Changes `detector`.
 *
 * @throws RangeError where the value is not in [0, 1]
 */
export function observeChange(detector: EDetector, value: number): { sr: number; cusum: number } {
  expectUnit(value);
  const { bets, sr, cusum, mean } = detector;
  bets.forEach((lambda, i) => {
    const gain = 1 + lambda * (value - mean);
    sr[i] = Math.min(Number.MAX_VALUE, gain * ((sr[i] as number) + 1));
    cusum[i] = Math.min(Number.MAX_VALUE, gain * Math.max(cusum[i] as number, 1));
  });
  detector.count++;
  return evidenceOfChange(detector);
}

/** The averages now; each is held against A, the values per false alarm that one accepts. */
function evidenceOfChange({ bets, sr, cusum }: EDetector): { sr: number; cusum: number } {
  const mean = (all: readonly number[]): number => all.reduce((sum, one) => sum + one / bets.length, 0);
  return { sr: mean(sr), cusum: mean(cusum) };
}
