import { catalog } from "../metrics/catalog.ts";
import { standardErrorOf } from "../power/standard-error.ts";
import { holm } from "../stats/holm.ts";
import { signTest } from "../stats/sign-test.ts";
import { studentCdf } from "../stats/student.ts";
import type { Check } from "../schema/verdict.ts";
import { allRows } from "./plan-checks.ts";

export type SliceRegression = {
  check: Check;
  /** One-sided p-value of "no loss". */
  p: number;
  /** `p` adjusted by Holm's method over all compared slices. */
  adjusted: number;
};

/**
 * Degrees of freedom of a check's standard error: one less than its rows, or than the clusters that its interval names.
 * Over a hundred slices Holm asks for p-values far out, where the normal tail of 40 rows is too thin: it named a slice
 * wrongly in 5 of 20 simulated gates.
 */
function freedomOf({ n, interval }: Check): number {
  const clusters = /t over (\d+) clusters/.exec(interval?.method ?? "")?.[1];
  return Math.max(1, (clusters === undefined ? n : Number(clusters)) - 1);
}

/**
 * One-sided p-value of "no loss" of a check on a share of independent rows: exact, by the rows that count for one model
 * alone. Null for other checks.
 */
function exactP({ discordant, direction }: Check): number | null {
  if (discordant === undefined) return null;
  const { candidateOnly, baselineOnly } = discordant;
  return direction === "higher" ? signTest(candidateOnly, baselineOnly) : signTest(baselineOnly, candidateOnly);
}

/**
 * Tests each relative check on a slice for a regression. Shares of independent rows have the exact sign test of the rows
 * that only one model gets right. Of every other check the one-sided p-value of "no loss" is that of t = gain / se. The
 * gain is signed so that more is better, and se comes from the interval's half width. The p-values are adjusted by Holm
 * over all of the gate's slices: if the slices with an adjusted value ≤ alpha are called regressed, the probability that
 * this is wrong about any slice at all is at most alpha: exactly for sign tests, as far as the approximation holds for t.
 */
export function sliceRegressions(checks: readonly Check[]): SliceRegression[] {
  const compared = checks.flatMap((check) => {
    const { kind, metric, slice, difference, interval, direction } = check;
    if (kind === "limit" || slice === allRows || difference === null || interval === null) return [];
    // Less of such a metric is no loss.
    if (catalog.get(metric)?.closeness === true) return [];
    const se = standardErrorOf(interval);
    return se > 0
      ? [
          {
            check,
            p: exactP(check) ?? studentCdf((direction === "higher" ? difference : -difference) / se, freedomOf(check)),
          },
        ]
      : [];
  });
  const adjusted = holm(compared.map(({ p }) => p));
  return compared.map((one, i) => ({ ...one, adjusted: adjusted[i] as number }));
}

/** Whether some p-value rests on t, which approximates where rows are few and skewed. */
export function restsOnT(tested: readonly SliceRegression[]): boolean {
  return tested.some(({ check }) => check.discordant === undefined);
}

const exact = "one-sided exact sign test of no loss";
const approximate = "one-sided t test of no loss from each interval's standard error";

/** How the p-values were found. */
function testWords(tested: readonly SliceRegression[]): string {
  if (!restsOnT(tested)) return exact;
  return tested.every(({ check }) => check.discordant === undefined)
    ? approximate
    : `${exact} for shares, ${approximate} otherwise`;
}

const maxNamed = 5;

/** One sentence that names the regressed slices, when a check on a slice is not PASS; otherwise null. */
export function sliceNote(checks: readonly Check[]): string | null {
  const open = checks.some((check) => check.slice !== allRows && check.kind !== "limit" && check.verdict !== "PASS");
  const tested = open ? sliceRegressions(checks) : [];
  if (tested.length === 0) return null;
  const method = `${testWords(tested)}, Holm-adjusted over ${tested.length === 1 ? "1 comparison" : `${tested.length} comparisons`}`;
  const alpha = Math.min(
    ...tested.map(({ check }) => (1 - (check.interval as NonNullable<Check["interval"]>).level) / 2),
  );
  const regressed = tested.filter(({ adjusted }) => adjusted <= alpha).toSorted((a, b) => a.adjusted - b.adjusted);
  const named = ({ check, adjusted }: SliceRegression) => `${check.metric} on ${check.slice} (p ${pText(adjusted)})`;
  if (regressed.length === 0) {
    const nearest = tested.reduce((least, one) => (one.adjusted < least.adjusted ? one : least));
    return `No slice is shown to have regressed at ${pText(alpha)}; nearest is ${named(nearest)}: ${method}.`;
  }
  const more = regressed.length - maxNamed;
  return `Slices shown to have regressed at ${pText(alpha)}: ${regressed.slice(0, maxNamed).map(named).join(", ")}${more > 0 ? `, and ${more} more` : ""}: ${method}.`;
}

/** A p-value in two digits. */
export function pText(p: number): string {
  return p < 0.0001 ? "< 0.0001" : String(Number(p.toPrecision(2)));
}
