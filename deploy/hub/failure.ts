/** A failure that ends a deployment after it has begun: exit code 1, after a roll-back if one is possible. */
export class DeployFailure extends Error {
  override name = "DeployFailure";
  /** A stable code for programs. */
  readonly code: string;
  /** The last lines of the log that explains the failure, if there is one. */
  readonly log: readonly string[];

  constructor(code: string, message: string, options: { log?: readonly string[]; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.log = options.log ?? [];
  }
}
