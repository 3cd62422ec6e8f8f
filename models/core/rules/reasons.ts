/** A rule that fired for a row, and what it says about it. */
export type FiredRule = { rule: string; reasons: readonly string[] };

/** As answers show them. */
export type Reason = { rule: string; reason?: string };

/** One entry for each reason of a rule that fired; a rule that gives none is named alone. */
export function reasonsOf(fired: readonly FiredRule[]): Reason[] {
  return fired.flatMap(({ rule, reasons }): Reason[] =>
    reasons.length === 0 ? [{ rule }] : reasons.map((reason) => ({ rule, reason })),
  );
}
