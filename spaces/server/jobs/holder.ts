import type { Jobs } from "./open-jobs.ts";
import { JobRefused } from "./refusal.ts";
import type { JobFigures } from "./store.ts";

const RETRY_MS = 2000;

/** The jobs of a server, which are opened when they are first needed, and again when that failed. */
export type JobsHolder = {
  /** @throws JobRefused 503 while they cannot be opened */
  get(): Promise<Jobs>;
  /** Null while they are not open. */
  figures(): Promise<JobFigures | null>;
  /** Looks for jobs now, where they are open. */
  wake(): void;
  close(): Promise<void>;
};

/**
 * @param eager open now, and try until it succeeds: there may be jobs from before. Another server that is just ending may
 *   still have the same folder.
 * @param failed called when they cannot be opened
 */
export function holdJobs(open: () => Promise<Jobs>, eager: boolean, failed: (error: Error) => void): JobsHolder {
  let jobs: Promise<Jobs> | null = null;
  let closed = false;
  let retry: NodeJS.Timeout | null = null;
  const opened = (): Promise<Jobs> => {
    if (closed) return Promise.reject(new JobRefused(503, "draining", "the server is stopping", 2));
    jobs ??= open().catch((error: unknown) => {
      jobs = null;
      failed(error as Error);
      if (eager && !closed)
        retry ??= setTimeout(() => {
          retry = null;
          void opened().catch(() => {});
        }, RETRY_MS).unref();
      throw new JobRefused(503, "jobs-unavailable", "jobs cannot be kept at the moment; the server's log tells why", 5);
    });
    return jobs;
  };
  if (eager) void opened().catch(() => {});
  return {
    get: opened,
    figures: async () => (jobs === null ? null : jobs.then((open) => open.figures()).catch(() => null)),
    wake: () => void jobs?.then((open) => open.wake()).catch(() => {}),
    async close() {
      closed = true;
      if (retry !== null) clearTimeout(retry);
      await jobs?.then(
        (open) => open.close(),
        () => {},
      );
    },
  };
}
