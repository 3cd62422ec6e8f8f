/** A rule that fired for a row, and what it says about it. */
export type FiredRule = { rule: string; reasons: readonly string[] };

/**
 * What a feature adds to the result of a model's trees, in their own unit (log-odds before a sigmoid). `value`: what the
 * row has there, null where it is missing; absent for a list.
 */
export type FeatureReason = { feature: string; value?: string | number | boolean | null; contribution: number };

/** As answers show them. */
export type Reason = { rule: string; reason?: string } | FeatureReason;

/** What an answer rests on: the rules that fired, and features, where the model gives them. */
export type Grounds = { rules?: { fired: readonly FiredRule[] }; features?: readonly FeatureReason[] };

/**
 * One entry for each reason of a rule that fired; a rule that gives none is named alone. Then the features, the largest
 * contribution first. Null where neither is there.
 */
export function reasonsOf({ rules, features = [] }: Grounds): Reason[] | null {
  if (rules === undefined && features.length === 0) return null;
  return [
    ...(rules?.fired ?? []).flatMap(({ rule, reasons }): Reason[] =>
      reasons.length === 0 ? [{ rule }] : reasons.map((reason) => ({ rule, reason })),
    ),
    ...features,
  ];
}
