/** Exit codes of every command. `sluice --help` lists their meanings. */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 5;

/** Called by a command with its exit code. */
export type Finish = (code: ExitCode) => void;
