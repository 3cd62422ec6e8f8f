/** Every code is explained among the server's problems. */
export type JobCode =
  | "cancelled"
  | "draining"
  | "input-too-large"
  | "job-failed"
  | "jobs-full"
  | "jobs-of-owner"
  | "jobs-stopped"
  | "jobs-unavailable"
  | "key-lost"
  | "media-field"
  | "no-jobs"
  | "no-owners"
  | "not-finished"
  | "not-ready"
  | "owner-full"
  | "storage-full"
  | "unknown-format"
  | "unknown-job"
  | "unknown-upload"
  | "upload-offset"
  | "upload-unfinished";

/** A refusal of the job service as plain data, because it crosses from its thread to the server's. */
export type Refusal = { status: number; code: JobCode; detail: string; retryAfterSeconds?: number };

/** Why something was not done for a client. Every text is for the client and holds nothing of an input. */
export class JobRefused extends Error {
  override name = "JobRefused";
  readonly refusal: Refusal;

  constructor(status: number, code: JobCode, detail: string, retryAfterSeconds?: number) {
    super(detail);
    this.refusal = { status, code, detail, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
  }
}
