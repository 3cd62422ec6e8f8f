/**
 * How much resampling an interval gets by default. Functions of sums: 2,000 resamples up to `largeSample` units, above
 * it the analytic ABC interval (the difference to BCa is O(n^-1.5)). Smooth rank statistics: a jackknife over at most
 * 200 groups of units, 100 above `largeSample`. Statistics that allow neither: as many resamples as 10^7 drawn units
 * pay for, 400 to 2,000. A requested number of resamples is always used as it is.
 */
export const defaultResamples = 2000;
export const largeSample = 5000;

export function jackknifeBlocks(units: number): number {
  return units > largeSample ? 100 : 200;
}

export function affordableResamples(units: number): number {
  return Math.max(400, Math.min(defaultResamples, Math.floor(1e7 / units)));
}
