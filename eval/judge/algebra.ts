import type { VerdictWord } from "../schema/verdict.ts";

/**
 * From best to worst. ERROR is worst: a broken evaluation must be repaired before its FAILs mean anything. FAIL
 * outranks the two undecided verdicts because something is known.
 */
export const severity: readonly VerdictWord[] = ["PASS", "INCONCLUSIVE", "INCOMPARABLE", "FAIL", "ERROR"];

/** The join of the verdict lattice: commutative, associative, idempotent; PASS is its identity. */
export function worse(a: VerdictWord, b: VerdictWord): VerdictWord {
  return severity.indexOf(a) >= severity.indexOf(b) ? a : b;
}

/** The worst of several verdicts. None at all is ERROR, never PASS: a gate that checked nothing has shown nothing. */
export function worstOf(verdicts: readonly VerdictWord[]): VerdictWord {
  return verdicts.length === 0 ? "ERROR" : verdicts.reduce(worse, "PASS");
}

/** Process exit code of a verdict. (2 is wrong usage and 5 an unreported verdict; neither comes from a verdict.) */
export function exitCodeOf(verdict: VerdictWord): 0 | 1 | 3 | 4 {
  switch (verdict) {
    case "PASS":
      return 0;
    case "FAIL":
      return 1;
    case "INCONCLUSIVE":
    case "INCOMPARABLE":
      return 3;
    case "ERROR":
      return 4;
  }
}
