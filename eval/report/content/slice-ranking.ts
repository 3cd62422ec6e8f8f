import type { MetricName } from "../../../models/core/manifest/gates.ts";
import type { Measurement, ModelMetrics } from "../../schema/metrics.ts";
import type { Interval } from "../../schema/verdict.ts";
import { measurementLabel } from "./measurement-label.ts";

/**
 * Metrics that slices may be ranked by, the best choice first. How common the positive class is in a slice moves none of
 * the first four; accuracy, F1, precision, average precision, log loss and Brier scores all follow it, so a slice would
 * rank low for being hard to guess. Regressions have no such classes.
 */
const rankedBy: readonly MetricName[] = [
  "auroc",
  "partial_auroc",
  "tpr_at_fpr",
  "recall",
  "mase",
  "mae",
  "rmse",
  "wer",
  "cer",
  "chrf",
  "bleu",
  "entity_f1",
  "ndcg_at_k",
  "recall_at_k",
  "mrr",
];

/** Fewest rows of a slice that takes part in a ranking. */
export const rowsToRank = 100;

export type RankedSlice = {
  slice: string;
  n: number;
  value: number | null;
  interval: Interval | null;
  baseline: number | null;
  /** Why it is not ranked; null when it is. */
  unranked: string | null;
};

/** How the candidate does on each slice by one metric of one head. */
export type SliceRanking = {
  label: string;
  unit: string;
  direction: Measurement["direction"];
  all: number | null;
  /** The worst first; after them those that are not ranked, the largest first. */
  slices: RankedSlice[];
};

/** One ranking per head with two slices or more. */
export function sliceRankings(candidate: ModelMetrics | null, baseline: ModelMetrics | null): SliceRanking[] {
  const heads = Map.groupBy(candidate?.measurements ?? [], (one) => one.head);
  return [...heads.values()].flatMap((measurements): SliceRanking[] => {
    const metric = rankedBy.find((name) =>
      measurements.some((one) => one.metric === name && one.slice === "all" && one.result.status === "ok"),
    );
    const first = measurements.find((one) => one.metric === metric);
    if (first === undefined) return [];
    const alike = (one: Measurement) => measurementLabel(one) === measurementLabel(first);
    const chosen = measurements.filter(alike);
    if (chosen.length < 3) return [];
    const before = new Map(
      (baseline?.measurements ?? [])
        .filter(alike)
        .map((one) => [one.slice, one.result.status === "ok" ? one.result.value : null]),
    );
    const slices = chosen
      .filter((one) => one.slice !== "all")
      .map(({ slice, result }): RankedSlice => {
        const known = result.status === "ok" ? result : null;
        return {
          slice,
          n: result.n,
          value: known?.value ?? null,
          interval: known?.interval ?? null,
          baseline: before.get(slice) ?? null,
          unranked:
            result.status === "undefined"
              ? result.reason
              : result.n < rowsToRank || result.interval === null
                ? "too few rows to rank"
                : null,
        };
      });
    const sign = first.direction === "higher" ? 1 : -1;
    const all = chosen.find((one) => one.slice === "all")?.result;
    return [
      {
        label: measurementLabel(first),
        unit: first.unit,
        direction: first.direction,
        all: all?.status === "ok" ? all.value : null,
        slices: [
          ...slices
            .filter(({ unranked }) => unranked === null)
            .toSorted((a, b) => sign * ((a.value ?? 0) - (b.value ?? 0))),
          ...slices.filter(({ unranked }) => unranked !== null).toSorted((a, b) => b.n - a.n),
        ],
      },
    ];
  });
}
