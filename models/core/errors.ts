/**
 * What every error says, so that one message is enough to act on: where, what was expected, what was received, and an
 * example. `code` is stable and meant for programs; the text is meant for people.
 */
export type Diagnostic = {
  code: string;
  /** What is wrong, in one sentence without a full stop. */
  problem: string;
  /** File, file:line:column, field path, URL or command-line flag. */
  place?: string;
  /** The step of a composition that failed; OUTER/INNER where a step is itself a composition. */
  step?: string;
  expected?: string;
  received?: string;
  example?: string;
  /** The next step, when `expected` does not make it obvious. */
  hint?: string;
  /** Further problems in the same file, so that one run reports them all. */
  others?: Diagnostic[];
};

export class SluiceError extends Error {
  readonly diagnostic: Diagnostic;

  constructor(diagnostic: Diagnostic, options?: { cause?: unknown }) {
    super(describeDiagnostic(diagnostic), options);
    this.name = new.target.name;
    this.diagnostic = diagnostic;
  }

  get code(): string {
    return this.diagnostic.code;
  }
}

/** Wrong usage or configuration: exit code 2. */
export class ConfigurationError extends SluiceError {}

/** The evaluation could not be carried out: verdict ERROR, exit code 4. */
export class EvaluationError extends SluiceError {}

/** A diagnostic as several lines of text. The first line can stand alone. */
function describeDiagnostic(diagnostic: Diagnostic): string {
  const first = diagnostic.place === undefined ? diagnostic.problem : `${diagnostic.place}: ${diagnostic.problem}`;
  const lines = [diagnostic.step === undefined ? first : `step ${diagnostic.step}: ${first}`];
  if (diagnostic.expected !== undefined) lines.push(`  expected: ${diagnostic.expected}`);
  if (diagnostic.received !== undefined) lines.push(`  received: ${diagnostic.received}`);
  if (diagnostic.example !== undefined)
    lines.push(`  example:  ${diagnostic.example.replaceAll("\n", "\n            ")}`);
  if (diagnostic.hint !== undefined) lines.push(`  hint:     ${diagnostic.hint}`);
  for (const other of diagnostic.others ?? []) lines.push(describeDiagnostic(other));
  return lines.join("\n");
}
