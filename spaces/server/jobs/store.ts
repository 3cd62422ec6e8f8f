import type { JobFormat, JobState } from "./job.ts";

export type UploadRow = {
  id: string;
  owner: string;
  size: number;
  received: number;
  contentType: string | null;
  /** Sealed. */
  name: Uint8Array | null;
  /** The job whose input it is. */
  job: string | null;
  expiresAt: number;
};

export type JobRow = {
  id: string;
  owner: string;
  model: string;
  version: string | null;
  /** Identifies the content of the model that answers. */
  digest: string | null;
  state: JobState;
  format: JobFormat;
  upload: string;
  attempts: number;
  restarts: number;
  notBefore: number;
  leaseUntil: number;
  worker: string | null;
  totalRows: number | null;
  doneRows: number;
  failedRows: number;
  inputBytes: number;
  resultBytes: number;
  /** Sealed `JobNotes`. */
  notes: Uint8Array;
  createdAt: number;
  startedAt: number | null;
  endedAt: number | null;
  keepMs: number;
  expiresAt: number;
  revision: number;
};

/** One sealed piece of an upload or of a result: `size` plain bytes from `start` on. */
export type PartRow = { start: number; size: number; data: Uint8Array };

export type JobFigures = {
  states: Record<JobState, number>;
  oldestQueuedAt: number | null;
  bytes: number;
  uploads: number;
};

/** Where the pieces of an upload and of a job's result are. */
export const uploadBlob = (upload: string): string => `upload:${upload}`;
export const resultBlob = (job: string): string => `result:${job}`;

/**
 * What happened to a checkpoint. `lost`: the job is not this worker's any more, and nothing was written. `full`: there
 * is no space for it.
 */
type Committed = "ok" | "lost" | "full";

/**
 * Where uploads, jobs and results are kept. Every method is one transaction, so that a kill at any moment leaves the
 * state before it or after it. A worker's writes count only while the job is its own.
 */
export type JobStore = {
  createUpload(
    row: UploadRow,
    limits: { ownerBytes: number; totalBytes: number },
  ): Promise<"ok" | "owner-full" | "full">;
  upload(id: string): Promise<UploadRow | null>;
  uploadsOf(owner: string): Promise<UploadRow[]>;
  /** @returns the upload's bytes after it; null when `start` is not where the upload ends, and nothing was written. */
  appendPart(id: string, part: PartRow, expiresAt: number): Promise<number | null>;
  /** Not the input of a job. */
  deleteUpload(id: string): Promise<void>;
  /** @returns "taken" when the upload is another job's, or not whole. */
  createJob(
    row: JobRow,
    limits: { queued: number; ownerQueued: number },
  ): Promise<"ok" | "owner-full" | "full" | "taken">;
  job(id: string): Promise<JobRow | null>;
  jobsOf(owner: string, limit: number): Promise<JobRow[]>;
  /** The next job for a worker: one that waits, or one whose worker has not been heard of since its lease ended. */
  claim(worker: string, now: number, leaseUntil: number, models: readonly string[]): Promise<JobRow | null>;
  renew(id: string, worker: string, leaseUntil: number): Promise<boolean>;
  commit(
    id: string,
    worker: string,
    step: {
      /** Rows that were done before this step. */
      from: number;
      rows: number;
      failed: number;
      /** The sealed text of these rows; it stands after what is there. */
      part: PartRow;
      notes: Uint8Array;
      totalBytes: number;
    },
  ): Promise<Committed>;
  /** Says what the job will be answered by, and how many rows it has. With `restart` it begins at row 0 again. */
  begin(
    id: string,
    worker: string,
    facts: { version: string; digest: string; totalRows: number; notes: Uint8Array; restart: boolean },
  ): Promise<boolean>;
  finish(id: string, worker: string, state: "succeeded" | "failed", notes: Uint8Array, now: number): Promise<boolean>;
  /** Gives a job back to the queue. `counts`: whether the attempt counts. */
  release(id: string, worker: string, notBefore: number, counts: boolean): Promise<boolean>;
  /** Ends a job that has not ended and deletes its input and result. False when it had ended. */
  cancel(id: string, now: number): Promise<boolean>;
  /** Deletes a job with everything of it. */
  deleteJob(id: string): Promise<void>;
  /** Pieces of an upload or a result in order, from the one that holds byte `from` on. */
  parts(blob: string, from: number, limit: number): Promise<PartRow[]>;
  /** Deletes what has expired. @returns ids of the jobs among it. */
  sweep(now: number): Promise<string[]>;
  figures(): Promise<JobFigures>;
  close(): Promise<void>;
};
