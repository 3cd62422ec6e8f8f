import { ConfigurationError, EvaluationError } from "../errors.ts";
import type { NumbersHead } from "./compiled.ts";
import { applyInverse } from "./inverse.ts";
import { notFinite, numbersHead } from "./numbers-head.ts";
import { flagReader } from "./series-flags.ts";
import type { SeriesHead } from "./schema.ts";

/** The level whose value is the point forecast. */
const POINT = 0.5;

/**
 * A forecast of `horizon` steps, the numbers of a step beside each other. Quantiles of a step that are not in order
 * mean that the graph's outputs are not what the manifest says, or that the model contradicts itself.
 *
 * @throws ConfigurationError `head-quantiles` for levels that are not ascending or lack 0.5, `head-flag` where the
 *   interval of `flag` is not among them
 */
export function compileSeries(head: SeriesHead, place: () => string, outputWidth: number | null): NumbersHead {
  const { horizon, quantiles = [POINT] } = head;
  if (quantiles.some((level, i) => i > 0 && level <= quantiles[i - 1]!) || !quantiles.includes(POINT))
    throw new ConfigurationError({
      code: "head-quantiles",
      place: place(),
      problem: `the quantiles of the head ${head.name} are not levels that ascend and have the point forecast among them`,
      expected: "ascending levels with 0.5 among them",
      received: quantiles.join(", "),
      example: "quantiles: [0.05, 0.5, 0.95]",
    });
  const levels = quantiles.length;
  const flagged = head.flag === undefined ? null : flagReader(head, head.flag, quantiles, place);
  const point = quantiles.indexOf(POINT);
  const each = levels === 1 ? "one per step" : `${levels} quantiles for each of ${horizon} steps`;
  return numbersHead(head, horizon * levels, each, outputWidth, place, (values, from, rowName, row) => {
    const columns = quantiles.map(() => new Array<number>(horizon));
    const step = new Array<number>(levels);
    for (let t = 0; t < horizon; t++) {
      for (let q = 0; q < levels; q++) {
        const given = values[from + t * levels + q]!;
        const value = applyInverse(given, head.inverse);
        if (!Number.isFinite(value))
          throw notFinite(head, rowName(), `${value} at step ${t + 1}, after the inverse of ${given}`);
        step[q] = value;
      }
      if (step.some((value, q) => q > 0 && value < step[q - 1]!)) {
        if (head.crossing === "reject") throw crossed(head, quantiles, step, t + 1, rowName());
        step.sort((a, b) => a - b);
      }
      for (let q = 0; q < levels; q++) columns[q]![t] = step[q]!;
    }
    return {
      kind: "series",
      values: columns[point]!,
      ...(head.quantiles === undefined
        ? {}
        : { quantiles: quantiles.map((level, q) => ({ level, values: columns[q]! })) }),
      ...(flagged === null || row === undefined ? {} : flagged(row, columns)),
    };
  });
}

function crossed(
  head: SeriesHead,
  levels: readonly number[],
  values: readonly number[],
  step: number,
  rowName: string,
): EvaluationError {
  const at = values.findIndex((value, q) => q > 0 && value < values[q - 1]!);
  return new EvaluationError({
    code: "quantiles-cross",
    place: rowName,
    problem: `the head ${head.name} gives quantiles that cross`,
    expected: "a value at each level that is not below the one before it",
    received: `${values[at - 1]} at level ${levels[at - 1]} and ${values[at]} at level ${levels[at]}, step ${step}`,
    hint: "compare `quantiles` with the order of the graph's output; `crossing: sort` puts them in order",
  });
}
