import type { MetricName } from "../../models/core/manifest/gates.ts";
import type { Task } from "../../models/core/manifest/manifest.ts";
import { accuracy } from "./accuracy.ts";
import { auroc } from "./auroc.ts";
import { averagePrecision } from "./average-precision.ts";
import { bleu } from "./bleu.ts";
import { brier } from "./brier.ts";
import { cer } from "./cer.ts";
import { chrf } from "./chrf.ts";
import { coverageAtK } from "./coverage-at-k.ts";
import type { MetricDefinition } from "./definition.ts";
import { ece } from "./ece.ts";
import { entityF1 } from "./entity-f1.ts";
import { f1 } from "./f1.ts";
import { falsePositiveRate } from "./false-positive-rate.ts";
import { hitRateAtK } from "./hit-rate-at-k.ts";
import { intervalCoverage } from "./interval-coverage.ts";
import { logLoss } from "./log-loss.ts";
import { macroF1 } from "./macro-f1.ts";
import { mae } from "./mae.ts";
import { mapAtK } from "./map-at-k.ts";
import { mape } from "./mape.ts";
import { mase } from "./mase.ts";
import { medianAbsoluteError } from "./median-absolute-error.ts";
import { mrr } from "./mrr.ts";
import { ndcgAtK } from "./ndcg-at-k.ts";
import { owa } from "./owa.ts";
import { partialAuroc } from "./partial-auroc.ts";
import { precision } from "./precision.ts";
import { precisionAtK } from "./precision-at-k.ts";
import { quantileLoss } from "./quantile-loss.ts";
import { r2 } from "./r2.ts";
import { recall } from "./recall.ts";
import { recallAtK } from "./recall-at-k.ts";
import { rmse } from "./rmse.ts";
import { smape } from "./smape.ts";
import { tprAtFpr } from "./tpr-at-fpr.ts";
import { wer } from "./wer.ts";

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
  macroF1,
  mae,
  rmse,
  r2,
  medianAbsoluteError,
  mape,
  smape,
  mase,
  owa,
  quantileLoss,
  intervalCoverage,
  wer,
  cer,
  bleu,
  chrf,
  entityF1,
  ndcgAtK,
  recallAtK,
  precisionAtK,
  mapAtK,
  mrr,
  hitRateAtK,
  coverageAtK,
];

/** Every metric of predictions, by name. Latency, sizes and the like are measured elsewhere. */
export const catalog: ReadonlyMap<MetricName, MetricDefinition> = new Map(
  definitions.map((definition) => [definition.name, definition]),
);

/** The metrics that fit a task, in the order of the catalog. */
export function metricsFor(task: Task): MetricDefinition[] {
  return definitions.filter((definition) => definition.tasks.includes(task));
}
