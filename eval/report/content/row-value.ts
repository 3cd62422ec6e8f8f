import type { MetricOptions } from "../../../models/core/manifest/metric-options.ts";
import type { MetricDefinition, Sample } from "../../metrics/definition.ts";

/** A metric's value without its interval; null where it is undefined. */
export function rowValue(metric: MetricDefinition, sample: Sample, options: MetricOptions): number | null {
  const result = metric.measure(sample, { ...options, level: 0.95, seed: 1, intervals: false });
  return result.status === "ok" ? result.value : null;
}

/** "0.912", or a dash where there is no value. */
export function threeDecimals(value: number | null): string {
  return value === null ? "—" : value.toFixed(3);
}
