import type { MetricOptions } from "../../models/core/manifest/metric-options.ts";
import type { MetricDefinition, Sample } from "./definition.ts";
import { rowMeanSums } from "./row-mean.ts";
import { contrastShare, measureShare } from "./share.ts";
import { contrastSums, measureSums, type SumMetric } from "./sum-metric.ts";
import { rankingsOf, type UserHits, userHits, withRelevant } from "./user-hits.ts";

/** Cut-off of the metrics of rankings when none is given. */
export const defaultK = 10;

/** One user's value from the hits, in [0, 1]. The user has a relevant item. */
export type UserValue = (hits: UserHits, user: number, options: MetricOptions) => number;

/**
 * A metric of rankings that is the mean over users of one number per user; [0, 1], higher is better. Users without a
 * relevant item are left out, and `n` counts the others (trec_eval leaves them out as well; ranx counts them as 0).
 * Interval: as of any mean over rows, or, for a value that is 0 or 1, as of any share.
 */
export function userMeanDefinition(
  described: Pick<MetricDefinition, "name" | "defaultOptions" | "furtherOptions">,
  valueOf: UserValue,
  kind: "mean" | "share" = "mean",
): MetricDefinition {
  const means = rowMeanSums("any", [0, 1], (sample, options) => {
    const rankings = rankingsOf(sample);
    if (rankings === null) return "the predictions are no rankings";
    const hits = userHits(rankings.of);
    const asked = { ...described.defaultOptions, ...options };
    return Float64Array.from(rankings.rows, (user) => valueOf(hits, user, asked));
  });
  const sums: SumMetric = kind === "share" ? means : { ...means, heavyTails: "always" };
  const none = (sample: Sample): { status: "undefined"; reason: string; n: 0 } | null =>
    sample.labels.length === 0 ? { status: "undefined", reason: "no user has a relevant item", n: 0 } : null;
  return {
    ...described,
    tasks: ["ranking"],
    direction: "higher",
    unit: "",
    range: [0, 1],
    signature: (_, options) => signatureOf({ ...described.defaultOptions, ...options }),
    measure: (all, options) => {
      const sample = withRelevant(all);
      return none(sample) ?? (kind === "share" ? measureShare : measureSums)(sums, sample, options);
    },
    contrast: (all, baseline, options) => {
      const [sample, other] = [withRelevant(all), withRelevant(baseline)];
      return none(sample) ?? (kind === "share" ? contrastShare : contrastSums)(sums, sample, other, options);
    },
  };
}

function signatureOf({ k, gain }: MetricOptions): string {
  return [k === undefined ? "cut:no" : `k:${k}`, ...(gain === undefined ? [] : [`gain:${gain}`])].join("|");
}

/** How many hits of a user stand in the first k places; ranks ascend. */
export function hitsWithin({ starts, ranks }: UserHits, user: number, k: number): number {
  const from = starts[user] as number;
  let at = from;
  while (at < (starts[user + 1] as number) && (ranks[at] as number) <= k) at++;
  return at - from;
}
