import type { PreprocessStep } from "../preprocess/schema.ts";
import type { Rules } from "./schema.ts";

/**
 * The steps that say what a row holds: a model's preprocessing, and the columns that only its rules read as one more
 * tabular step. For whoever reads or checks rows; the graph gets nothing of it.
 */
export function fieldSteps({
  preprocess,
  rules,
}: {
  preprocess: Readonly<Record<string, PreprocessStep>>;
  rules?: Rules | undefined;
}): Record<string, PreprocessStep> {
  if (rules === undefined || Object.keys(rules.columns).length === 0) return preprocess;
  return { ...preprocess, [" rules"]: { kind: "tabular", columns: rules.columns, derive: {}, features: [] } };
}
