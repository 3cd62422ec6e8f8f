import type { CheckKind } from "../../models/core/manifest/gates.ts";
import { catalog } from "../metrics/catalog.ts";
import type { Check } from "../schema/verdict.ts";
import { normalQuantile } from "../stats/normal.ts";
import { standardErrorOf, zOf } from "./standard-error.ts";

/**
 * Share of unchanged candidates that a check must let through, and of changes of the smallest size that it must find.
 */
export const power = 0.8;

/**
 * The smallest change that is decided `power` of the time, in the unit of the standard error; z is the normal quantile
 * of the check's alpha.
 */
export function smallestChangeOf(kind: CheckKind, standardError: number, z: number): number {
  return (z + normalQuantile(kind === "equivalence" ? 1 - (1 - power) / 2 : power)) * standardError;
}

/** Rows at which the smallest change is the margin: a standard error falls with the square root of the rows. */
export function rowsFor(margin: number, rows: number, smallestChange: number): number {
  return Math.ceil(rows * (smallestChange / margin) ** 2);
}

/** Rounds up to two significant digits: as precise as an estimate deserves, and never too few. */
export function roundUp(value: number): number {
  const unit = 10 ** (Math.floor(Math.log10(value)) - 1);
  return Math.ceil(value / unit - 1e-9) * unit;
}

/** A number of rows in the precision of an estimate: 1079 becomes 1,100. */
export function aboutRows(rows: number): string {
  return String(Math.round(roundUp(Math.max(10, rows)))).replace(/\B(?=(\d{3})+$)/g, ",");
}

const maxNamed = 5;

/**
 * How many rows would decide the checks that are INCONCLUSIVE because their interval is wide for their margin, the
 * largest need first; null when there are none. Left out are waived checks, timed figures, and intervals that are
 * narrow enough for the margin but still contain it.
 */
export function rowsNote(checks: readonly Check[]): string | null {
  const open = checks
    .flatMap((check) => {
      if (
        check.verdict !== "INCONCLUSIVE" ||
        check.advisory ||
        check.interval === null ||
        check.margin === null ||
        !(check.margin > 0) ||
        !catalog.has(check.metric)
      )
        return [];
      if (check.kind !== "non-inferiority" && check.kind !== "equivalence") return [];
      const needed = rowsFor(
        check.margin,
        check.n,
        smallestChangeOf(check.kind, standardErrorOf(check.interval), zOf(check.interval.level)),
      );
      return needed > check.n
        ? [{ needed, name: `${check.metric}${check.slice === "all" ? "" : ` on ${check.slice}`}`, n: check.n }]
        : [];
    })
    .toSorted((a, b) => b.needed / b.n - a.needed / a.n);
  if (open.length === 0) return null;
  const named = open
    .slice(0, maxNamed)
    .map(({ needed, name, n }) => `${name} about ${aboutRows(needed)} in place of ${n.toLocaleString("en-US")}`);
  return `More rows would decide: ${named.join(", ")}${open.length > maxNamed ? ` and ${open.length - maxNamed} more` : ""}; a candidate that answers as differently as this one and is truly no worse would then pass ${100 * power} % of the time.`;
}
