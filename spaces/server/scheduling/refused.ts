import type { RemoteFailureReason } from "../../../models/remote/failure.ts";

/** Why a request was not served. Each reason is a label of the rejected counter and a problem type. */
export type RefusalReason =
  | "queue-full"
  | "queue-wait"
  | "draining"
  | "deadline"
  | "cancelled"
  | "engine-lost"
  | "not-ready"
  | RemoteFailureReason;

/** A request that gets no answer because of the server, a provider or the client, but never because of the row. */
export class Refused extends Error {
  override name = "Refused";
  readonly reason: RefusalReason;
  /** How long to wait before another request makes sense. */
  readonly retryAfterMs: number;

  constructor(reason: RefusalReason, message: string, retryAfterMs = 1000) {
    super(message);
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}
