import { classColumn, type CheckPolicy, type Gates } from "../../models/core/manifest/gates.ts";
import { metricOptionsOf } from "../../models/core/manifest/metric-options.ts";

/** A check policy applied to one slice: the unit for which evidence is gathered and a verdict given. */
export type PlannedCheck = {
  id: string;
  policy: CheckPolicy;
  /** Position in gates.checks, for annotations. */
  index: number;
  head: string | null;
  /** "all", or COLUMN=VALUE. */
  slice: string;
  alpha: number;
  /** Two-sided coverage of the interval, 1 - 2·alpha, because only one of its ends decides. */
  level: number;
};

export const allRows = "all";

/**
 * Applies every check policy to every value of its slice columns. A slice column that the dataset lacks yields one
 * planned check on `COLUMN=*`, which has no evidence and so can never pass.
 *
 * @param sliceValues slice column → its distinct values in the dataset
 * @param headOf the head that a policy is about, or null for metrics of the whole model (latency, size)
 * @param classesOf the classes of a head that the dataset has rows of
 * @param nameHeads whether ids include the head; needed when a model has several
 */
export function planChecks(
  gates: Gates,
  sliceValues: Record<string, readonly string[]>,
  headOf: (policy: CheckPolicy) => string | null,
  nameHeads: boolean,
  classesOf: (head: string | null) => readonly string[] = () => [],
): PlannedCheck[] {
  return gates.checks.flatMap((policy, index) => {
    const alpha = policy.alpha ?? gates.alpha;
    const head = headOf(policy);
    const slices =
      policy.slices.length === 0
        ? [allRows]
        : policy.slices.flatMap((column) => {
            const values = column === classColumn ? classesOf(head) : (sliceValues[column] ?? []);
            return values.length === 0 ? [`${column}=*`] : values.map((value) => `${column}=${value}`);
          });
    return slices.map((slice) => ({
      id: `${nameOf(policy)}${head === null || !nameHeads ? "" : `@${head}`}${slice === allRows ? "" : `[${slice}]`}/${policy.kind}#${index}`,
      policy,
      index,
      head,
      slice,
      alpha,
      level: 1 - 2 * alpha,
    }));
  });
}

function nameOf(policy: CheckPolicy): string {
  const options = Object.entries(metricOptionsOf(policy)).map(([key, value]) => `${key}=${value}`);
  return options.length === 0 ? policy.metric : `${policy.metric}(${options.join(",")})`;
}
