import type { Measurement } from "../../schema/metrics.ts";

/** A metric's name with its options and head: `tpr_at_fpr(at=0.01)@mood`. */
export function measurementLabel({ metric, options, head }: Pick<Measurement, "metric" | "options" | "head">): string {
  const given = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${value}`);
  return `${metric}${given.length === 0 ? "" : `(${given.join(",")})`}${head === null ? "" : `@${head}`}`;
}
