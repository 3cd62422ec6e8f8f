import type { MetricsFile, ModelMetrics, PerformanceFigures, Runner } from "../../../eval/schema/metrics.ts";
import type { Check, ModelIdentity, ModelVerdict, VerdictFile } from "../../../eval/schema/verdict.ts";
import type { Predictions } from "../../../eval/predictions/predictions.ts";

const digestA = "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90";
const digestB = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";

export function identity(change: Partial<ModelIdentity> = {}): ModelIdentity {
  return { id: "mood", version: "1.1.0", task: "binary-classification", sha256: digestA, ...change };
}

/** A non-inferiority check on AUROC that passes, with the changes that a story needs. */
export function check(change: Partial<Check> = {}): Check {
  const metric = change.metric ?? "auroc";
  const slice = change.slice ?? "all";
  const kind = change.kind ?? "non-inferiority";
  return {
    id: `${metric}${slice === "all" ? "" : `[${slice}]`}/${kind}#0`,
    metric,
    head: null,
    slice,
    kind,
    observed: 0.91424,
    baseline: 0.91301,
    difference: 0.00123,
    interval: { low: -0.00312, high: 0.00558, level: 0.9, method: "DeLong, paired" },
    margin: 0.005,
    scale: "absolute",
    limit: null,
    direction: "higher",
    n: 3000,
    unit: "",
    verdict: "PASS",
    reason: "worse by less than the margin",
    declaredAt: { file: "models/mood/model.yaml", line: 42 },
    advisory: false,
    ...change,
  };
}

export function limit(change: Partial<Check> = {}): Check {
  return check({
    kind: "limit",
    metric: "accuracy",
    observed: 0.8721,
    baseline: 0.8693,
    difference: 0.0028,
    interval: null,
    margin: null,
    limit: { min: 0.84, max: null, confident: false },
    reason: "within the limit",
    ...change,
  });
}

export function latencyCheck(change: Partial<Check> = {}): Check {
  return check({
    metric: "latency_p50_ms",
    observed: 2.143,
    baseline: 2.102,
    difference: 0.0193,
    unit: "ms",
    scale: "relative",
    direction: "lower",
    margin: 0.1,
    n: 400,
    interval: { low: 0.0041, high: 0.0352, level: 0.9, method: "bootstrap of the log ratio over blocks" },
    ...change,
  });
}

export function modelVerdict(change: Partial<ModelVerdict> = {}): ModelVerdict {
  return {
    model: identity(),
    baseline: identity({ version: "1.0.0", sha256: digestB }),
    baselineSource: "production at 1a2b3c4",
    dataset: { id: "uci-sentences", digest: digestB, rows: 3000, badRows: 0 },
    verdict: "PASS",
    reason: "every deciding check passed",
    checks: [check(), limit(), latencyCheck()],
    notes: [],
    policySource: "models/mood/model.yaml at 1a2b3c4 (main)",
    policyChanges: [],
    ...change,
  };
}

export function verdictFile(models: ModelVerdict[], change: Partial<VerdictFile> = {}): VerdictFile {
  return {
    schemaVersion: 1,
    verdict: models[0]?.verdict ?? "ERROR",
    reason: models[0]?.reason ?? "no model was evaluated",
    commit: "9f8e7d6c5b4a39281706f5e4d3c2b1a098765432",
    sluiceVersion: "0.1.0",
    createdAt: "2026-01-02T03:04:05Z",
    models,
    ...change,
  };
}

const runner: Runner = {
  os: "linux 6.8",
  arch: "x64",
  cpuModel: "Example CPU @ 2.60GHz",
  cpuFlags: ["avx2", "avx512f", "avx512_vnni"],
  cores: 2,
  memoryBytes: 8_000_000_000,
  node: "24.9.0",
  onnxruntime: "1.30.0",
  provider: "cpu",
  threads: 1,
  governor: null,
  containerCpuLimit: 2,
  containerMemoryBytes: null,
};

export function performance(factor = 1): PerformanceFigures {
  return {
    batches: [
      [1, 2.1],
      [8, 9.4],
      [32, 31.8],
    ].map(([batch = 1, p50 = 1]) => ({
      batch,
      runs: 400,
      p50Ms: p50 * factor,
      p95Ms: p50 * factor * 1.22,
      p99Ms: p50 * factor * 1.63,
      throughputRowsPerSecond: (batch * 1000) / (p50 * factor),
    })),
    coldStartMs: 312.4 * factor,
    peakRssBytes: 181_403_648,
    modelBytes: Math.round(4_512_345 * factor),
  };
}

export function modelMetrics(change: Partial<ModelMetrics> = {}): ModelMetrics {
  return {
    model: identity(),
    role: "candidate",
    dataset: { id: "uci-sentences", digest: digestB, rows: 3000, badRows: 0 },
    runner,
    batchParity: { rows: 64, maxDifference: 2.4e-7, tolerance: 1e-4, ok: true },
    measurements: [],
    performance: performance(),
    ...change,
  };
}

export function metricsFile(models: ModelMetrics[]): MetricsFile {
  return { schemaVersion: 1, sluiceVersion: "0.1.0", createdAt: "2026-01-02T03:04:05Z", models };
}

export const bothSides: MetricsFile = metricsFile([
  modelMetrics(),
  modelMetrics({
    role: "baseline",
    model: identity({ version: "1.0.0", sha256: digestB }),
    performance: performance(0.98),
  }),
]);

/** Predictions of one head from plain arrays; the task follows from the classes. */
export function predictions(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  change: Partial<Predictions> = {},
): Predictions {
  const classes = change.classes ?? ["negative", "positive"];
  return {
    head: "mood",
    task:
      classes.length === 0
        ? "regression"
        : classes.length === 2
          ? "binary-classification"
          : "multiclass-classification",
    ids: Array.from(labels, (_, i) => `row-${i}`),
    labels: Float64Array.from(labels),
    scores: Float64Array.from(scores),
    classes,
    slices: {},
    groups: null,
    weights: null,
    datasetDigest: null,
    ...change,
  };
}

/** Seeded uniform numbers in [0, 1): mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Seeded standard normal numbers (Box and Muller). */
export function normal(random: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
