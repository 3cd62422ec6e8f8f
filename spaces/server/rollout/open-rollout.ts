import { readFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Logger } from "pino";
import { parseYaml } from "../../../models/core/manifest/config-file.ts";
import type { ArtifactDeps } from "../../../models/core/artifact/artifact.ts";
import { isRemote, loadModelFile, type LoadedManifest } from "../../../models/core/predictor/load.ts";
import { CANDIDATE_DIR, rolloutPlan, type RolloutPlan } from "../../../models/core/rollout/plan.ts";
import type { SchedulerEvents } from "../scheduling/scheduler.ts";
import { loadLocalModel } from "../serving/local-model.ts";
import type { Registry } from "../serving/registry.ts";
import type { ServedModel } from "../serving/served-model.ts";
import type { Settings } from "../settings/settings.ts";
import { machineBytes, whyNoRoom } from "./memory.ts";
import { createRollout, NotLoaded, type Rollout } from "./rollout.ts";

type OpenDeps = ArtifactDeps & { log: Logger; registry: Registry; events: SchedulerEvents };

/**
 * The roll-out that a file describes; the candidate's folder lies beside it.
 *
 * @throws ConfigurationError where the file is not one
 */
export function openRollout(file: string, settings: Settings, deps: OpenDeps): Rollout {
  const plan = parseYaml(readFileSync(file, "utf8"), file, rolloutPlan);
  const dir = join(dirname(file), CANDIDATE_DIR, "models", plan.model);
  return createRollout(plan, {
    now: Date.now,
    random: Math.random,
    log: deps.log,
    live: () => {
      const state = deps.registry.find(plan.model)?.state;
      return state?.kind === "ready" ? state.model : null;
    },
    load: () => loadCandidate(plan, dir, settings, deps),
    capacity: settings.feedbackPredictions,
    shadowTimeoutMs: settings.requestTimeoutMs,
  });
}

/** @throws NotLoaded */
async function loadCandidate(
  plan: RolloutPlan,
  dir: string,
  settings: Settings,
  { events, ...deps }: OpenDeps,
): Promise<ServedModel> {
  const broken = (error: unknown) => new NotLoaded((error as Error).message, true);
  const found = await loadModelFile(dir).catch((error: unknown) => {
    throw broken(error);
  });
  if (isRemote(found))
    throw new NotLoaded("a model that a provider answers for cannot be rolled out beside another", false);
  const { id, version } = found.manifest;
  if (id !== plan.model || version !== plan.candidate.version)
    throw new NotLoaded(`${dir} holds ${id} ${version}, not ${plan.model} ${plan.candidate.version}`, false);
  const { memoryMb } = plan.settings;
  const bound = memoryMb === undefined ? 0.9 * machineBytes() : memoryMb * 1_048_576;
  const full = whyNoRoom(await weightBytes(found), process.memoryUsage.rss(), bound);
  if (full !== null) throw new NotLoaded(full, false);
  // A thread or a process of its own, so that neither its opening nor its runs hold up the live version.
  const own: Settings = { ...settings, engine: settings.engine === "process" ? "process" : "worker", workers: 1 };
  const opened = await loadLocalModel(found, own, events, deps).catch((error: unknown) => {
    throw broken(error);
  });
  const resident = process.memoryUsage.rss();
  if (resident <= bound) return opened;
  await opened.close();
  throw new NotLoaded(
    `with the candidate the server takes ${Math.ceil(resident / 1_048_576)} MiB, more than the bound of ${Math.ceil(bound / 1_048_576)} MiB (rollout.memoryMb)`,
    false,
  );
}

/** Weights that are fetched from the Hub are measured only once they are open. */
async function weightBytes({ manifest: { artifact }, dir }: LoadedManifest): Promise<number> {
  if (artifact.path === undefined) return 0;
  const files = [artifact.path, ...artifact.externalData.map(({ path }) => join(dirname(artifact.path!), path))];
  const sizes = await Promise.all(
    files.map(async (file) => (await stat(join(dir, file)).catch(() => null))?.size ?? 0),
  );
  return sizes.reduce((sum, one) => sum + one, 0);
}
