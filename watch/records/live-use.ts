import type { LiveCounts } from "../../models/profile/live.ts";
import { readLive, readMetricsText, type ReadDeps } from "../live/read.ts";
import { parseMetrics, sumOf, type MetricSample } from "../ops/metrics-text.ts";

/** How much a model's servers had to do. */
export type LiveUse = {
  /** Answers of consecutive hours, oldest first, up to the hour before this one; idle hours are 0. */
  answersByHour: number[];
  /** Rows per second of one server: the most that its warm-up measured; null where it measured none. */
  throughputPerSecond: number | null;
  /** Share of the time since the servers' start in which the graph ran; null where they do not tell. */
  busyShare: number | null;
  /** Share of the requests that the response cache answered; null where it had none. */
  cacheHitShare: number | null;
  servers: number;
};

const HOUR_MS = 3_600_000;

/** @throws EvaluationError where a server does not answer */
export async function readUse(origins: readonly string[], model: string, now: Date, deps: ReadDeps): Promise<LiveUse> {
  const counts: LiveCounts[] = [];
  const metrics: MetricSample[][] = [];
  for (const origin of origins) {
    counts.push(await readLive(origin, model, deps));
    metrics.push(parseMetrics(await readMetricsText(origin, deps)));
  }
  return useOf(counts, metrics, model, now);
}

function useOf(counts: readonly LiveCounts[], metrics: readonly MetricSample[][], model: string, now: Date): LiveUse {
  const most = (samples: readonly MetricSample[]) =>
    samples
      .filter(({ name, labels }) => name === "model_batch_sweep_rows_per_second" && labels["model"] === model)
      .map(({ value }) => value);
  const throughputs = metrics.map((samples) => Math.max(0, ...most(samples))).filter((value) => value > 0);
  const busy = metrics.flatMap((samples) => {
    const ran = sumOf(samples, "inference_duration_seconds_sum", { model });
    const started = sumOf(samples, "process_start_time_seconds");
    return ran === null || started === null ? [] : [{ ran, lasted: Math.max(1, now.getTime() / 1000 - started) }];
  });
  const lookups = metrics.map((samples) => sumOf(samples, "response_cache_requests_total", { model }) ?? 0);
  const hits = metrics.map((samples) => sumOf(samples, "response_cache_requests_total", { model, result: "hit" }) ?? 0);
  return {
    answersByHour: answersByHour(counts, now),
    throughputPerSecond: throughputs.length === 0 ? null : mean(throughputs),
    busyShare: busy.length === 0 ? null : total(busy.map(({ ran }) => ran)) / total(busy.map(({ lasted }) => lasted)),
    cacheHitShare: total(lookups) === 0 ? null : total(hits) / total(lookups),
    servers: counts.length,
  };
}

/** From the first whole hour of the oldest server to the last whole one. */
function answersByHour(counts: readonly LiveCounts[], now: Date): number[] {
  const end = Math.floor(now.getTime() / HOUR_MS);
  const answered = new Map<number, number>();
  let start = end - 1;
  for (const { instance, hours } of counts) {
    start = Math.min(start, Math.max(end - 14 * 24, Math.floor(Date.parse(instance.startedAt) / HOUR_MS)));
    for (const one of hours) {
      const hour = Date.parse(`${one.hour}:00:00Z`) / HOUR_MS;
      answered.set(hour, (answered.get(hour) ?? 0) + one.answered);
    }
  }
  // A server of less than an hour has only this hour.
  const last = answered.has(end) && start >= end - 1 ? end + 1 : end;
  return Array.from({ length: Math.max(1, last - start) }, (_, i) => answered.get(start + i) ?? 0);
}

const total = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0);
const mean = (values: readonly number[]): number => total(values) / values.length;
