import { ConfigurationError } from "../errors.ts";
import type { NumberTensor } from "../tensors.ts";
import type { CompiledStep, Prepared, StepPlace } from "./compiled.ts";
import { fieldOf, missingField, RowError, type Row } from "../row.ts";
import type { SeriesStep } from "./schema.ts";

/**
 * A history of any length → `values` [maxLength], the newest value last, and `length` [1], how many of them are the
 * row's. One more observation at the end of the list is all that an update takes.
 *
 * @throws ConfigurationError `series-length` where no row could be long enough
 */
export function compileSeriesStep(step: SeriesStep, place: StepPlace): CompiledStep {
  const { field, maxLength, minLength, min = -Infinity, pad } = step;
  if (minLength > maxLength)
    throw new ConfigurationError({
      code: "series-length",
      place: place(["minLength"]),
      problem: "the series needs more values than the graph takes",
      expected: `at most the ${maxLength} of maxLength`,
      received: String(minLength),
    });
  const width = maxLength + 1;
  const expected = `a list of ${minLength} or more numbers, oldest first`;
  const number = min === -Infinity ? "a finite number" : `a finite number from ${min}`;
  const fill = (row: Row, into: Float64Array): void => {
    const given = fieldOf(row, field);
    if (given === undefined || given === null) throw missingField(row, field, "the value is missing", expected);
    if (!Array.isArray(given) && !ArrayBuffer.isView(given)) throw new RowError(field, "not a list", expected, given);
    const list = given as ArrayLike<unknown>;
    const { length } = list;
    if (!(length >= minLength))
      throw new RowError(field, "too short a list", expected, given, { shown: `${length} values` });
    const kept = Math.min(length, maxLength);
    const offset = length - maxLength;
    for (let i = 0; i < maxLength - kept; i++) into[i] = pad;
    for (let i = maxLength - kept; i < maxLength; i++) {
      const value = list[offset + i];
      if (typeof value !== "number" || !(value >= min) || !Number.isFinite(value))
        throw new RowError(`${field}[${offset + i}]`, `not ${number}`, number, value);
      into[i] = value;
    }
    into[maxLength] = kept;
  };
  return {
    shapes: { values: [maxLength], length: [1] },
    length: () => 1,
    fill,
    prepare(row) {
      const values = new Float64Array(width);
      fill(row, values);
      return { kind: "numbers", values };
    },
    collate: (rows) => ({ values: columns(rows, 0, maxLength), length: columns(rows, maxLength, width) }),
  };
}

/** The values from `from` to `to` of each row, below each other. */
function columns(rows: readonly Prepared[], from: number, to: number): NumberTensor {
  const size = to - from;
  const data = new Float64Array(rows.length * size);
  rows.forEach((row, i) => data.set((row as Prepared & { kind: "numbers" }).values.subarray(from, to), i * size));
  return { data, dims: [rows.length, size] };
}
