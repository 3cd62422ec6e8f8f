/** Exit codes of every command; the contract's table is in `sluice --help`. */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 5;

/** What a command calls with its exit code. */
export type Finish = (code: ExitCode) => void;
