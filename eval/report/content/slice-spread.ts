import type { Measurement, ModelMetrics } from "../../schema/metrics.ts";

/** How one metric varies over the slices of a dataset. `values` are in the order of the measurements. */
export type SliceSpread = {
  label: string;
  unit: string;
  direction: Measurement["direction"];
  all: number | null;
  values: { slice: string; value: number; n: number }[];
  worst: { slice: string; value: number };
  best: { slice: string; value: number };
};

/** The spread of every metric that was measured on two slices or more. */
export function sliceSpreads(metrics: ModelMetrics | null): SliceSpread[] {
  const groups = Map.groupBy(metrics?.measurements ?? [], measurementLabel);
  return [...groups].flatMap(([label, measurements]): SliceSpread[] => {
    const measured = measurements.flatMap(({ slice, result }) =>
      result.status === "ok" ? [{ slice, value: result.value, n: result.n }] : [],
    );
    const values = measured.filter(({ slice }) => slice !== "all");
    const [first] = measurements;
    if (first === undefined || values.length < 2) return [];
    const ordered = [...values].sort((a, b) => (first.direction === "higher" ? a.value - b.value : b.value - a.value));
    const [worst, best] = [ordered[0], ordered.at(-1)];
    if (worst === undefined || best === undefined) return [];
    return [
      {
        label,
        unit: first.unit,
        direction: first.direction,
        all: measured.find(({ slice }) => slice === "all")?.value ?? null,
        values,
        worst,
        best,
      },
    ];
  });
}

/** A metric's name with its options and head: `tpr_at_fpr(at=0.01)@mood`. */
export function measurementLabel({ metric, options, head }: Measurement): string {
  const given = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${value}`);
  return `${metric}${given.length === 0 ? "" : `(${given.join(",")})`}${head === null ? "" : `@${head}`}`;
}
