import type { MeasureOptions, Sample } from "../../../eval/metrics/catalog.ts";
import { catalog, metricsFor } from "../../../eval/metrics/catalog.ts";
import type { MetricDefinition } from "../../../eval/metrics/definition.ts";
import type { MetricName } from "../../../models/core/manifest/gates.ts";
import { python } from "../stats/reference.ts";

export const options: MeasureOptions = { level: 0.9, seed: 7 };

export function sample(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  classCount: number,
  more: Partial<Sample> = {},
): Sample {
  return {
    labels: Float64Array.from(labels),
    scores: Float64Array.from(scores),
    classCount,
    weights: null,
    groups: null,
    ...more,
  };
}

export function metric(name: MetricName): MetricDefinition {
  const found = catalog.get(name);
  if (found === undefined) throw new Error(`no metric ${name}`);
  return found;
}

/** The binary metrics whose units are rows. Those of precision at k are groups: see group-precision.test.ts. */
export const rowMetrics: readonly MetricName[] = metricsFor("binary-classification")
  .map(({ name }) => name)
  .filter((name) => name !== "precision_at_k");

/** The value of a measured metric, NaN when undefined. */
export function value(name: MetricName, of: Sample, more: Partial<MeasureOptions> = {}): number {
  const result = metric(name).measure(of, { ...options, intervals: false, ...more });
  return result.status === "ok" ? result.value : Number.NaN;
}

const { binary, multiclass, regression } = python;
export const binaryA = sample(binary.input.y, binary.input.a, 2);
export const binaryB = sample(binary.input.y, binary.input.b, 2);
export const binaryWeights = Float64Array.from(binary.input.w);
export const binaryGroups = binary.input.groups.map(String);
export const many = sample(multiclass.input.y, multiclass.input.p.flat(), 4);
export const manyWeights = Float64Array.from(multiclass.input.w);
/** Two series, each with its own scale. */
const naiveScales = Float64Array.from(regression.input.y, (_, i) => (i % 2 === 0 ? 0.8 : 2.5));
export const numberA = sample(regression.input.y, regression.input.a, 0, { naiveScales });
export const numberB = sample(regression.input.y, regression.input.b, 0, { naiveScales });
export const numberWeights = Float64Array.from(regression.input.w);
