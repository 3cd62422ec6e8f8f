/**
 * A call that ended without a whole answer. `status` is null when there was no HTTP response. The message holds nothing
 * of the prompt or the answer.
 */
export class CallError extends Error {
  override name = "CallError";
  readonly status: number | null;
  readonly retryAfterMs: number | null;
  /** Whether the same call may succeed later. */
  readonly transient: boolean;

  constructor(
    message: string,
    more: { status?: number | null; retryAfterMs?: number | null; transient: boolean; cause?: unknown },
  ) {
    super(message, { cause: more.cause });
    this.status = more.status ?? null;
    this.retryAfterMs = more.retryAfterMs ?? null;
    this.transient = more.transient;
  }
}
