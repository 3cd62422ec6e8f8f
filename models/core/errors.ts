/**
 * What every refusal carries, so that one message teaches: where, what was expected, what came, and an example.
 * `code` is stable and meant for programs; the words are meant for people.
 */
export type Complaint = {
  code: string;
  /** What is wrong, in one sentence without a final stop. */
  problem: string;
  /** File, file:line:column, field path, URL or command-line flag. */
  place?: string;
  expected?: string;
  received?: string;
  example?: string;
  /** The next step when it is not obvious from `expected`. */
  hint?: string;
  /** Further complaints about the same file: it is told whole, not one error at a time. */
  others?: Complaint[];
};

export class SluiceError extends Error {
  readonly complaint: Complaint;

  constructor(complaint: Complaint, options?: { cause?: unknown }) {
    super(describeComplaint(complaint), options);
    this.name = new.target.name;
    this.complaint = complaint;
  }

  get code(): string {
    return this.complaint.code;
  }
}

/** Wrong usage or configuration: exit code 2. */
export class ConfigurationError extends SluiceError {}

/** The evaluation could not be carried out: verdict ERROR, exit code 4. */
export class EvaluationError extends SluiceError {}

/** The renderer of a complaint; several lines, the first of which stands alone. */
export function describeComplaint(complaint: Complaint): string {
  const first = complaint.place === undefined ? complaint.problem : `${complaint.place}: ${complaint.problem}`;
  const lines = [first];
  if (complaint.expected !== undefined) lines.push(`  expected: ${complaint.expected}`);
  if (complaint.received !== undefined) lines.push(`  received: ${complaint.received}`);
  if (complaint.example !== undefined) lines.push(`  example:  ${complaint.example.replaceAll("\n", "\n            ")}`);
  if (complaint.hint !== undefined) lines.push(`  hint:     ${complaint.hint}`);
  for (const other of complaint.others ?? []) lines.push(describeComplaint(other));
  return lines.join("\n");
}
