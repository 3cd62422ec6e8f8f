/**
 * The worker thread or process that holds one model. It answers one question at a time and decides nothing. Every
 * bundle of the server has this file as a second entry point.
 */
import { parentPort } from "node:worker_threads";
import { ConfigurationError, EvaluationError, SluiceError } from "../../../models/core/errors.ts";
import { loadManifest } from "../../../models/core/predictor/load.ts";
import { openPredictor, type Predictor } from "../../../models/core/predictor/predictor.ts";
import type { LiveRows } from "./engine.ts";
import type { Answers, Ask, Cancel, Piece, Question, Reply } from "./messages.ts";
import { runRows } from "./run-rows.ts";
import { sweepBatches } from "./sweep.ts";
import { begin } from "./turn.ts";

let opened: Predictor | null = null;

function predictor(): Predictor {
  if (opened === null)
    throw new EvaluationError({ code: "engine-empty", problem: "no model is open here", expected: "`open` first" });
  return opened;
}

/** Questions whose runs can be ended, that wait or run. */
const cancels = new Map<number, AbortController>();

async function answer(ask: Ask, id: number): Promise<Answers[keyof Answers]> {
  switch (ask.kind) {
    case "open":
      opened = await openPredictor(await loadManifest(ask.dir), ask.options, { env: process.env, fetch });
      return opened.describe();
    case "rows":
      return runRows(predictor(), ask.rows, ask.plan, liveOf(ask, id));
    case "tensors": {
      const start = performance.now();
      const outputs = await predictor().runTensors(ask.feeds, ask.fetches);
      return { outputs, inferenceMs: performance.now() - start };
    }
    case "sweep":
      return sweepBatches(predictor(), ask.rows, ask.request);
    case "close":
      await opened?.close();
      opened = null;
      return null;
  }
}

function liveOf({ pieces }: Ask & { kind: "rows" }, id: number): LiveRows | undefined {
  const cancel = cancels.get(id);
  if (cancel === undefined) return undefined;
  return {
    signal: cancel.signal,
    ...(pieces === true ? { onPiece: (index: number, piece: string) => send({ id, index, piece }) } : {}),
  };
}

const send = (reply: Reply | Piece) => {
  if (parentPort === null) process.send?.(reply);
  else parentPort.postMessage(reply, []);
};

// Questions are answered one by one: the runtime would run them one after the other anyway.
let last: Promise<void> = Promise.resolve();
const take = (question: Question | Cancel) => {
  if ("cancel" in question) {
    cancels.get(question.cancel)?.abort(new Error("cancelled"));
    return;
  }
  if (question.ask.kind === "rows" && question.ask.plan.interruptible === true)
    cancels.set(question.id, new AbortController());
  const before = last;
  last = (async () => {
    await before;
    await serve(question);
    cancels.delete(question.id);
  })();
};

async function serve({ id, ask, turn }: Question): Promise<void> {
  try {
    send({ id, ok: true, answer: turn === undefined || begin(turn) ? await answer(ask, id) : null });
  } catch (error) {
    const diagnostic =
      error instanceof SluiceError
        ? error.diagnostic
        : {
            code: "engine-failed",
            problem: `the model's engine failed: ${String((error as Error)?.message ?? error).split("\n", 1)[0]}`,
          };
    send({ id, ok: false, configuration: error instanceof ConfigurationError, diagnostic });
  }
  if (ask.kind !== "close") return;
  if (parentPort === null) process.disconnect();
  else parentPort.close();
}

if (parentPort === null) {
  process.on("message", take);
  process.on("disconnect", () => process.exit(0));
  // The server handles these signals and drains. They reach the whole process group, so they are ignored here.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
} else parentPort.on("message", take);
