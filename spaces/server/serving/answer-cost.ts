import { costOf } from "../../../eval/stats/hosting-cost.ts";
import type { Manifest } from "../../../models/core/manifest/manifest.ts";
import type { SweepPoint } from "../engine/sweep.ts";

/**
 * What 1,000 answers cost on this machine, by `prices:` of model.yaml and the most rows per second that the warm-up
 * measured, in the formula of `sluice ops`. `alwaysBusy`: idle hours are not in it, so real answers cost more.
 *
 * @returns null where no price is named or nothing was measured
 */
export function answerCost(prices: Manifest["prices"], sweep: readonly SweepPoint[]) {
  const rowsPerSecond = Math.max(0, ...sweep.map((point) => point.rowsPerSecond));
  if (prices === undefined || rowsPerSecond === 0) return null;
  const { currency, perHour } = prices;
  const hosting = { name: "this machine", pricePerHour: perHour, throughputPerSecond: rowsPerSecond };
  const { per1000AtFullUse } = costOf(hosting, []);
  return { currency, perHour, rowsPerSecond, per1000: { alwaysBusy: per1000AtFullUse } };
}
