import type { MetricName } from "../../models/core/manifest/gates.ts";
import type { Manifest } from "../../models/core/manifest/manifest.ts";
import { unknownCategories } from "../../models/core/preprocess/unknown-categories.ts";
import type { Row } from "../../models/core/row.ts";
import { counted } from "../report/text/format.ts";
import type { Profile } from "../../models/profile/schema.ts";
import { catalog } from "../metrics/catalog.ts";
import type { ModelMetrics } from "../schema/metrics.ts";

/**
 * What a reader must know about the rows: whether they are simulated, which categories the candidate has never seen,
 * and how far it is from the best that is possible on them.
 */
export function datasetNotes(
  manifest: Manifest,
  rows: readonly Row[],
  candidate: ModelMetrics,
  baseline: ModelMetrics | null,
  profile: Pick<Profile, "variables">,
): string[] {
  const { dataset } = manifest;
  if (dataset === undefined) return [];
  const simulated =
    dataset.provenance !== "simulated"
      ? []
      : [
          `The rows of ${dataset.id} are simulated${dataset.description === undefined ? "" : ` (${dataset.description})`}: figures on them say nothing of real ones`,
        ];
  const distances = Object.entries(dataset.bestPossible).flatMap(([head, metrics]) =>
    Object.entries(metrics).map(([metric, best]) => distance(head, metric as MetricName, best, candidate, baseline)),
  );
  const unseen = unknownCategories(manifest.preprocess, rows).map(
    ({ column, rows: count, values }) =>
      `Categories that the candidate has never seen become zeros (unknown: zeros): ${column}, ${counted(count, "row")} of ${rows.length}, e.g. ${values.map((one) => `${JSON.stringify(one.value.slice(0, 60))} (${one.rows})`).join(", ")}`,
  );
  return [...simulated, ...unseen, ...cutTexts(profile), ...distances];
}

/** Of how many rows the candidate reads only a part. */
function cutTexts({ variables }: Pick<Profile, "variables">): string[] {
  return variables.flatMap((one) =>
    one.kind === "rate" && one.name.endsWith(" cut") && one.yes > 0
      ? [
          `${one.name.slice(0, -" cut".length)}: of ${one.yes} of ${counted(one.yes + one.no, "row")} only a part is read, because they are longer than the candidate takes`,
        ]
      : [],
  );
}

function distance(
  head: string,
  metric: MetricName,
  best: number,
  candidate: ModelMetrics,
  baseline: ModelMetrics | null,
): string {
  const bound = `The best possible on these rows is ${metric} ${best.toFixed(4)} for ${head}`;
  const reached = valueOf(candidate, head, metric);
  if (reached === null) return `${bound}; the candidate's was not measured`;
  const short = catalog.get(metric)?.direction === "lower" ? reached - best : best - reached;
  const other = baseline === null ? null : valueOf(baseline, head, metric);
  // A bound that holds on average over the noise may be exceeded by luck on the rows at hand.
  const away = short >= 0 ? `${short.toFixed(4)} from it` : `${(-short).toFixed(4)} beyond it, which is luck or a leak`;
  return `${bound}; the candidate reaches ${reached.toFixed(4)}, ${away}${other === null ? "" : ` (baseline ${other.toFixed(4)})`}`;
}

function valueOf(metrics: ModelMetrics, head: string, metric: MetricName): number | null {
  const result = metrics.measurements.find(
    (one) => one.head === head && one.metric === metric && one.slice === "all",
  )?.result;
  return result?.status === "ok" ? result.value : null;
}
