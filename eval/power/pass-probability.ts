import type { Check } from "../schema/verdict.ts";
import { normalCdf } from "../stats/normal.ts";

export type Rule = Pick<Check, "kind" | "margin" | "limit" | "direction">;

/**
 * Probability that a check passes when nothing is wrong. The estimate has this standard error and is normal around
 * `truth`, which is 0 for a difference and the value in production for a limit; z is the decision quantile. With m the
 * margin:
 * - non-inferiority: Φ(m/se - z). The lower end, estimate - z se, clears -m.
 * - equivalence: max(0, 2Φ(m/se - z) - 1). Both ends clear their margin.
 * - superiority: Φ(-m/se - z). An unchanged model is not meant to pass this.
 * - limit: Φ(h/se) on the observed value, Φ(h/se - z) on the interval, with h the truth's distance to the limit on its
 *   good side. For a minimum and a maximum, the sum of both less 1.
 */
export function passProbability(
  { kind, margin, limit }: Rule,
  standardError: number,
  z: number,
  truth: number,
): number {
  const reach = (distance: number, needed: number): number =>
    standardError > 0
      ? normalCdf(distance / standardError - needed)
      : distance > 0 || (needed === 0 && distance === 0)
        ? 1
        : 0;
  if (kind === "limit") {
    const needed = limit?.confident === true ? z : 0;
    const ends = [
      ...(limit?.min == null ? [] : [truth - limit.min]),
      ...(limit?.max == null ? [] : [limit.max - truth]),
    ];
    return Math.max(
      0,
      ends.reduce((sum, distance) => sum + reach(distance, needed), 1 - ends.length),
    );
  }
  const m = margin ?? 0;
  switch (kind) {
    case "non-inferiority":
      return reach(m, z);
    case "equivalence":
      return Math.max(0, 2 * reach(m, z) - 1);
    case "superiority":
      return standardError > 0 ? normalCdf(-m / standardError - z) : 0;
  }
}
