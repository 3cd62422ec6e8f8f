/**
 * The thread that keeps and runs jobs: files are read, encrypted, written and counted here, so that none of it delays a
 * request. Rows are predicted on the other side. Every bundle of the server has this file as an entry point.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import type { JobLimits } from "./limits.ts";
import type { JobModels } from "./models.ts";
import { answerCalls, createCaller, type Channel } from "./rpc.ts";
import { createSealer } from "./seal.ts";
import { createJobService, type JobService } from "./service.ts";
import { openSqlStore } from "./sql-store.ts";

/** `database` and `key` hold secrets. */
export type HostData = { dir: string; database: string | null; key: string | null; limits: JobLimits };
/** What this thread says by itself. */
export type HostNews = {
  changed(job: string): Promise<void>;
  report(job: string, code: string): Promise<void>;
};

const port = parentPort!;
// The channel serves both directions; each side ignores what is not for it.
const channel: Channel = {
  post: (message) => port.postMessage(message, []),
  onMessage: (take) => void port.on("message", take),
};
const { remote } = createCaller<JobModels & HostNews>(channel);

async function open({ dir, database, key, limits }: HostData): Promise<JobService> {
  const sealer = createSealer(key ?? undefined);
  const db =
    database === null
      ? await (async () => {
          mkdirSync(dir, { recursive: true, mode: 0o700 });
          // Known to be stable enough for what is used of it: prepared statements and transactions.
          process.removeAllListeners("warning");
          return (await import("./sqlite.ts")).openSqlite(join(dir, "jobs.sqlite"));
        })()
      : (await import("./postgres.ts")).openPostgres(database);
  return createJobService(limits, {
    store: await openSqlStore(db),
    sealer,
    models: remote,
    now: Date.now,
    changed: (job) => void remote.changed(job),
    report: (job, code) => void remote.report(job, code),
  });
}

const opened = open(workerData as HostData);
// Each call rejects with what is wrong; nobody else waits for it.
opened.catch(() => {});
answerCalls(
  channel,
  new Proxy(
    {},
    {
      get:
        (_target, method: string) =>
        async (...args: unknown[]) => {
          if (method === "opened") return void (await opened);
          const service = (await opened) as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
          return service[method]!(...args);
        },
    },
  ),
);
