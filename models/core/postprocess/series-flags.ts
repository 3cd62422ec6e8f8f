import { ConfigurationError } from "../errors.ts";
import { fieldOf, RowError, type Row } from "../row.ts";
import type { FlaggedValue } from "./result.ts";
import type { SeriesHead } from "./schema.ts";

/** Two levels that differ by less are the same: (1 - 0.99) / 2 is not 0.005 to the bit. */
const SAME_LEVEL = 1e-9;

/**
 * Compares observed values with the interval that was forecast for them. Where the model's intervals cover what they
 * say, 1 - level of the values that are nothing unusual are flagged all the same.
 *
 * @returns what a row adds to its answer, from the head's quantiles by level and step
 * @throws ConfigurationError `head-flag`
 */
export function flagReader(
  { name, horizon }: SeriesHead,
  { observed, level }: NonNullable<SeriesHead["flag"]>,
  quantiles: readonly number[],
  place: () => string,
): (row: Row, columns: readonly (readonly number[])[]) => { flagged?: FlaggedValue[] } {
  const ends = [(1 - level) / 2, (1 + level) / 2];
  const [lowest, highest] = ends.map((end) => quantiles.findIndex((one) => Math.abs(one - end) < SAME_LEVEL));
  if (lowest === -1 || highest === -1)
    throw new ConfigurationError({
      code: "head-flag",
      place: place(),
      problem: `the head ${name} does not forecast the interval that it flags by`,
      expected: `${ends.map((end) => Number(end.toPrecision(9))).join(" and ")} among its quantiles`,
      received: quantiles.join(", "),
      example: "quantiles: [0.005, 0.5, 0.995] with flag: {observed: observed, level: 0.99}",
    });
  const expected = `a list of at most ${horizon} numbers, null for one that is not known`;
  return (row, columns) => {
    const given = fieldOf(row, observed);
    if (given === undefined || given === null) return {};
    if (!Array.isArray(given)) throw new RowError(observed, "not a list", expected, given);
    if (given.length > horizon)
      throw new RowError(observed, "more values than steps are forecast", expected, given, {
        shown: `${given.length} values`,
      });
    const flagged: FlaggedValue[] = [];
    (given as unknown[]).forEach((value, t) => {
      if (value === null) return;
      if (typeof value !== "number" || !Number.isFinite(value))
        throw new RowError(`${observed}[${t}]`, "not a finite number", "a finite number or null", value);
      const [low, high] = [columns[lowest!]![t]!, columns[highest!]![t]!];
      if (value < low || value > high) flagged.push({ step: t + 1, value, low, high });
    });
    return { flagged };
  };
}
