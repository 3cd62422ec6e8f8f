import { EvaluationError } from "../errors.ts";
import { RowError } from "../row.ts";

/**
 * The error of a step, which names the step. A field that the step has from another step is called STEP.FIELD, because
 * no row has it.
 *
 * @param mapped whether a field of the step is not taken from the row
 */
export function atStep(step: string, error: unknown, mapped: (field: string) => boolean = () => false): unknown {
  if (!(error instanceof EvaluationError)) return error;
  const { diagnostic } = error;
  const path = diagnostic.step === undefined ? step : `${step}/${diagnostic.step}`;
  if (!(error instanceof RowError)) return new EvaluationError({ ...diagnostic, step: path }, { cause: error });
  const own = /^[^.[]*/.exec(error.field)![0];
  return new RowError(
    mapped(own) ? `${step}.${error.field}` : error.field,
    diagnostic.problem,
    diagnostic.expected ?? "a usable value",
    undefined,
    { cause: error, shown: diagnostic.received ?? "nothing", step: path },
  );
}

/** The step that the message of such an error names; null for any other message. */
export function stepIn(message: string): string | null {
  return /^step ([\w/]+): /.exec(message)?.[1] ?? null;
}
