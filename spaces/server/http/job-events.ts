import type { JobView } from "../jobs/job.ts";
import { hasEnded } from "../jobs/job.ts";
import type { Jobs } from "../jobs/open-jobs.ts";
import { JobRefused } from "../jobs/refusal.ts";
import type { Asker } from "../jobs/service.ts";

const HEARTBEAT_MS = 15_000;
/** Where another replica runs the job, nobody here says that it has changed. */
const LOOK_MS = 2000;
/** Events of one job at most this often. */
const PACE_MS = 200;
const RETRY_MS = 2000;

export type EventDeps = {
  /** False when the client is not there any more, or the server is stopping. */
  going: () => boolean;
  /** Resolves after so long, or as soon as `wake` of the returned pair is called. */
  sleep: (ms: number) => { done: Promise<void>; wake: () => void };
  now: () => number;
};

/**
 * A job's changes as server-sent events: `state` when its state is another, `progress` otherwise. Each has the whole job,
 * and its revision as id: a client that comes back with Last-Event-ID gets what it has missed as one event. The stream
 * ends with the job.
 *
 * @param since the revision that the client has seen
 */
export async function* jobEvents(
  jobs: Jobs,
  asker: Asker,
  first: JobView,
  since: number,
  { going, sleep, now }: EventDeps,
): AsyncGenerator<string> {
  let wake = () => {};
  let isChanged = true;
  const unwatch = jobs.watch(first.id, () => {
    isChanged = true;
    wake();
  });
  try {
    yield `retry: ${RETRY_MS}\n\n`;
    let seen = since;
    let state: JobView["state"] | null = null;
    let saidAt = now();
    let lookedAt = -Infinity;
    let job: JobView | null = first;
    while (going()) {
      if (job !== null && job.revision > seen) {
        yield `id: ${job.revision}\nevent: ${job.state === state ? "progress" : "state"}\ndata: ${JSON.stringify(job)}\n\n`;
        ({ revision: seen, state } = job);
        saidAt = now();
      }
      if (job !== null && hasEnded(job.state)) return;
      const pause = sleep(isChanged ? Math.max(0, lookedAt + PACE_MS - now()) : LOOK_MS);
      wake = isChanged ? () => {} : pause.wake;
      await pause.done;
      // Changes come in bursts; all of one burst are one event.
      const soon = lookedAt + PACE_MS - now();
      if (soon > 0) await sleep(soon).done;
      if (!going()) return;
      isChanged = false;
      lookedAt = now();
      job = await seenAgain(jobs, asker, first.id);
      if (job === null) {
        yield `event: deleted\ndata: {"id":${JSON.stringify(first.id)}}\n\n`;
        return;
      }
      if (now() - saidAt >= HEARTBEAT_MS) {
        yield ": still here\n\n";
        saidAt = now();
      }
    }
  } finally {
    unwatch();
  }
}

/** Null for a job that is deleted. */
async function seenAgain(jobs: Jobs, asker: Asker, id: string): Promise<JobView | null> {
  try {
    return await jobs.job(asker, id);
  } catch (error) {
    if (error instanceof JobRefused && error.refusal.status === 404) return null;
    throw error;
  }
}
