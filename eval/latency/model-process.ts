import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { EvaluationError } from "../../models/core/errors.ts";
import type { Command, OpenCommand, Opened, Reply, TurnCommand, TurnTimings } from "./protocol.ts";

export type ProcessDeps = {
  /**
   * The worker's file: worker.ts beside this file when it runs unbuilt, latency-worker.js beside the bundle otherwise.
   */
  worker?: URL;
  /** Environment of the child, without what `withoutSecrets` drops. */
  env?: NodeJS.ProcessEnv;
  /** Longest wait for one answer, ms. */
  timeoutMs?: number;
};

/** A model in its own process. It takes one command at a time. */
export type ModelProcess = {
  opened: Opened;
  pid: number;
  /**
   * Process start → first prediction, ms. Includes Node's start, imports, the sha256 check, session creation and one
   * prediction.
   */
  coldStartMs: number;
  turn(
    command: Omit<TurnCommand, "kind"> & ({ count: number } | { budgetMs: number; atLeast: number }),
  ): Promise<TurnTimings>;
  /**
   * Highest resident memory of the process so far, and the bytes of the tensors of one run of `batch` rows, per row.
   */
  footprint(batch: number): Promise<{ peakRssBytes: number; bytesPerRow: number | null }>;
  close(): Promise<void>;
};

const defaultWorker = () =>
  new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./latency-worker.js", import.meta.url);
const DEFAULT_TIMEOUT_MS = 120_000;
const EXIT_TIMEOUT_MS = 5_000;

/**
 * Starts a process, opens the model in it, predicts once and warms up.
 *
 * @throws EvaluationError (the child's own diagnostic, latency-timeout, latency-process-ended).
 */
export async function startModelProcess(
  command: Omit<OpenCommand, "kind">,
  deps: ProcessDeps = {},
): Promise<ModelProcess> {
  const startedAt = Date.now();
  const child = fork(deps.worker ?? defaultWorker(), [], {
    serialization: "advanced",
    execArgv: [],
    env: withoutSecrets(deps.env ?? process.env),
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-2000);
  });
  const ask = <Kind extends Reply["kind"]>(one: Command, expected: Kind) =>
    request(child, one, expected, deps.timeoutMs ?? DEFAULT_TIMEOUT_MS, command.modelDir, () => stderr);
  const close = () => end(child);
  try {
    const opened = await ask({ kind: "open", ...command }, "opened");
    return {
      opened,
      pid: child.pid as number,
      coldStartMs: opened.firstPredictionAt - startedAt,
      turn: (options) => ask({ kind: "turn", ...options }, "timings"),
      footprint: (batch) => ask({ kind: "footprint", batch }, "footprint"),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function request<Kind extends Reply["kind"]>(
  child: ChildProcess,
  command: Command,
  expected: Kind,
  timeoutMs: number,
  place: string,
  stderr: () => string,
): Promise<Extract<Reply, { kind: Kind }>> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      clearTimeout(timer);
      child.off("message", onMessage).off("exit", onExit).off("error", onError);
      act();
    };
    const refuse = (code: string, problem: string, received?: string) =>
      settle(() =>
        reject(new EvaluationError({ code, problem, place, ...(received === undefined ? {} : { received }) })),
      );
    const onMessage = (reply: Reply) => {
      if (reply.kind === "failed") settle(() => reject(new EvaluationError({ place, ...reply.diagnostic })));
      else settle(() => resolve(reply as Extract<Reply, { kind: Kind }>));
    };
    const onExit = (code: number | null, signal: string | null) =>
      refuse(
        "latency-process-ended",
        `the model's process ended before it answered (${expected})`,
        `${signal ?? `exit code ${code}`}${stderr() === "" ? "" : `; it wrote: ${stderr().trim()}`}`,
      );
    const onError = (error: Error) =>
      refuse("latency-process-ended", "the model's process could not be started or reached", error.message);
    const timer = setTimeout(
      () =>
        refuse(
          "latency-timeout",
          `the model's process gave no answer (${expected}) in time`,
          `nothing after ${timeoutMs} ms`,
        ),
      timeoutMs,
    );
    child.on("message", onMessage).on("exit", onExit).on("error", onError);
    if (!child.connected) return onExit(child.exitCode, child.signalCode);
    child.send(command);
  });
}

/** Asks the process to exit. One in the middle of a run cannot, so it is killed after a while. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = once(child, "exit");
  if (child.connected) child.disconnect();
  const timer = setTimeout(() => child.kill("SIGKILL"), EXIT_TIMEOUT_MS);
  await exited;
  clearTimeout(timer);
}

/** Drops credentials. A model's process needs only the Hub's, because the artifact may not be cached yet. */
function withoutSecrets(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) => name.startsWith("HF_") || !/^INPUT_|^ACTIONS_|TOKEN|SECRET|PASSWORD|NODE_OPTIONS|VITEST/i.test(name),
    ),
  );
}
