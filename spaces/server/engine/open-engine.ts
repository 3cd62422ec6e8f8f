import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { LoadedManifest } from "../../../models/core/predictor/load.ts";
import { openPredictor } from "../../../models/core/predictor/predictor.ts";
import { artifactFiles } from "../../../models/core/manifest/artifact-files.ts";
import type { ArtifactDeps } from "../../../models/core/artifact/artifact.ts";
import type { Settings } from "../settings/settings.ts";
import type { Engine } from "./engine.ts";
import { mainEngine } from "./main-engine.ts";
import { largestRow } from "./probe-rows.ts";
import { hostEngine } from "./host-engine.ts";

/** Smaller files are opened on the main thread first: creating their session takes milliseconds. */
const SURELY_SMALL_BYTES = 1024 * 1024;
/** Larger ones are never moved to the main thread: creating their session would block it for too long. */
const NEVER_MAIN_BYTES = 64 * 1024 * 1024;

const SERVED = { optimised: true, served: true } as const;

export type OpenedEngine = {
  engine: Engine;
  reason: string;
  /** Time of the slowest row, run alone; null without examples to measure with. */
  maxRowMs: number | null;
};

/**
 * Opens a model in the engine that suits it. A run blocks its thread, so only a model whose slowest row takes less than
 * the limit may run on the main thread. Every other model, and one that cannot be measured, gets a worker.
 *
 * @throws ConfigurationError, EvaluationError as `openPredictor`.
 */
export async function openEngine(
  loaded: LoadedManifest,
  settings: Pick<Settings, "engine" | "workers" | "mainThreadLimitMs" | "runLimitMs">,
  deps: ArtifactDeps,
): Promise<OpenedEngine> {
  const row = largestRow(loaded.manifest);
  const measure = async (engine: Engine) => {
    if (row === null) return null;
    const [point] = await engine.sweep([row], { ways: [], budgetMs: 20 });
    return point!.totalMs;
  };
  const onMain = async () => mainEngine(await openPredictor(loaded, SERVED, deps));
  const hosted = (kind: "worker" | "process") =>
    hostEngine(kind, settings.workers, loaded.dir, SERVED, settings.runLimitMs);

  if (settings.engine === "main") {
    const engine = await onMain();
    return { engine, reason: "as configured", maxRowMs: await measured(engine, measure) };
  }
  if (settings.engine !== "auto") {
    const engine = await hosted(settings.engine);
    return { engine, reason: "as configured", maxRowMs: await measured(engine, measure) };
  }
  const limit = settings.mainThreadLimitMs;
  const bytes = await modelFileBytes(loaded);
  if (row !== null && bytes !== null && bytes <= SURELY_SMALL_BYTES) {
    const engine = await onMain();
    const ms = (await measured(engine, measure))!;
    if (ms < limit)
      return { engine, reason: `the slowest row takes ${ms.toFixed(3)} ms, less than ${limit} ms`, maxRowMs: ms };
    await engine.close();
  }
  const engine = await hosted("worker");
  const ms = await measured(engine, measure);
  if (ms === null) return { engine, reason: "no serving examples to measure with", maxRowMs: null };
  if (ms < limit && settings.workers === 1 && engine.describe().modelBytes <= NEVER_MAIN_BYTES) {
    const main = await onMain().catch(async (error: unknown) => {
      await engine.close();
      throw error;
    });
    await engine.close();
    return { engine: main, reason: `the slowest row takes ${ms.toFixed(3)} ms, less than ${limit} ms`, maxRowMs: ms };
  }
  return {
    engine,
    reason:
      ms < limit
        ? `throughput mode, ${settings.workers} workers`
        : `the slowest row takes ${ms.toFixed(3)} ms, and would block the main thread for more than ${limit} ms`,
    maxRowMs: ms,
  };
}

async function measured(engine: Engine, measure: (engine: Engine) => Promise<number | null>): Promise<number | null> {
  try {
    return await measure(engine);
  } catch (error) {
    await engine.close();
    throw error;
  }
}

async function modelFileBytes(loaded: LoadedManifest): Promise<number | null> {
  const files = artifactFiles(loaded.manifest.artifact);
  let bytes = 0;
  for (const { file } of files) {
    const facts = file.path === undefined ? null : await stat(join(loaded.dir, file.path)).catch(() => null);
    if (facts === null) return null;
    bytes += facts.size;
  }
  return bytes;
}
