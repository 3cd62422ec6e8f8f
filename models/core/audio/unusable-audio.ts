/** Why bytes cannot be used as sound: what a RowError says, but for the field. */
export class UnusableAudio extends Error {
  readonly problem: string;
  readonly expected: string;
  /** What came, in words. */
  readonly shown: string;

  constructor(problem: string, expected: string, shown: string, options?: { cause?: unknown }) {
    super(`${problem}: expected ${expected}, received ${shown}`, options);
    this.problem = problem;
    this.expected = expected;
    this.shown = shown;
  }
}
