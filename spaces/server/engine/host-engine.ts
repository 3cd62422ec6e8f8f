import { fork } from "node:child_process";
import { Worker } from "node:worker_threads";
import { ConfigurationError, EvaluationError } from "../../../models/core/errors.ts";
import type { ModelDescription, OpenOptions } from "../../../models/core/predictor/predictor.ts";
import { disableRuntimeTelemetry } from "../../../models/core/session/telemetry.ts";
import { EngineLost, type Engine, type Feeds, type LiveRows } from "./engine.ts";
import type { Answers, Ask, Cancel, Piece, Question, Reply } from "./messages.ts";
import type { Turn } from "./turn.ts";

/** It is beside this file, both in the source tree and in a bundle. */
const HOST = new URL(import.meta.url.endsWith(".ts") ? "./host.ts" : "./host.js", import.meta.url);

/** A thread or a process: it takes questions and says when it has exited. */
type HostHandle = {
  post(question: Question | Cancel): void;
  onReply(take: (reply: Reply | Piece) => void): void;
  onExit(take: (why: string) => void): void;
  /** Null for a thread, which cannot be killed during a run. */
  kill: (() => void) | null;
};

function startWorker(): HostHandle {
  disableRuntimeTelemetry();
  const worker = new Worker(HOST, { stdout: false, stderr: false });
  return {
    post: (question) => worker.postMessage(question, []),
    onReply: (take) => {
      worker.on("message", take);
    },
    onExit: (take) => {
      worker.on("error", (error) => take((error as Error).message));
      worker.on("exit", (code) => take(`worker exit ${code}`));
    },
    kill: null,
  };
}

function startProcess(): HostHandle {
  const child = fork(HOST, [], { serialization: "advanced", stdio: ["ignore", "inherit", "inherit", "ipc"] });
  return {
    post: (question) => {
      child.send(question, (error) => {
        if (error !== null) child.kill("SIGKILL");
      });
    },
    onReply: (take) => {
      child.on("message", (message) => take(message as Reply | Piece));
    },
    onExit: (take) => {
      child.on("error", (error) => take(error.message));
      child.on("exit", (code, signal) =>
        take(signal === null ? `process exit ${code}` : `process killed by ${signal}`),
      );
    },
    kill: () => child.kill("SIGKILL"),
  };
}

type Host = {
  ask<K extends keyof Answers>(ask: Ask & { kind: K }, turn?: Turn, live?: LiveRows): Promise<Answers[K]>;
  description: ModelDescription;
  busy(): number;
  alive(): boolean;
};

/**
 * Starts one thread or process and opens the model in it.
 *
 * @param limitMs longest that one question may take, where it can be killed; 0 is no limit.
 * @throws ConfigurationError, EvaluationError as `openPredictor`; EngineLost when it dies.
 */
async function startHost(
  kind: "worker" | "process",
  dir: string,
  options: OpenOptions,
  limitMs: number,
): Promise<Host> {
  const handle = kind === "worker" ? startWorker() : startProcess();
  const open = new Map<
    number,
    {
      resolve: (answer: never) => void;
      reject: (error: Error) => void;
      timer: NodeJS.Timeout | null;
      onPiece: LiveRows["onPiece"];
    }
  >();
  let next = 0;
  let exited: string | null = null;
  handle.onReply((reply) => {
    const waiting = open.get(reply.id);
    if (waiting === undefined) return;
    if ("piece" in reply) {
      waiting.onPiece?.(reply.index, reply.piece);
      return;
    }
    open.delete(reply.id);
    if (waiting.timer !== null) clearTimeout(waiting.timer);
    if (reply.ok) waiting.resolve(reply.answer as never);
    else
      waiting.reject(
        reply.configuration ? new ConfigurationError(reply.diagnostic) : new EvaluationError(reply.diagnostic),
      );
  });
  handle.onExit((why) => {
    exited ??= why;
    for (const waiting of open.values()) {
      if (waiting.timer !== null) clearTimeout(waiting.timer);
      waiting.reject(new EngineLost(why));
    }
    open.clear();
  });
  const ask = <K extends keyof Answers>(question: Ask & { kind: K }, turn?: Turn, live?: LiveRows) =>
    new Promise<Answers[K]>((resolve, reject) => {
      if (exited !== null) return reject(new EngineLost(exited));
      const id = next++;
      const timer =
        handle.kill === null || limitMs === 0 || question.kind === "open" || question.kind === "sweep"
          ? null
          : setTimeout(handle.kill, limitMs);
      open.set(id, { resolve, reject, timer, onPiece: live?.onPiece });
      try {
        handle.post({ id, ask: question, turn });
        live?.signal.addEventListener("abort", () => {
          if (open.has(id)) handle.post({ cancel: id });
        });
      } catch (error) {
        // The question holds a value that cannot be cloned, so nothing was sent.
        open.delete(id);
        if (timer !== null) clearTimeout(timer);
        reject(error as Error);
      }
    });
  const description = await ask({ kind: "open", dir, options }).catch((error: unknown) => {
    void ask({ kind: "close" }).catch(() => null);
    throw error;
  });
  return { ask, description, busy: () => open.size, alive: () => exited === null };
}

/** A model in worker threads or processes of its own. Each run goes to the least busy one. */
export async function hostEngine(
  kind: "worker" | "process",
  count: number,
  dir: string,
  options: OpenOptions,
  limitMs: number,
): Promise<Engine> {
  const hosts = await startAll(count, () => startHost(kind, dir, options, limitMs));
  const restarts = new Set<number>();
  let closed = false;
  const pick = (): Host => {
    hosts.forEach((host, i) => {
      if (!host.alive() && !closed) void restart(i);
    });
    const alive = hosts.filter((host) => host.alive());
    if (alive.length === 0) throw new EngineLost("it is being started again");
    return alive.reduce((least, host) => (host.busy() < least.busy() ? host : least));
  };
  const restart = async (i: number) => {
    if (restarts.has(i)) return;
    restarts.add(i);
    try {
      const host = await startHost(kind, dir, options, limitMs);
      if (closed) await host.ask({ kind: "close" });
      else hosts[i] = host;
    } catch {
      // The next request tries again, a second later at the earliest.
      await new Promise((resolve) => {
        setTimeout(resolve, 1000).unref();
      });
    } finally {
      restarts.delete(i);
    }
  };
  return {
    kind,
    slots: count,
    // A turn can be taken back only through shared memory, which processes do not have. With several threads, a group
    // handed to a busy one would wait there while another is idle.
    acceptsNextGroup: kind === "worker" && count === 1,
    describe: () => hosts[0]!.description,
    rows: async (rows, plan, turn, live) =>
      pick().ask({ kind: "rows", rows, plan, ...(live?.onPiece === undefined ? {} : { pieces: true }) }, turn, live),
    tensors: async (feeds, fetches, turn) => pick().ask({ kind: "tensors", feeds: compact(feeds), fetches }, turn),
    sweep: async (rows, request) => pick().ask({ kind: "sweep", rows, request }),
    async close() {
      closed = true;
      // Queued behind the runs in flight; after it the thread or process ends by itself.
      await Promise.all(hosts.map((host) => host.ask({ kind: "close" }).catch(() => null)));
    },
  };
}

/**
 * Copies views out of larger buffers. A message would otherwise copy the whole buffer behind a view: here, a request's
 * body.
 */
function compact(feeds: Feeds): Feeds {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, feed]) => [
      name,
      "buffer" in feed.data && feed.data.buffer.byteLength > feed.data.byteLength
        ? { ...feed, data: feed.data.slice() }
        : feed,
    ]),
  );
}

/** Starts all hosts or none: when one fails, the others are closed. */
async function startAll(count: number, start: () => Promise<Host>): Promise<Host[]> {
  const outcomes = await Promise.allSettled(Array.from({ length: count }, start));
  const hosts = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed === undefined) return hosts;
  await Promise.all(hosts.map((host) => host.ask({ kind: "close" }).catch(() => null)));
  throw failed.reason as Error;
}
