import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import pino, { type Logger } from "pino";
import packageFile from "../../package.json" with { type: "json" };
import { isRemote, loadModelFile, MANIFEST_FILE } from "../../models/core/predictor/load.ts";
import { treeDigest } from "../../models/core/tree-digest.ts";
import { createApp } from "./app.ts";
import type { Serving } from "./http/context.ts";
import { readKeys } from "./http/keys.ts";
import { fingerprint, watchModels } from "./lifecycle/watch-models.ts";
import { jobSeries } from "./metrics/job-series.ts";
import { createMetrics } from "./metrics/metrics.ts";
import { serverJobs } from "./http/server-jobs.ts";
import { createResponseCache } from "./http/response-cache.ts";
import { openRollout } from "./rollout/open-rollout.ts";
import { loadLocalModel } from "./serving/local-model.ts";
import { openLocalTexts } from "./serving/local-texts.ts";
import { createRegistry, type Registry } from "./serving/registry.ts";
import type { Settings } from "./settings/settings.ts";

export type Deps = { env: Readonly<Record<string, string | undefined>>; fetch: typeof fetch; log?: Logger };

export type Server = {
  app: FastifyInstance;
  registry: Registry;
  /** http://HOST:PORT, once listening. */
  address: string;
  /** Resolves when every model is ready or known to be broken. */
  loaded: Promise<void>;
  reloadAll(): Promise<void>;
  /**
   * First says that it is going: not ready, and every answer closes its connection, while requests are still taken.
   * Clients that keep connections open learn of it before the port closes, so none of their requests meets a closed
   * connection. Then stops accepting requests, answers those in flight within the deadline, and frees the models.
   *
   * @param lameDuckMs how long requests are still taken; less if no connection is open
   * @returns false when the deadline passed first.
   */
  drain(deadlineMs: number, lameDuckMs?: number): Promise<boolean>;
};

/** Before the models are read: whether a manifest seems to cut sound. A word too much costs a few milliseconds. */
function mayCutSound(dir: string): boolean {
  try {
    return /(^|[{,\s"'])segment["']?\s*:/m.test(readFileSync(join(dir, MANIFEST_FILE), "utf8"));
  } catch {
    return false;
  }
}

/**
 * Listens at once, because liveness must not wait for models, then loads the models one after the other.
 *
 * @param dirs folders of model.yaml, the default model first unless the settings name it.
 * @throws ConfigurationError for a bad file of API keys; the system's error when the port cannot be opened.
 */
export async function startServer(dirs: readonly string[], settings: Settings, deps: Deps): Promise<Server> {
  const destination = pino.destination({ dest: 1, sync: false, minLength: 0 });
  const log =
    deps.log ??
    pino(
      {
        level: settings.logLevel,
        base: null,
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (level) => ({ level }) },
      },
      destination,
    );
  const cache = createResponseCache(settings.cacheBytes);
  let registry: Registry | null = null;
  const metrics = createMetrics(
    () => registry,
    () => cache.state(),
  );
  const modelDeps = { env: deps.env, fetch: deps.fetch };
  registry = createRegistry(
    dirs,
    settings.defaultModel,
    async (dir) => {
      let id = dir;
      const found = await loadModelFile(dir);
      id = found.manifest.id;
      if (!isRemote(found))
        return loadLocalModel(
          found,
          settings,
          metrics.scheduler(() => id),
          modelDeps,
        );
      // Loaded only by servers with a remote model.
      const { loadRemoteModel } = await import("./serving/remote-model.ts");
      const local = await openLocalTexts(found, settings, modelDeps);
      return loadRemoteModel(
        found,
        {
          ...metrics.remote(id),
          retried(failure, attempt, delayMs) {
            metrics.remote(id).retried(failure, attempt, delayMs);
            log.warn(
              { model: id, attempt, delayMs: Math.round(delayMs), status: failure.status, reason: failure.message },
              "remote call failed; trying again",
            );
          },
          circuit: (state, backend) =>
            log.warn({ model: id, circuit: state, ...(backend === undefined ? {} : { backend }) }, "circuit breaker"),
        },
        { ...modelDeps, local: local.models, close: local.close },
      ).catch(async (error: unknown) => {
        await local.close();
        throw error;
      });
    },
    fingerprint,
    {
      loaded(slot, model) {
        metrics.loaded(slot, model);
        const { state, diagnostic } = model.condition();
        if (diagnostic === null)
          log.info({ model: model.id, version: model.version, card: summary(model.card()) }, "model ready");
        else log.warn({ model: model.id, version: model.version, state, diagnostic }, "model not configured");
      },
      failed(slot, diagnostic) {
        if (slot.state.kind === "ready") metrics.reloaded(slot.id, false);
        log.error(
          { model: slot.id, diagnostic },
          slot.state.kind === "ready" ? "model reload failed; the version before it still answers" : "model broken",
        );
      },
      replaced(slot, from, to) {
        metrics.reloaded(slot.id, true);
        metrics.loaded(slot, to);
        log.info({ model: slot.id, from: from.version, to: to.version }, "model reloaded");
      },
    },
  );
  const rollout =
    settings.rolloutFile === undefined
      ? null
      : openRollout(settings.rolloutFile, settings, {
          ...modelDeps,
          log,
          registry,
          events: { ran() {}, waited() {} },
        });
  const serving: Serving = {
    settings,
    registry,
    metrics,
    log,
    cache,
    keys: settings.keysFile === undefined ? null : readKeys(settings.keysFile),
    jobs: null,
    lifecycle: { draining: false, held: null },
    deployment: settings.deploymentFile === undefined ? null : readDeployment(settings.deploymentFile),
    rollout,
    version: packageFile.version,
  };
  if (settings.jobs) {
    const jobs = serverJobs(serving, deps.env);
    serving.jobs = jobs;
    jobSeries(metrics.registry, jobs.figures, Date.now);
  }
  const app = await createApp(serving, { streams: dirs.some(mayCutSound) });
  const address = await app.listen({ host: settings.host, port: settings.port });
  log.info({ address }, "listening");
  const stopWatching: { stop: () => void } = { stop: () => {} };
  const load = async () => {
    await registry.loadAll();
    log.info({ ready: registry.ready() }, "models loaded");
    serving.jobs?.wake();
    // Off the path: the server answers meanwhile, and `loaded` does not wait for it.
    if (!serving.lifecycle.draining) void rollout?.load();
    if (settings.watch && !serving.lifecycle.draining) stopWatching.stop = watchModels(registry);
  };
  const loaded = load();
  let drained: Promise<boolean> | null = null;

  return {
    app,
    registry,
    address,
    loaded,
    async reloadAll() {
      await loaded;
      for (const slot of registry.slots()) await registry.reload(slot);
    },
    drain(deadlineMs, lameDuckMs = 0) {
      drained ??= (async () => {
        serving.lifecycle.draining = true;
        stopWatching.stop();
        // Jobs go back to the queue now, not when requests have ended: they may go on elsewhere at once.
        const jobsClosed = serving.jobs?.close();
        log.info({ lameDuckMs, deadlineMs }, "draining");
        await untilNobodyIsConnected(app, lameDuckMs);
        // A connection that was accepted a moment ago counts as idle until its first request arrives. Closing it would
        // reset that request, so idle connections are closed only after a while, and not when the port closes.
        const closeIdleConnections = app.server.closeIdleConnections.bind(app.server);
        app.server.closeIdleConnections = () => {};
        // The system resets connections that nobody has accepted yet when the port closes. Whoever gets an answer opens
        // the next one at once, so answers are held back until no connection arrives any more.
        const { promise: held, resolve: release } = Promise.withResolvers<void>();
        serving.lifecycle.held = held;
        await untilNobodyConnects(app);
        const closedAt = performance.now();
        // Closes the listening socket; connections with a request in flight are answered first.
        const finish = async () => {
          await app.close();
          await jobsClosed;
          await rollout?.close();
          await registry.close();
          return true;
        };
        const finished = finish();
        serving.lifecycle.held = null;
        release();
        const late = new Promise<false>((resolve) => {
          setTimeout(() => resolve(false), deadlineMs).unref();
        });
        // A connection that was being answered when the socket closed would otherwise stay open, idle.
        const sweeping = setInterval(() => {
          if (performance.now() - closedAt >= firstRequestMs) closeIdleConnections();
        }, 50);
        const inTime = await Promise.race([finished, late]);
        clearInterval(sweeping);
        if (!inTime) {
          app.server.closeAllConnections();
          // Lets the requests that were cut off be logged before the last line.
          await new Promise((resolve) => {
            setImmediate(resolve);
          });
        }
        // Log lines on their way to a pipe would be lost with the process, so they are waited for, but not for a reader
        // that has stopped reading. `flush()` returns at once on a destination that writes immediately, so the write's
        // own event is awaited.
        const written =
          deps.log === undefined && log.isLevelEnabled("info")
            ? new Promise<void>((resolve) => {
                destination.once("drain", resolve);
                setTimeout(resolve, 2000).unref();
              })
            : Promise.resolve();
        log.info({ inTime }, "drained");
        await written;
        return inTime;
      })();
      return drained;
    },
  };
}

const quietMs = 20;
const quietAtMostMs = 500;

/** Waits until no connection has arrived for a moment, but not for long. */
async function untilNobodyConnects(app: FastifyInstance): Promise<void> {
  const beganAt = performance.now();
  let latestAt = beganAt;
  const arrived = () => {
    latestAt = performance.now();
  };
  app.server.on("connection", arrived);
  while (performance.now() - latestAt < quietMs && performance.now() - beganAt < quietAtMostMs)
    await new Promise((resolve) => {
      setTimeout(resolve, quietMs / 2);
    });
  app.server.off("connection", arrived);
}

/** How long a connection that was accepted last may take to send its request. */
const firstRequestMs = 250;

/** Waits until no connection is open, at most so long. */
async function untilNobodyIsConnected(app: FastifyInstance, atMostMs: number): Promise<void> {
  const connections = () =>
    new Promise<number>((resolve) => {
      app.server.getConnections((error, count) => resolve(error === null ? count : 0));
    });
  for (const end = performance.now() + atMostMs; performance.now() < end && (await connections()) > 0;)
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
}

function summary(card: Record<string, unknown>): object {
  const { engine, batching, loaded } = card as {
    engine?: { kind: string; reason: string };
    batching?: { maxBatch: number; reason: string };
    loaded?: object;
  };
  return {
    engine: engine?.kind,
    reason: engine?.reason,
    maxBatch: batching?.maxBatch,
    batching: batching?.reason,
    loaded,
  };
}

function readDeployment(file: string): NonNullable<Serving["deployment"]> {
  const bytes = readFileSync(file);
  return { content: JSON.parse(bytes.toString("utf8")) as unknown, tree: treeDigest(bytes) };
}
