import type { MetricName } from "../../models/core/manifest/gates.ts";
import type { Question } from "../latency/sequential-test.ts";
import type { PerformanceFigures } from "../schema/metrics.ts";

/** Direction and unit of a figure, and where it stands among the measured ones. */
type PerformanceDefinition = {
  direction: "higher" | "lower";
  unit: string;
  read: (figures: PerformanceFigures) => number | null;
  /** The quantile that a latency comparison asks for; without one, no latency comparison can decide. */
  quantile?: Question["quantile"];
};

/** Figures of the whole model, measured by running it, not from its predictions. */
export const performanceDefinitions: Partial<Record<MetricName, PerformanceDefinition>> = {
  latency_p50_ms: {
    direction: "lower",
    unit: "ms",
    read: (figures) => figures.batches[0]?.p50Ms ?? null,
    quantile: 0.5,
  },
  latency_p95_ms: {
    direction: "lower",
    unit: "ms",
    read: (figures) => figures.batches[0]?.p95Ms ?? null,
    quantile: 0.95,
  },
  latency_p99_ms: {
    direction: "lower",
    unit: "ms",
    read: (figures) => figures.batches[0]?.p99Ms ?? null,
    quantile: 0.99,
  },
  throughput_rows_s: {
    direction: "higher",
    unit: "rows/s",
    read: (figures) => figures.batches.at(-1)?.throughputRowsPerSecond ?? null,
  },
  throughput_tokens_s: {
    direction: "higher",
    unit: "tokens/s",
    read: (figures) => figures.batches.at(-1)?.throughputTokensPerSecond ?? null,
  },
  time_to_first_token_ms: {
    direction: "lower",
    unit: "ms",
    read: (figures) => figures.batches[0]?.firstTokenP50Ms ?? null,
  },
  rtf: { direction: "lower", unit: "s/s", read: (figures) => figures.rtf ?? null },
  cold_start_ms: { direction: "lower", unit: "ms", read: (figures) => figures.coldStartMs },
  peak_rss_bytes: { direction: "lower", unit: "bytes", read: (figures) => figures.peakRssBytes },
  model_bytes: { direction: "lower", unit: "bytes", read: (figures) => figures.modelBytes },
};

export const performanceMetrics: ReadonlySet<MetricName> = new Set(Object.keys(performanceDefinitions) as MetricName[]);
