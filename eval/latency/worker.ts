/**
 * The process that holds one model and times it on command, and does nothing else: no other work shares its event loop,
 * heap or JIT. model-process.ts starts it. Every bundle that measures latency has it as a second entry point.
 */
import { readFile } from "node:fs/promises";
import { defaultCacheDir } from "../../models/core/artifact/cache-dir.ts";
import { EvaluationError, SluiceError } from "../../models/core/errors.ts";
import { openHistories } from "../../models/core/feature-store/file.ts";
import { loadManifest, type LoadedManifest } from "../../models/core/predictor/load.ts";
import { openPredictor, type Predictor } from "../../models/core/predictor/predictor.ts";
import type { Command, OpenCommand, Opened, Reply, TurnCommand } from "./protocol.ts";
import { calibratedBusyWait } from "./busy-wait.ts";
import { tensorBytesPerRow } from "./tensor-bytes.ts";
import { warmUp } from "./warm-up.ts";

type Row = OpenCommand["rows"][number];
let loadedModel: LoadedManifest | null = null;
let predictor: Predictor | null = null;
let rows: readonly Row[] = [];
let stores: Awaited<ReturnType<typeof openHistories>> = {};
let busyWait = () => {};
const batches = new Map<number, Row[][]>();

/** Lists of rows are cut before the clock starts. Call i gets list i, modulo their number. */
function batchesOf(size: number): Row[][] {
  let known = batches.get(size);
  if (known === undefined) {
    const count = size === 1 ? rows.length : Math.max(1, Math.ceil(rows.length / size));
    known = Array.from({ length: count }, (_, i) =>
      Array.from({ length: size }, (__, j) => rows[(i * size + j) % rows.length] as Row),
    );
    batches.set(size, known);
  }
  return known;
}

/** What the decode loops of the timed calls made. */
type Made = { tokens: number; firstTokensMs: number[] };

async function predict(batch: Row[], made?: Made): Promise<void> {
  const results = await (predictor as Predictor).predict(batch, {
    batch: batch.length,
    ...(made === undefined
      ? {}
      : {
          onRun({ generated }) {
            if (generated === undefined) return;
            made.tokens += generated.tokens;
            made.firstTokensMs.push(generated.firstTokenMs);
          },
        }),
  });
  busyWait();
  for (const result of results) {
    // A refused row costs less than an answered one, so it would flatter the figures.
    if (!result.ok)
      throw new EvaluationError({
        code: "latency-rows",
        problem: `latency needs rows that the model can answer, and one was refused: ${result.error.message}`,
        expected: "usable rows only",
      });
  }
}

async function open(command: OpenCommand): Promise<Opened> {
  const loaded = await loadManifest(command.modelDir);
  const asked = Object.entries(command.histories ?? {}).filter(([step]) =>
    Object.hasOwn(loaded.manifest.preprocess, step),
  );
  stores = await openHistories(Object.fromEntries(asked));
  const opened = await openPredictor(
    loaded,
    {
      stores,
      ...(command.provider === undefined ? {} : { provider: command.provider }),
      ...(command.threads === undefined ? {} : { threads: command.threads }),
    },
    { env: process.env, fetch },
  );
  loadedModel = loaded;
  predictor = opened;
  rows = command.rows;
  if (rows.length === 0)
    throw new EvaluationError({
      code: "latency-rows",
      problem: "latency needs rows to predict",
      expected: "at least one row",
      received: "none",
    });
  const singles = batchesOf(1);
  const start = performance.now();
  await predict(singles[0] as Row[]);
  const firstPredictionAt = Date.now();
  let callMs = performance.now() - start;
  busyWait = calibratedBusyWait(command.slowdownMs);
  let i = 0;
  if (command.warmMs > 0)
    callMs = await warmUp(
      () => predict(singles[i++ % singles.length] as Row[]),
      command.warmMs,
      () => performance.now(),
      processorMs,
    );
  const { provider, onnxruntime, threads, modelBytes } = opened.describe();
  return {
    kind: "opened",
    firstPredictionAt,
    modelBytes,
    servedBatch: loaded.manifest.runtime.batch,
    provider,
    onnxruntime,
    threads,
    callMs,
  };
}

function processorMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

async function turn(command: TurnCommand): Promise<Reply> {
  const lists = batchesOf(command.batch);
  const list = (i: number) => lists[(command.start + i) % lists.length] as Row[];
  for (let i = 0; i < command.lead; i++) await predict(list(i));
  const durations: number[] = [];
  const made = loadedModel?.manifest.generate === undefined ? undefined : { tokens: 0, firstTokensMs: [] as number[] };
  const begin = performance.now();
  const more = (elapsedMs: number) =>
    "count" in command
      ? durations.length < command.count
      : durations.length < command.atLeast || elapsedMs < command.budgetMs;
  let at = begin;
  for (let i = 0; more(at - begin); i++) {
    const rowsOfCall = list(i);
    const start = performance.now();
    await predict(rowsOfCall, made);
    at = performance.now();
    durations.push(at - start);
  }
  return {
    kind: "timings",
    durationsMs: Float64Array.from(durations),
    elapsedMs: at - begin,
    generated:
      made === undefined ? null : { tokens: made.tokens, firstTokensMs: Float64Array.from(made.firstTokensMs) },
  };
}

/**
 * Linux: VmHWM, the high-water mark of this program alone. `ru_maxrss` would be at least the memory that the parent had
 * when it started this process (the kernel carries it over exec), so it is used only where there is no /proc.
 */
async function peakRssBytes(): Promise<number> {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const kibibytes = /^VmHWM:\s+(\d+) kB/m.exec(status)?.[1];
  return 1024 * Number(kibibytes ?? process.resourceUsage().maxRSS);
}

async function answer(command: Command): Promise<Reply> {
  switch (command.kind) {
    case "open":
      return open(command);
    case "turn":
      return turn(command);
    case "footprint":
      return {
        kind: "footprint",
        peakRssBytes: await peakRssBytes(),
        bytesPerRow: await tensorBytesPerRow(
          loadedModel as LoadedManifest,
          predictor as Predictor,
          batchesOf(command.batch)[0] as Row[],
          defaultCacheDir(process.env),
          stores,
        ),
      };
    case "exit":
      process.exit(0);
  }
}

process.on("disconnect", () => process.exit(0));
process.on("message", (command: Command) => {
  answer(command).then(
    (reply) => process.send?.(reply),
    (error: unknown) =>
      process.send?.({
        kind: "failed",
        diagnostic:
          error instanceof SluiceError
            ? error.diagnostic
            : {
                code: "latency-process",
                problem: `the model's process failed: ${String((error as Error)?.message ?? error)}`,
              },
      } satisfies Reply),
  );
});
