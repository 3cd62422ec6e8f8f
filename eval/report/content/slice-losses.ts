import { type SliceRegression, sliceRegressions } from "../../judge/slice-regressions.ts";
import type { Check } from "../../schema/verdict.ts";

export type SliceLoss = SliceRegression & {
  interval: NonNullable<Check["interval"]>;
  /** Whether a loss is shown at the family-wise rate. */
  regressed: boolean;
};

/**
 * Every comparison of a slice with the baseline, the least likely to be without a loss first, and the family-wise error
 * rate at which slices are called regressed: the smallest alpha of the comparisons. Null where there is none.
 */
export function sliceLosses(checks: readonly Check[]): { losses: SliceLoss[]; alpha: number } | null {
  const tested = sliceRegressions(checks).map((one) => ({
    ...one,
    interval: one.check.interval as NonNullable<Check["interval"]>,
  }));
  if (tested.length === 0) return null;
  const alpha = Math.min(...tested.map(({ interval }) => (1 - interval.level) / 2));
  const losses = tested
    .map((one) => ({ ...one, regressed: one.adjusted <= alpha }))
    .toSorted((a, b) => a.adjusted - b.adjusted || a.p - b.p);
  return { losses, alpha };
}
