import { findRoot } from "../rootfind.ts";
import type { Ends } from "../bca.ts";
import { gridShares, logMean } from "./betting-capital.ts";
import { expectUnit, noMoments, observeMoments, plugInBet } from "./predictable-bets.ts";

/** Whose capital counts: the plug-in bet's, the grid's, or the average of both, which is the default. */
export type Bets = "plug-in" | "grid" | "average";

/**
 * Anytime-valid interval of the mean of values in [0, 1]: the means m against which neither gambler has reached 2/α
 * (./betting-capital.ts). With probability at least 1 - α it holds the mean after every observation at once, so one may
 * look as often as one likes and stop when one likes (Waudby-Smith and Ramdas, J. R. Stat. Soc. B 86, 2024). Values may
 * depend on each other as long as each has the mean m given the past.
 *
 * Both capitals are monotone in m, so each end is bisected. The ends of one moment are given, not the intersection with
 * those before. O(n) per step; O(1) for the grid where all values are 0 or 1.
 *
 * Where the mean did not stay the same, no m may be left: then `low` lies above `high`, which decides nothing.
 *
 * @param values in order
 * @returns the whole [0, 1] for no values
 * @throws RangeError where a value is not in [0, 1]
 */
export function bettingInterval(values: ArrayLike<number>, alpha: number, bets: Bets = "average"): Ends {
  const moments = noMoments();
  const wanted = new Float64Array(values.length);
  const distinct = new Map<number, number>();
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    expectUnit(value, `value ${i}`);
    wanted[i] = plugInBet(moments, alpha / 2);
    observeMoments(moments, value);
    distinct.set(value, (distinct.get(value) ?? 0) + 1);
  }
  if (values.length === 0) return { low: 0, high: 1 };
  const excess = (m: number, side: 1 | -1): number =>
    logCapitalAgainst(values, distinct, wanted, m, side, bets) - Math.log(2 / alpha);
  const end = (side: 1 | -1): number => {
    const [outer, inner] = side === 1 ? [nearest, 1 - nearest] : [1 - nearest, nearest];
    if (excess(outer, side) < 0) return side === 1 ? 0 : 1;
    // Against the far end of the range a gambler can only lose.
    return findRoot((m) => excess(m, side), outer, inner, 1e-11);
  };
  return { low: end(1), high: end(-1) };
}

/** How near to 0 and 1 means are tried. */
const nearest = 1e-12;

function logCapitalAgainst(
  values: ArrayLike<number>,
  distinct: ReadonlyMap<number, number>,
  wanted: Float64Array,
  m: number,
  side: 1 | -1,
  bets: Bets,
): number {
  const reach = side === 1 ? m : 1 - m;
  const parts: number[] = [];
  if (bets !== "grid") parts.push(plugInCapital(values, wanted, m, side, reach));
  if (bets !== "plug-in") {
    const grid = gridShares.map((share) => {
      let log = 0;
      for (const [value, count] of distinct) log += count * Math.log1p((share / reach) * side * (value - m));
      return log;
    });
    parts.push(logMean(grid));
  }
  return logMean(parts);
}

/** Products are taken in runs, because a logarithm per value would take most of the time. */
function plugInCapital(
  values: ArrayLike<number>,
  wanted: Float64Array,
  m: number,
  side: 1 | -1,
  reach: number,
): number {
  const cap = 0.5 / reach;
  let log = 0;
  let product = 1;
  for (let i = 0; i < values.length; i++) {
    product *= 1 + Math.min(wanted[i] as number, cap) * side * ((values[i] as number) - m);
    if (product < 1e-200 || product > 1e200) {
      log += Math.log(product);
      product = 1;
    }
  }
  return log + Math.log(product);
}
