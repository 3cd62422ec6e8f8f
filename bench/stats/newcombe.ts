import type { Ends } from "../../eval/stats/bca.ts";
import type { PairedCounts } from "../../eval/stats/tango.ts";
import { unseenProbability } from "../../eval/stats/rule-of-three.ts";
import { wilson } from "../../eval/stats/wilson.ts";

/**
 * Difference of two paired proportions, first - second, by Newcombe's square-and-add method with Wilson intervals and
 * continuity-corrected correlation (R. G. Newcombe, Stat. Med. 17, 1998, 2635-2650, method 10). In [-1, 1]. Without a
 * discordant row, method 10 can shrink to nothing, so the bound on an unseen discordance (`unseenProbability`) is used
 * instead.
 */
export function newcombe({ both, first, second, neither }: PairedCounts, level: number): Ends {
  const n = both + first + second + neither;
  if (first + second === 0) {
    const share = unseenProbability(n, (1 - level) / 2);
    return { low: -share, high: share };
  }
  const p1 = (both + first) / n;
  const p2 = (both + second) / n;
  const one = wilson(both + first, n, level);
  const two = wilson(both + second, n, level);
  const margins = (both + first) * (second + neither) * (both + second) * (first + neither);
  let phi = 0;
  if (margins > 0) {
    const cross = both * neither - first * second;
    phi = (cross > n / 2 ? cross - n / 2 : cross >= 0 ? 0 : cross) / Math.sqrt(margins);
  }
  const down = Math.sqrt((p1 - one.low) ** 2 - 2 * phi * (p1 - one.low) * (two.high - p2) + (two.high - p2) ** 2);
  const up = Math.sqrt((one.high - p1) ** 2 - 2 * phi * (one.high - p1) * (p2 - two.low) + (p2 - two.low) ** 2);
  const difference = (first - second) / n;
  return { low: Math.max(-1, difference - down), high: Math.min(1, difference + up) };
}
