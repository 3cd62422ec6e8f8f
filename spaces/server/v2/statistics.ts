import type { Registry } from "prom-client";

type Duration = { count: number; ns: number };

/**
 * A model's statistics in the form of Triton's statistics extension, from the same series as /metrics. Times are sums
 * over requests, except those of the graph and around it, which are sums over groups of rows that ran together.
 */
export async function modelStatistics(registry: Registry, model: { id: string; version: string }) {
  const metrics = await registry.getMetricsAsJSON();
  const sum = (name: string, part = name, keep: (labels: Record<string, unknown>) => boolean = () => true) => {
    const values = (metrics.find((one) => one.name === name)?.values ?? []) as {
      metricName?: string;
      labels: Record<string, unknown>;
      value: number;
    }[];
    return values
      .filter((one) => (one.metricName ?? name) === part && one.labels["model"] === model.id && keep(one.labels))
      .reduce((total, { value }) => total + value, 0);
  };
  const duration = (name: string): Duration => ({
    count: sum(name, `${name}_count`),
    ns: Math.round(sum(name, `${name}_sum`) * 1e9),
  });
  const succeeded = (labels: Record<string, unknown>) => Number(labels["status"]) < 400;
  const failed = (labels: Record<string, unknown>) => Number(labels["status"]) >= 400;
  const whole = duration("inference_request_duration_seconds");
  const none: Duration = { count: 0, ns: 0 };
  const failures = sum("inference_requests_total", undefined, failed);
  return {
    name: model.id,
    version: model.version,
    inference_count: sum("inference_rows_total"),
    execution_count: sum("inference_runs_total"),
    inference_stats: {
      success: { count: sum("inference_requests_total", undefined, succeeded), ns: whole.ns },
      fail: { ...none, count: failures },
      queue: duration("inference_queue_duration_seconds"),
      compute_input: duration("preprocessing_duration_seconds"),
      compute_infer: duration("inference_duration_seconds"),
      compute_output: none,
    },
    batch_stats: [],
  };
}
