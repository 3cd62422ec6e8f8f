/** Everything that bounds jobs. Bytes are those of inputs and results, before encryption. */
export type JobLimits = {
  keepMs: number;
  uploadMs: number;
  totalBytes: number;
  ownerBytes: number;
  queued: number;
  ownerQueued: number;
  concurrency: number;
  attempts: number;
};

/** What a model's manifest says about its jobs; absent keys leave the server's limits. */
export type JobPolicy = {
  enabled: boolean;
  keepHours?: number | undefined;
  maxBytes?: number | undefined;
  maxRows: number;
};
