/** Why a remote model gave no answer. */
export type RemoteFailureReason =
  | "not-configured"
  | "circuit-open"
  | "deadline"
  | "cancelled"
  | "remote-busy"
  | "remote-failed"
  | "remote-refused";

/** The provider, the way to it or the caller is why there is no answer; the row is not. */
export class RemoteFailure extends Error {
  override name = "RemoteFailure";
  readonly reason: RemoteFailureReason;
  /** When asking again makes sense. */
  readonly retryAfterMs: number;

  constructor(reason: RemoteFailureReason, message: string, retryAfterMs = 1000) {
    super(message);
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}
