/** Why a remote model gave no answer. */
export type RemoteFailureReason =
  | "not-configured"
  | "circuit-open"
  | "deadline"
  | "cancelled"
  | "remote-busy"
  | "remote-failed"
  | "remote-refused";

/** There is no answer because of the provider, the connection or the caller, but not because of the row. */
export class RemoteFailure extends Error {
  override name = "RemoteFailure";
  readonly reason: RemoteFailureReason;
  /** How long to wait before another request makes sense. */
  readonly retryAfterMs: number;

  constructor(reason: RemoteFailureReason, message: string, retryAfterMs = 1000) {
    super(message);
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}
