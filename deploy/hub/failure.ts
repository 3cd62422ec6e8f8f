/** What ends a deployment that had begun: exit code 1, after a roll-back where one is possible. */
export class DeployFailure extends Error {
  override name = "DeployFailure";
  /** Stable, for programs. */
  readonly code: string;
  /** Last lines of the log that tells why, where there is one. */
  readonly log: readonly string[];

  constructor(code: string, message: string, options: { log?: readonly string[]; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.log = options.log ?? [];
  }
}
