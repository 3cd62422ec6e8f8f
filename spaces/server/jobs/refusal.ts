/** A refusal of the job service as plain data, because it crosses from its thread to the server's. */
export type Refusal = { status: number; code: string; detail: string; retryAfterSeconds?: number };

/** Why something was not done for a client. Every text is for the client and holds nothing of an input. */
export class JobRefused extends Error {
  override name = "JobRefused";
  readonly refusal: Refusal;

  constructor(status: number, code: string, detail: string, retryAfterSeconds?: number) {
    super(detail);
    this.refusal = { status, code, detail, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
  }
}
