import { EvaluationError } from "./errors.ts";
import { formatValue } from "./format-value.ts";

/** One row of named fields, as JSON gives it (images may be bytes). */
export type Row = Readonly<Record<string, unknown>>;

/** A row that the model cannot use. It does not affect the other rows of a call. */
export class RowError extends EvaluationError {
  /** The field, e.g. "history[3]". */
  readonly field: string;

  constructor(
    field: string,
    problem: string,
    expected: string,
    received: unknown,
    options?: { cause?: unknown; shown?: string },
  ) {
    super(
      { code: "bad-row", place: field, problem, expected, received: options?.shown ?? formatValue(received) },
      options,
    );
    this.field = field;
  }
}

/** A row's own field. Inherited members ("constructor") do not count. */
export function fieldOf(row: Row, name: string): unknown {
  return Object.hasOwn(row, name) ? row[name] : undefined;
}
