import { augmentationColumn } from "../../../models/core/manifest/augmentations.ts";
import type { Measurement, ModelMetrics } from "../../schema/metrics.ts";
import type { Interval, ModelVerdict } from "../../schema/verdict.ts";
import { measurementLabel } from "./measurement-label.ts";

/** How the candidate does on altered copies of the rows by one metric, beside all rows as they came. */
export type AugmentationTable = {
  label: string;
  unit: string;
  direction: Measurement["direction"];
  all: number | null;
  rows: AugmentationRow[];
};

type AugmentationRow = {
  name: string;
  /** What the alteration is. */
  what: string;
  n: number;
  value: number | null;
  interval: Interval | null;
  baseline: number | null;
};

/** One table for each metric that checks ask of altered copies; for the metrics of the other checks where none does. */
export function augmentationTables(
  { augmentations = [], checks }: Pick<ModelVerdict, "augmentations" | "checks">,
  candidate: ModelMetrics | null,
  baseline: ModelMetrics | null,
): AugmentationTable[] {
  if (augmentations.length === 0 || candidate === null) return [];
  const asked = checks.filter(({ slice }) => slice.startsWith(`${augmentationColumn}=`));
  const wanted = new Set((asked.length > 0 ? asked : checks).map(({ metric, head }) => JSON.stringify([metric, head])));
  const whole = candidate.measurements.filter(
    ({ metric, head, slice }) => slice === "all" && wanted.has(JSON.stringify([metric, head])),
  );
  const first = [...new Map(whole.toReversed().map((one) => [JSON.stringify([one.metric, one.head]), one])).values()];
  return first.toReversed().map((of) => {
    const resultOn = (metrics: ModelMetrics | null, slice: string) =>
      metrics?.measurements.find((one) => one.slice === slice && measurementLabel(one) === measurementLabel(of))
        ?.result;
    const valueOf = (result: Measurement["result"] | undefined) => (result?.status === "ok" ? result.value : null);
    return {
      label: measurementLabel(of),
      unit: of.unit,
      direction: of.direction,
      all: valueOf(of.result),
      rows: augmentations.map(({ name, what, rows }) => {
        const slice = `${augmentationColumn}=${name}`;
        const own = resultOn(candidate, slice);
        return {
          name,
          what,
          n: own?.n ?? rows,
          value: valueOf(own),
          interval: own?.status === "ok" ? own.interval : null,
          baseline: valueOf(resultOn(baseline, slice)),
        };
      }),
    };
  });
}
