import { normalQuantile } from "./normal.ts";

/**
 * Wilson's score interval of a proportion (E. B. Wilson, JASA 22, 1927), without continuity correction. `successes` of
 * `trials` > 0; `level` is two-sided. Ends lie in [0, 1] and the width is never 0.
 */
export function wilson(successes: number, trials: number, level: number): { low: number; high: number } {
  const z = normalQuantile(0.5 + level / 2);
  const p = successes / trials;
  const spread = z * z;
  const centre = (p + spread / (2 * trials)) / (1 + spread / trials);
  const half = (z / (1 + spread / trials)) * Math.sqrt((p * (1 - p)) / trials + spread / (4 * trials * trials));
  return {
    low: successes === 0 ? 0 : Math.max(0, centre - half),
    high: successes === trials ? 1 : Math.min(1, centre + half),
  };
}
