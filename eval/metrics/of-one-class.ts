import { ConfigurationError } from "../../models/core/errors.ts";
import { classColumn, type CheckPolicy } from "../../models/core/manifest/gates.ts";
import { catalog } from "./catalog.ts";

/**
 * @throws ConfigurationError `slice-metric` when a check asks of each class what only rows of several classes can tell
 */
export function requireOfOneClass({ metric, slices }: Pick<CheckPolicy, "metric" | "slices">, place: string): void {
  if (!slices.includes(classColumn) || catalog.get(metric)?.ofOneClass === true) return;
  const known = [...catalog.values()].filter(({ ofOneClass }) => ofOneClass === true).map(({ name }) => name);
  throw new ConfigurationError({
    code: "slice-metric",
    place,
    problem: `${metric} says nothing of the rows of a single class, and the slices of ${classColumn} have one each`,
    expected: `one of ${known.join(", ")}: accuracy on the rows of a class is that class's recall`,
    received: `metric: ${metric}, slices: [${slices.join(", ")}]`,
    example: `- {kind: non-inferiority, metric: accuracy, margin: 0.05, slices: [${classColumn}]}`,
  });
}
