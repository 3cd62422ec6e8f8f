import { ConfigurationError, EvaluationError } from "../errors.ts";
import type { NumbersHead } from "./compiled.ts";
import type { Row } from "../row.ts";
import type { HeadResult } from "./result.ts";
import type { Head } from "./schema.ts";

/**
 * @param width numbers per row
 * @param each what one of them is, for an error, e.g. "one per label"
 * @param outputWidth numbers per row of the graph output; null where it is not known
 * @param answer what the finite numbers of one row, from a position on, mean
 * @throws ConfigurationError `head-width` when the head does not fit the output
 */
export function numbersHead(
  head: Head & { from: string },
  width: number,
  each: string,
  outputWidth: number | null,
  place: () => string,
  answer: (values: ArrayLike<number>, from: number, rowName: () => string, row?: Row) => HeadResult,
): NumbersHead {
  const expected = width === 1 ? "one number per row" : `${width} numbers per row, ${each}`;
  if (outputWidth !== null && outputWidth !== width)
    throw new ConfigurationError({
      code: "head-width",
      place: place(),
      problem: `the head ${head.name} does not fit the output ${head.from}`,
      expected,
      received: `${outputWidth} numbers per row`,
    });
  const readAt: NumbersHead["readAt"] = (values, from, rowName, row) => {
    for (let i = 0; i < width; i++) {
      if (!Number.isFinite(values[from + i]))
        throw notFinite(head, rowName(), `${values[from + i]} at position ${i} of ${head.from}`);
    }
    return answer(values, from, rowName, row);
  };
  return {
    kind: "numbers",
    head,
    width,
    readAt,
    read(values, rowName, row) {
      if (values.length !== width)
        throw new EvaluationError({
          code: "output-size",
          place: rowName,
          problem: `the output ${head.from} has another size than the head ${head.name} reads`,
          expected: `${width} numbers per row`,
          received: values.length === 0 ? "another number of rows than it was fed" : String(values.length),
        });
      return readAt(values, 0, () => rowName, row);
    },
  };
}

export function notFinite(head: Pick<Head, "name">, rowName: string, received: string): EvaluationError {
  return new EvaluationError({
    code: "output-not-finite",
    place: rowName,
    problem: `the head ${head.name} gives no finite number`,
    expected: "finite numbers",
    received,
  });
}
