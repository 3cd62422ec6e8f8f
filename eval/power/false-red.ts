import { catalog } from "../metrics/catalog.ts";
import type { Check, FalseRed } from "../schema/verdict.ts";
import { standardErrorOf, zOf } from "./standard-error.ts";
import { passProbability } from "./pass-probability.ts";

/**
 * Probability that one check is not PASS for a candidate that is truly no better and no worse than the baseline, yet
 * answers as differently from it as this one does: 1 - `passProbability` with the standard error of this check's
 * interval. For a limit, the truth is the baseline's value (the candidate's when there is none).
 *
 * Null where that has no meaning: advisory checks; superiority, which an unchanged model is not meant to pass; figures
 * that are timed or counted, not estimated from rows; checks without an interval, or of a model against itself.
 */
export function falseRedOf(check: Check): number | null {
  if (check.advisory || check.kind === "superiority" || check.interval === null || !catalog.has(check.metric))
    return null;
  const standardError = standardErrorOf(check.interval);
  if (!(standardError > 0)) return null;
  const truth = check.kind === "limit" ? (check.baseline ?? check.observed) : 0;
  return truth === null ? null : 1 - passProbability(check, standardError, zOf(check.interval.level), truth);
}

/**
 * The expected false-red rate of a whole gate. It is at most the sum over the checks (Bonferroni's bound, whatever
 * their dependence), and would be 1 - Π(1 - p) if they were independent. Checks on the same rows depend on each other,
 * so the true rate is usually below both. Null when no check can be counted.
 */
export function falseRedOfGate(checks: readonly Check[]): FalseRed | null {
  return combine(
    checks.map((check) => ({ id: check.id, rate: falseRedOf(check) })),
    checks.filter((check) => !check.advisory).length,
  );
}

/** The same from given rates. `deciding` is the total number of deciding checks. */
export function combine(rates: readonly { id: string; rate: number | null }[], deciding: number): FalseRed | null {
  const counted = rates.flatMap(({ id, rate }) => (rate === null ? [] : [{ id, rate }]));
  if (counted.length === 0) return null;
  const worst = counted.reduce((most, one) => (one.rate > most.rate ? one : most));
  return {
    atMost: Math.min(
      1,
      counted.reduce((sum, { rate }) => sum + rate, 0),
    ),
    ifIndependent: 1 - counted.reduce((product, { rate }) => product * (1 - rate), 1),
    counted: counted.length,
    left: deciding - counted.length,
    worst,
  };
}
