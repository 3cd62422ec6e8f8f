import { rmSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { ConfigurationError } from "../../../models/core/errors.ts";
import type { HostData, HostNews } from "./host.ts";
import type { JobLimits } from "./limits.ts";
import type { JobModels } from "./models.ts";
import { answerCalls, createCaller, type Channel } from "./rpc.ts";
import { createSealer, KEY_VARIABLE } from "./seal.ts";
import type { JobService } from "./service.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** The variable with the address of a Postgres that replicas share. It holds a password, so it is no setting. */
export const DATABASE_VARIABLE = "SLUICE_JOBS_DATABASE";

/** It is beside this file in the source tree, and beside the server in a bundle. */
const HOST = new URL(import.meta.url.endsWith(".ts") ? "./host.ts" : "./jobs.js", import.meta.url);
const HEAP_MB = 512;
const RESTART_MS = 1000;

export type Jobs = JobService & {
  /** Whether the key is from the environment, and what is kept outlives the process. */
  lasting: { key: boolean; place: "folder" | "database" | "temporary folder" };
  /** Calls back when a job changes, in this process. @returns a function that ends it */
  watch(job: string, changed: () => void): () => void;
};

export type OpenJobs = {
  dir: string | null;
  env: Readonly<Record<string, string | undefined>>;
  limits: JobLimits;
  models: JobModels;
  report: (job: string, code: string) => void;
};

/**
 * Starts the thread of the jobs. When it dies, it is started again: jobs go on from their last checkpoint.
 *
 * @throws ConfigurationError for a key, a folder or a database that cannot be used
 */
export async function openJobs({ dir, env, limits, models, report }: OpenJobs): Promise<Jobs> {
  const key = env[KEY_VARIABLE]?.trim() || null;
  const database = env[DATABASE_VARIABLE]?.trim() || null;
  createSealer(key ?? undefined);
  if (database !== null && !/^postgres(ql)?:\/\//.test(database))
    throw new ConfigurationError({
      code: "jobs-database",
      place: DATABASE_VARIABLE,
      problem: "not the address of a Postgres database",
      expected: "postgres://USER:PASSWORD@HOST:PORT/DATABASE",
      received: "something else, which is not shown",
    });
  if (database !== null && key === null)
    throw new ConfigurationError({
      code: "jobs-key",
      place: KEY_VARIABLE,
      problem: "replicas that share their jobs need the same key",
      expected: "32 random bytes in base64 or hexadecimal",
      hint: "openssl rand -base64 32",
    });
  const own = database === null && dir === null ? temporaryFolder() : null;
  const data: HostData = { dir: own ?? dir ?? "", database, key, limits };
  const watchers = new Map<string, Set<() => void>>();
  const news: HostNews = {
    async changed(job) {
      for (const changed of watchers.get(job) ?? []) changed();
    },
    async report(job, code) {
      report(job, code);
    },
  };
  let closing = false;
  const start = () => {
    const thread = new Worker(HOST, {
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
      // Secrets of the server are none of the readers' business.
      env: {},
    });
    const channel: Channel = {
      post: (message) => thread.postMessage(message, []),
      onMessage: (take) => void thread.on("message", take),
    };
    const { remote, lost } = createCaller<JobService & { opened(): Promise<void> }>(channel);
    answerCalls(channel, { ...models, ...news });
    thread.on("error", (error) => report("", (error as NodeJS.ErrnoException).code ?? (error as Error).name));
    thread.on("exit", () => {
      lost("their thread has ended");
      if (!closing) setTimeout(() => (current = start()), RESTART_MS).unref();
    });
    return { thread, remote };
  };
  let current = start();
  const calls = new Proxy({} as JobService, {
    get:
      (_target, method: keyof JobService) =>
      (...args: unknown[]) =>
        (current.remote[method] as (...args: unknown[]) => unknown)(...args),
  });
  const close = async () => {
    closing = true;
    await current.remote.close().catch(() => {});
    await current.thread.terminate();
    if (own !== null) rmSync(own, { recursive: true, force: true });
  };
  try {
    await current.remote.opened();
  } catch (error) {
    await close();
    throw new ConfigurationError(
      { code: "jobs-store", place: "jobs", problem: (error as Error).message },
      { cause: error },
    );
  }
  const names: (keyof JobService)[] = [
    ...(["createUpload", "upload", "append", "deleteUpload", "submit", "submitFile"] as const),
    ...(["job", "list", "remove", "result", "figures", "wake"] as const),
  ];
  return {
    ...(Object.fromEntries(names.map((name) => [name, calls[name]])) as unknown as JobService),
    close,
    lasting: {
      key: key !== null,
      place: database !== null ? "database" : own === null ? "folder" : "temporary folder",
    },
    watch(job, changed) {
      const set = watchers.get(job) ?? new Set();
      watchers.set(job, set.add(changed));
      return () => {
        set.delete(changed);
        if (set.size === 0) watchers.delete(job);
      };
    },
  };
}
