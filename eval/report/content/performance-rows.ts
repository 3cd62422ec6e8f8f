import type { MetricsFile, ModelMetrics, PerformanceFigures } from "../../schema/metrics.ts";
import type { ModelVerdict } from "../../schema/verdict.ts";
import { bytes, count, milliseconds } from "../text/format.ts";
import { type Glyphs, unicode } from "../text/glyphs.ts";
import { money } from "./running-cost.ts";

/** The metrics of a verdict's candidate and baseline; null where metrics.json has none. */
export function metricsOf(
  metrics: MetricsFile | null,
  verdict: ModelVerdict,
): { candidate: ModelMetrics | null; baseline: ModelMetrics | null } {
  const find = (role: ModelMetrics["role"], id: string | undefined) =>
    metrics?.models.find((one) => one.role === role && one.model.id === id) ?? null;
  return { candidate: find("candidate", verdict.model.id), baseline: find("baseline", verdict.baseline?.id) };
}

export type BatchRow = {
  batch: string;
  who: "candidate" | "baseline";
  p50: string;
  p95: string;
  p99: string;
  rowsPerSecond: string;
};

/** Latency per batch size, candidate above baseline, in milliseconds and rows per second. */
export function batchRows(
  candidate: PerformanceFigures | null,
  baseline: PerformanceFigures | null,
  glyphs: Glyphs = unicode,
): BatchRow[] {
  const sizes = [...new Set([candidate, baseline].flatMap((one) => one?.batches.map(({ batch }) => batch) ?? []))].sort(
    (a, b) => a - b,
  );
  return sizes.flatMap((size) =>
    (
      [
        ["candidate", candidate],
        ["baseline", baseline],
      ] as const
    ).flatMap(([who, figures]) =>
      (figures?.batches ?? [])
        .filter(({ batch }) => batch === size)
        .map((row): BatchRow => ({
          batch: count(size),
          who,
          p50: milliseconds(row.p50Ms, glyphs),
          p95: milliseconds(row.p95Ms, glyphs),
          p99: milliseconds(row.p99Ms, glyphs),
          rowsPerSecond: wholeOrThree(row.throughputRowsPerSecond, glyphs),
        })),
    ),
  );
}

export type FigureRow = { figure: string; candidate: string; baseline: string };

/**
 * Cold start, peak memory, model size and cost. A figure that was not measured shows a dash, never 0. The currency is
 * text from outside.
 */
export function figureRows(
  candidate: PerformanceFigures | null,
  baseline: PerformanceFigures | null,
  glyphs: Glyphs = unicode,
): FigureRow[] {
  if (candidate === null && baseline === null) return [];
  const row = (
    figure: string,
    pick: (figures: PerformanceFigures) => number | null,
    formatValue: (value: number) => string,
  ): FigureRow => {
    const cell = (figures: PerformanceFigures | null) => {
      const value = figures === null ? null : pick(figures);
      return value === null ? glyphs.dash : formatValue(value);
    };
    return { figure, candidate: cell(candidate), baseline: cell(baseline) };
  };
  return [
    row(
      "cold start",
      (figures) => figures.coldStartMs,
      (ms) => `${milliseconds(ms, glyphs)} ms`,
    ),
    row(
      "time to first token",
      (figures) => figures.batches[0]?.firstTokenP50Ms ?? null,
      (ms) => `${milliseconds(ms, glyphs)} ms`,
    ),
    row(
      "tokens per second",
      (figures) => figures.batches.at(-1)?.throughputTokensPerSecond ?? null,
      (n) => wholeOrThree(n, glyphs),
    ),
    row(
      "real-time factor",
      (figures) => figures.rtf ?? null,
      (n) => milliseconds(n, glyphs),
    ),
    row(
      "peak memory",
      (figures) => figures.peakRssBytes,
      (n) => bytes(n, glyphs),
    ),
    row(
      "model size",
      (figures) => figures.modelBytes,
      (n) => bytes(n, glyphs),
    ),
    row(
      "tensors per row",
      (figures) => figures.bytesPerRow ?? null,
      (n) => bytes(n, glyphs),
    ),
    row(
      "1,000 answers, always busy",
      (figures) => figures.cost?.per1000AtFullUse ?? null,
      (value) => money(value, (candidate?.cost ?? baseline?.cost)?.currency ?? ""),
    ),
  ].filter((one) => one.candidate !== glyphs.dash || one.baseline !== glyphs.dash);
}

function wholeOrThree(value: number, glyphs: Glyphs): string {
  return value >= 100 ? count(Math.round(value)) : milliseconds(value, glyphs);
}
