import { EvaluationError } from "./errors.ts";
import { didYouMean } from "./did-you-mean.ts";
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
    options?: { cause?: unknown; shown?: string; step?: string },
  ) {
    super(
      {
        code: "bad-row",
        place: field,
        problem,
        expected,
        received: options?.shown ?? formatValue(received),
        ...(options?.step === undefined ? {} : { step: options.step }),
      },
      options,
    );
    this.field = field;
  }
}

const namedFields = 30;

/** The error for a field that the model needs. It names the fields that there are, because one may be misspelt. */
export function missingField(row: Row, name: string, problem: string, expected: string): RowError {
  if (Object.hasOwn(row, name)) return new RowError(name, problem, expected, row[name]);
  const fields = Object.keys(row);
  const near = didYouMean(name, fields);
  const more = fields.length - namedFields;
  return new RowError(name, problem, expected, undefined, {
    shown: `nothing; the row has ${fields.slice(0, namedFields).join(", ") || "no field"}${more > 0 ? ` and ${more} more` : ""}${near === null ? "" : ` (is it ${near}?)`}`,
  });
}

/** A row's own field. Inherited members ("constructor") do not count. */
export function fieldOf(row: Row, name: string): unknown {
  return Object.hasOwn(row, name) ? row[name] : undefined;
}
