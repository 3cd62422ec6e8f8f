import type { Manifest } from "../../models/core/manifest/manifest.ts";
import type { PerformanceFigures } from "../schema/metrics.ts";
import type { OpsSettings } from "../schema/ops.ts";
import { costOf } from "../stats/hosting-cost.ts";

type Priced = Pick<Manifest, "id" | "prices">;

/**
 * The figures with what 1,000 answers cost at the throughput that was measured, by the formula of `sluice ops`. The price
 * is that of the model's first hosting in `ops:` of sluice.yaml, which is what it runs on now, else of `prices:` in
 * model.yaml. A throughput that is written with a hosting does not count: it is of an earlier version.
 *
 * @returns without a cost where no price is named or no batch was timed
 */
export function withCost(figures: PerformanceFigures, ops: OpsSettings | undefined, model: Priced): PerformanceFigures {
  const hosting = hostingOf(ops, model);
  const measured = figures.batches.at(-1);
  if (hosting === null || measured === undefined) return figures;
  const { name, pricePerHour, currency, interruptedShare } = hosting;
  const { per1000AtFullUse } = costOf(
    { name, pricePerHour, interruptedShare, throughputPerSecond: measured.throughputRowsPerSecond },
    [],
  );
  if (per1000AtFullUse === null) return figures;
  return { ...figures, cost: { hosting: name, pricePerHour, currency, batch: measured.batch, per1000AtFullUse } };
}

function hostingOf(ops: OpsSettings | undefined, { id, prices }: Priced) {
  const first = (ops?.models[id] ?? ops?.hostings)?.[0];
  if (ops !== undefined && first !== undefined) {
    const { name, pricePerHour, interruptedShare = 0 } = first;
    return { name, pricePerHour, currency: ops.currency, interruptedShare };
  }
  return prices?.perHour === undefined
    ? null
    : { name: "prices of model.yaml", pricePerHour: prices.perHour, currency: prices.currency, interruptedShare: 0 };
}
