import { ConfigurationError } from "../../models/core/errors.ts";
import { metricOptionsOf, type MetricOptions } from "../../models/core/manifest/metric-options.ts";
import { type MetricDefinition, readOptions } from "./definition.ts";

/**
 * Refuses options that none of the metrics reads, instead of measuring something else than was asked for.
 * @throws ConfigurationError `metric-option`
 */
export function requireReadOptions(
  metrics: readonly Pick<MetricDefinition, "name" | "defaultOptions" | "furtherOptions">[],
  given: MetricOptions,
  place: string,
): void {
  const unread = Object.entries(metricOptionsOf(given)).find(([key]) =>
    metrics.every((metric) => !Object.hasOwn(readOptions(metric, given), key)),
  );
  if (unread === undefined) return;
  const known = [
    ...new Set(
      metrics.flatMap(({ defaultOptions, furtherOptions = [] }) => [...Object.keys(defaultOptions), ...furtherOptions]),
    ),
  ];
  throw new ConfigurationError({
    code: "metric-option",
    place,
    problem: `${metrics.length === 1 ? metrics[0]!.name : "no metric of this task"} ${metrics.length === 1 ? "does not read" : "reads"} the option ${unread[0]}`,
    expected: known.length === 0 ? "no option" : `one of ${known.join(", ")}`,
    received: `${unread[0]}: ${String(unread[1])}`,
  });
}
