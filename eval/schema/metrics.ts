import { z } from "zod";
import { metricName } from "../../models/core/manifest/gates.ts";
import { metricOptionShape } from "../../models/core/manifest/metric-options.ts";
import { interval, modelIdentity } from "./verdict.ts";

/** A metric is measured, or undefined with a reason; never 0 or NaN instead of an answer. */
const metricResult = z.discriminatedUnion("status", [
  z.strictObject({
    status: z.literal("ok"),
    value: z.number(),
    interval: interval.nullable(),
    n: z.int().nonnegative(),
  }),
  z.strictObject({ status: z.literal("undefined"), reason: z.string(), n: z.int().nonnegative() }),
]);
export type MetricResult = z.infer<typeof metricResult>;

/** Options that change what a metric means; they are part of its identity. */
const metricOptions = z.strictObject(metricOptionShape);

const measurement = z.strictObject({
  metric: metricName,
  options: metricOptions,
  signature: z
    .string()
    .optional()
    .describe("Every option that the figure depends on, defaults and versions of rules included, where there are any."),
  head: z.string().nullable(),
  slice: z.string(),
  unit: z.string(),
  direction: z.enum(["higher", "lower"]),
  result: metricResult,
});
export type Measurement = z.infer<typeof measurement>;

/** The machine and runtime that produced a figure; figures from different runners are not compared. */
export const runner = z.strictObject({
  os: z.string(),
  arch: z.string(),
  cpuModel: z.string(),
  cpuFlags: z.array(z.string()).describe("Instruction-set flags that change numerical results or speed."),
  cores: z.int(),
  memoryBytes: z.int(),
  node: z.string(),
  onnxruntime: z.string(),
  provider: z.string().describe("Execution provider really used."),
  threads: z.int(),
  governor: z.string().nullable(),
  containerCpuLimit: z.number().nullable(),
  containerMemoryBytes: z.number().nullable(),
});
export type Runner = z.infer<typeof runner>;

const latencyAtBatch = z.strictObject({
  batch: z.int().positive(),
  runs: z.int().positive(),
  p50Ms: z.number(),
  p95Ms: z.number(),
  p99Ms: z.number(),
  throughputRowsPerSecond: z.number(),
  throughputTokensPerSecond: z.number().optional().describe("Of a model that generates: tokens made, ends included."),
  firstTokenP50Ms: z.number().optional().describe("Median time from the start of a decode loop to its first token."),
});
export const performanceFigures = z.strictObject({
  batches: z.array(latencyAtBatch),
  coldStartMs: z.number().nullable().describe("Process start → first prediction, in a fresh process."),
  peakRssBytes: z.int().nullable(),
  modelBytes: z.int(),
  bytesPerRow: z
    .number()
    .nonnegative()
    .optional()
    .describe("Tensors into and out of the graph, padding included, per row of a served batch."),
  rtf: z
    .number()
    .nonnegative()
    .optional()
    .describe("Seconds of work per second of audio, one row at a time, where the dataset has `audioSeconds`."),
  cost: z
    .strictObject({
      hosting: z.string(),
      pricePerHour: z.number().nonnegative(),
      currency: z.string(),
      batch: z.int().positive().describe("Rows a call at which the throughput was measured."),
      per1000AtFullUse: z
        .number()
        .nonnegative()
        .describe("Of 1,000 answers at that throughput, in one process that is never idle, without HTTP."),
    })
    .optional()
    .describe("Absent where `ops:` of sluice.yaml names no price."),
});
export type PerformanceFigures = z.infer<typeof performanceFigures>;

const stepFigures = z.strictObject({
  step: z.string(),
  model: z.string(),
  version: z.string(),
  sha256: z.string(),
  modelBytes: z.int(),
  runs: z.int().describe("Single rows that were timed."),
  p50Ms: z.number().nullable(),
  p95Ms: z.number().nullable(),
  failedRows: z.int().describe("Rows of the dataset that have no answer because of this step."),
});
export type StepFigures = z.infer<typeof stepFigures>;

const modelMetrics = z.strictObject({
  model: modelIdentity,
  role: z.enum(["candidate", "baseline"]),
  dataset: z.strictObject({
    id: z.string(),
    digest: z.string(),
    rows: z.int(),
    badRows: z.int(),
    provenance: z.enum(["collected", "simulated"]).optional(),
  }),
  runner: runner.nullable().describe("null for plain prediction files: nobody knows what produced them."),
  batchParity: z
    .strictObject({
      rows: z.int().describe("Rows compared alone and in a batch."),
      comparisons: z
        .int()
        .optional()
        .describe("How often a row was run twice: these rows, and repeats of whole batches."),
      maxDifference: z.number(),
      tolerance: z.number(),
      ok: z.boolean(),
      repeatable: z.boolean().optional().describe("false: a repeat of the very same batch differed."),
    })
    .nullable(),
  measurements: z.array(measurement),
  performance: performanceFigures.nullable(),
  steps: z.array(stepFigures).optional().describe("The steps of a composition; absent for any other model."),
});
export type ModelMetrics = z.infer<typeof modelMetrics>;

/** metrics.json */
export const metricsFile = z.strictObject({
  schemaVersion: z.literal(1),
  sluiceVersion: z.string(),
  createdAt: z.iso.datetime(),
  models: z.array(modelMetrics),
});
export type MetricsFile = z.infer<typeof metricsFile>;
