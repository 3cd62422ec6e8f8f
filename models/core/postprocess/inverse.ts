import type { Inverse } from "./schema.ts";

/** Undoes a training transform, in float64. May give infinity (exp of a large value); the caller refuses that. */
export function applyInverse(value: number, steps: readonly Inverse[]): number {
  return steps.reduce((x, step) => {
    switch (step.kind) {
      case "affine":
        return x * step.scale + step.offset;
      case "exp":
        return Math.exp(x);
      case "expm1":
        return Math.expm1(x);
      case "clip":
        return Math.min(step.max ?? Infinity, Math.max(step.min ?? -Infinity, x));
    }
  }, value);
}
