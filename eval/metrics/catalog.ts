import type { MetricName } from "../../models/core/manifest/gates.ts";
import type { Task } from "../../models/core/manifest/manifest.ts";
import { accuracy } from "./accuracy.ts";
import { auroc } from "./auroc.ts";
import { averagePrecision } from "./average-precision.ts";
import { brier } from "./brier.ts";
import type { MetricDefinition } from "./definition.ts";
import { ece } from "./ece.ts";
import { f1 } from "./f1.ts";
import { falsePositiveRate } from "./false-positive-rate.ts";
import { logLoss } from "./log-loss.ts";
import { mae } from "./mae.ts";
import { mape } from "./mape.ts";
import { mase } from "./mase.ts";
import { medianAbsoluteError } from "./median-absolute-error.ts";
import { partialAuroc } from "./partial-auroc.ts";
import { precision } from "./precision.ts";
import { r2 } from "./r2.ts";
import { recall } from "./recall.ts";
import { rmse } from "./rmse.ts";
import { smape } from "./smape.ts";
import { tprAtFpr } from "./tpr-at-fpr.ts";

export type { ContrastResult, MeasureOptions, MetricDefinition, Sample } from "./definition.ts";

// To add a metric: export its definition from a file of its name in this folder, and list it in `definitions`.
// Its name also belongs in `metricNames` of models/core/manifest/gates.ts; `npm run schemas` then writes the schemas.

const definitions: readonly MetricDefinition[] = [
  auroc,
  averagePrecision,
  partialAuroc,
  tprAtFpr,
  logLoss,
  brier,
  ece,
  accuracy,
  precision,
  recall,
  falsePositiveRate,
  f1,
  mae,
  rmse,
  r2,
  medianAbsoluteError,
  mape,
  smape,
  mase,
];

/** Every metric of predictions, by name. Latency, sizes and the like are measured elsewhere. */
export const catalog: ReadonlyMap<MetricName, MetricDefinition> = new Map(
  definitions.map((definition) => [definition.name, definition]),
);

/** The metrics that fit a task, in the order of the catalog. */
export function metricsFor(task: Task): MetricDefinition[] {
  return definitions.filter((definition) => definition.tasks.includes(task));
}
