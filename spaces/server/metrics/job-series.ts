import { Gauge, type Registry } from "prom-client";
import { jobStates } from "../jobs/job.ts";
import type { JobFigures } from "../jobs/store.ts";

/** One look at the store serves all series of one scrape. */
const FRESH_MS = 500;

/** How many jobs there are and what they take. Where no job was ever asked for, all are 0. */
export function jobSeries(registry: Registry, figures: () => Promise<JobFigures | null>, now: () => number): void {
  let seen: { at: number; figures: Promise<JobFigures | null> } | null = null;
  const fresh = () => {
    if (seen === null || now() - seen.at > FRESH_MS) seen = { at: now(), figures: figures() };
    return seen.figures;
  };
  const gauge = <L extends string>(
    name: string,
    help: string,
    labelNames: L[],
    set: (gauge: Gauge<L>, figures: JobFigures | null) => void,
  ) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        set(this, await fresh());
      },
    });
  gauge("jobs", "Jobs that are kept, by state", ["state"], (series, found) => {
    for (const state of jobStates) series.set({ state }, found?.states[state] ?? 0);
  });
  gauge("jobs_oldest_queued_seconds", "Age of the oldest job that waits; 0 when none does", [], (series, found) =>
    series.set(found?.oldestQueuedAt == null ? 0 : Math.max(0, (now() - found.oldestQueuedAt) / 1000)),
  );
  gauge("jobs_stored_bytes", "Bytes of uploads and results that are kept or reserved", [], (series, found) =>
    series.set(found?.bytes ?? 0),
  );
  gauge("jobs_uploads", "Uploads that are not yet the input of a job", [], (series, found) =>
    series.set(found?.uploads ?? 0),
  );
}
