import { collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { latencyBucketsSeconds } from "../../../models/core/manifest/slo.ts";
import type { RemoteModelEvents } from "../serving/remote-model.ts";
import type { Registry as Models, Slot } from "../serving/registry.ts";
import type { RowOutcome, ServedModel } from "../serving/served-model.ts";
import type { SchedulerEvents } from "../scheduling/scheduler.ts";
import { profileSeries } from "./profile-series.ts";
import { countSeries, histogramSeries, quantileSeries } from "./series.ts";

const SECONDS = [...latencyBucketsSeconds];
const SHORT_SECONDS = [0.00005, 0.0001, 0.00025, 0.0005, ...SECONDS.slice(1)];
const SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

export type Metrics = {
  registry: Registry;
  request(facts: {
    route: string;
    method: string;
    status: number;
    model: string | null;
    seconds: number;
    requestBytes: number;
    responseBytes: number;
  }): void;
  began(): void;
  ended(): void;
  rejected(model: string, reason: string): void;
  outcome(model: string, outcome: RowOutcome): void;
  cache(model: string, hit: boolean): void;
  /** One label or event, by what became of it. */
  feedback(model: string, result: string): void;
  /** Events of a model's scheduler. */
  scheduler(model: () => string): SchedulerEvents;
  /** Events of a remote model. */
  remote(model: string): Omit<RemoteModelEvents, "circuit">;
  loaded(slot: Slot, model: ServedModel): void;
  reloaded(model: string, ok: boolean): void;
};

/**
 * Every series of /metrics. Names and units are those that users of Prometheus, Triton and KServe expect: seconds,
 * bytes, totals.
 */
export function createMetrics(
  models: () => Models | null,
  cacheState: () => { entries: number; bytes: number },
): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 10 });
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    countSeries(registry, { name, help, labelNames });
  const histogram = <L extends string>(name: string, help: string, labelNames: L[], buckets: number[]) =>
    histogramSeries(registry, { name, help, labelNames }, buckets);
  const gauge = <L extends string>(name: string, help: string, labelNames: L[], collect?: (this: Gauge<L>) => void) =>
    new Gauge({ name, help, labelNames, registers, ...(collect === undefined ? {} : { collect }) });

  const http = histogram(
    "http_request_duration_seconds",
    "Time from a request's first byte to its answer",
    ["method", "route", "status"],
    SECONDS,
  );
  const requestBytes = counter("http_request_body_bytes_total", "Bytes of request bodies", ["route"]);
  const responseBytes = counter("http_response_body_bytes_total", "Bytes of answers", ["route"]);
  let inFlight = 0;
  gauge("http_requests_in_flight", "Requests that are being answered", [], function collect() {
    this.set(inFlight);
  });
  const requests = counter("inference_requests_total", "Requests for predictions", ["model", "status"]);
  const request = histogram(
    "inference_request_duration_seconds",
    "Whole time of a request for predictions",
    ["model"],
    SECONDS,
  );
  const queue = histogram(
    "inference_queue_duration_seconds",
    "Time that rows waited before their run",
    ["model"],
    SHORT_SECONDS,
  );
  const inference = histogram(
    "inference_duration_seconds",
    "Time inside the graph, per group of rows",
    ["model"],
    SHORT_SECONDS,
  );
  const preprocessing = histogram(
    "preprocessing_duration_seconds",
    "Time around the graph (preprocessing and heads), per group of rows",
    ["model"],
    SHORT_SECONDS,
  );
  const stepTime = histogram(
    "composition_step_duration_seconds",
    "Time in a step of a composition, per group of rows",
    ["model", "step"],
    SHORT_SECONDS,
  );
  const stepRows = counter("composition_step_rows_total", "Rows that came to a step of a composition", [
    "model",
    "step",
  ]);
  const stepErrors = counter("composition_step_errors_total", "Rows without an answer because of a step", [
    "model",
    "step",
  ]);
  const backendRequests = counter(
    "fallback_backend_requests_total",
    "Calls of a fallback's backends, by result; of `success` and `partial` it was the answering one",
    ["model", "backend", "result"],
  );
  const backendTime = histogram(
    "fallback_backend_duration_seconds",
    "Time from asking a backend of a fallback to its end",
    ["model", "backend"],
    SECONDS,
  );
  const batchSize = histogram("inference_batch_size", "Rows of a group that ran together", ["model"], SIZES);
  const runs = counter("inference_runs_total", "Runs of the graph", ["model"]);
  const rows = counter("inference_rows_total", "Rows that were run", ["model"]);
  const tokens = counter(
    "inference_tokens_total",
    "Tokens that were run, padding included; rows for models without texts",
    ["model"],
  );
  const predictions = counter("predictions_total", "Answers by label of each classification head", [
    "model",
    "head",
    "label",
  ]);
  const ruleFires = counter("rule_fires_total", "Answers for which a rule beside the model fired", ["model", "rule"]);
  const score = histogram(
    "prediction_score",
    "Score of each classification head",
    ["model", "head"],
    Array.from({ length: 20 }, (_, i) => (i + 1) / 20),
  );
  const value = quantileSeries(
    registry,
    {
      name: "prediction_value",
      help: "Value of each regression head; quantiles of a sample over the last ten minutes",
      labelNames: ["model", "head"],
    },
    [0.05, 0.25, 0.5, 0.75, 0.95],
    60_000,
  );
  const rowErrors = counter(
    "inference_row_errors_total",
    "Rows without an answer: refused by preprocessing, or no usable answer of the model",
    ["model", "reason"],
  );
  const generated = counter("inference_generated_tokens_total", "Tokens that decode loops made, ends included", [
    "model",
  ]);
  const firstToken = histogram(
    "inference_first_token_duration_seconds",
    "Time from the start of a decode loop to its first token",
    ["model"],
    SECONDS,
  );
  const lookups = counter(
    "feature_lookups_missing_total",
    "Answered rows whose look-up had no value, by step and reason: unknown (no features of the key), stale, null",
    ["model", "step", "reason"],
  );
  const observed = counter(
    "profile_rows_observed_total",
    "Answered rows whose features were counted on the cells of the profile",
    ["model"],
  );
  const feedback = counter(
    "prediction_feedback_total",
    "Labels and business events by what became of them: recorded, repeated, conflict, unknown, invalid",
    ["model", "result"],
  );
  const rejected = counter("inference_requests_rejected_total", "Requests that were not served, by reason", [
    "model",
    "reason",
  ]);
  const cache = counter("response_cache_requests_total", "Requests that the response cache answered or did not", [
    "model",
    "result",
  ]);
  gauge("response_cache_entries", "Answers in the response cache", [], function collect() {
    this.set(cacheState().entries);
  });
  gauge("response_cache_bytes", "Bytes of the response cache", [], function collect() {
    this.set(cacheState().bytes);
  });
  const loadSeconds = gauge("model_load_duration_seconds", "Time to fetch, verify and open the model", ["model"]);
  const warmSeconds = gauge("model_warm_up_duration_seconds", "Time of the warm-up runs", ["model"]);
  const sweepSeconds = gauge("model_batch_sweep_duration_seconds", "Time of the measurement of batches", ["model"]);
  const sweep = gauge("model_batch_sweep_rows_per_second", "Rows per second that the warm-up measured", [
    "model",
    "batch",
    "token_budget",
  ]);
  const maxBatch = gauge("model_max_batch_size", "Most rows that run together", ["model"]);
  const maxDelay = gauge("model_max_batch_delay_seconds", "Longest wait of two or more rows for others", ["model"]);
  const bytes = gauge("model_size_bytes", "Size of the model's files", ["model"]);
  type Labels = Record<string, string | number>;
  const shown = new Map<object, Map<string, Labels[]>>();
  /** Sets a model's series. Those of its earlier version would join with them, and so end. */
  const replaceSeries = <L extends string>(
    of: Gauge<L>,
    model: string,
    series: readonly (readonly [Record<L, string | number>, number])[],
  ) => {
    const known = shown.get(of) ?? new Map<string, Labels[]>();
    for (const labels of known.get(model) ?? []) of.remove(labels as Record<L, string | number>);
    for (const [labels, value] of series) of.set(labels, value);
    shown.set(
      of,
      known.set(
        model,
        series.map(([labels]) => labels),
      ),
    );
  };
  const info = gauge("model_info", "1; the labels tell which model answers", [
    "model",
    "version",
    "sha256",
    "provider",
    "engine",
  ]);
  const reloads = counter("model_reloads_total", "Attempts to replace a model while it serves", ["model", "result"]);
  const each = (set: (slot: Slot) => void) => {
    for (const slot of models()?.slots() ?? []) set(slot);
  };
  gauge("model_ready", "1 when the model answers", ["model"], function collect() {
    each((slot) =>
      this.set(
        { model: slot.id },
        slot.state.kind === "ready" && slot.state.model.condition().state === "ready" ? 1 : 0,
      ),
    );
  });
  const ofReady = (name: string, help: string, read: (load: ReturnType<ServedModel["load"]>) => number) =>
    gauge(name, help, ["model"], function collect() {
      each((slot) => {
        if (slot.state.kind === "ready") this.set({ model: slot.id }, read(slot.state.model.load()));
      });
    });
  ofReady("inference_queue_rows", "Rows that wait", (load) => load.queuedRows);
  ofReady("inference_runs_in_flight", "Groups of rows that are being run", (load) => load.runningGroups);
  ofReady(
    "inference_estimated_wait_seconds",
    "What a request that comes now would wait",
    (load) => load.estimatedWaitMs / 1000,
  );

  const remoteRequests = counter("remote_requests_total", "Rows that a remote model was asked, by what came of them", [
    "model",
    "result",
  ]);
  const remoteRetries = counter("remote_retries_total", "Calls of a remote model that were repeated", ["model"]);
  const remoteTokens = counter(
    "remote_tokens_total",
    "Tokens that a remote model read (input) and wrote (output), as its provider counts",
    ["model", "direction"],
  );
  const remoteFirst = histogram(
    "remote_first_token_duration_seconds",
    "Time from asking a remote model to its first token",
    ["model"],
    SECONDS,
  );
  gauge(
    "remote_circuit_state",
    "1 for the state in which the circuit breaker of a remote model is",
    ["model", "state"],
    function collect() {
      each((slot) => {
        if (slot.state.kind !== "ready") return;
        const { remote } = slot.state.model.card() as { remote?: { circuit: { state: string } } };
        if (remote !== undefined)
          for (const state of ["closed", "half-open", "open"])
            this.set({ model: slot.id, state }, remote.circuit.state === state ? 1 : 0);
      });
    },
  );

  profileSeries(registry, () =>
    (models()?.slots() ?? []).flatMap(({ id, state }) =>
      state.kind === "ready" && state.model.watch !== null ? [{ model: id, watch: state.model.watch }] : [],
    ),
  );

  return {
    registry,
    began: () => {
      inFlight++;
    },
    ended: () => {
      inFlight--;
    },
    request(facts) {
      http.observe({ method: facts.method, route: facts.route, status: facts.status }, facts.seconds);
      if (facts.requestBytes > 0) requestBytes.inc({ route: facts.route }, facts.requestBytes);
      if (facts.responseBytes > 0) responseBytes.inc({ route: facts.route }, facts.responseBytes);
      if (facts.model === null) return;
      requests.inc({ model: facts.model, status: facts.status });
      request.observe({ model: facts.model }, facts.seconds);
    },
    rejected: (model, reason) => rejected.inc({ model, reason }),
    outcome(model, outcome) {
      if (!outcome.ok) return rowErrors.inc({ model, reason: outcome.diagnostic.code });
      for (const { field, lookup } of outcome.notes ?? [])
        if (lookup !== undefined) lookups.inc({ model, step: field, reason: lookup });
      if (outcome.rules !== undefined) for (const { rule } of outcome.rules.fired) ruleFires.inc({ model, rule });
      if (outcome.seen !== undefined) observed.inc({ model });
      for (const head in outcome.heads) {
        const result = outcome.heads[head]!;
        if (result.kind === "classification") {
          predictions.inc({ model, head, label: result.label });
          score.observe({ model, head }, result.score);
        } else if (result.kind === "regression") value.observe({ model, head }, result.value);
      }
    },
    feedback: (model, result) => feedback.inc({ model, result }),
    cache: (model, hit) => cache.inc({ model, result: hit ? "hit" : "miss" }),
    scheduler: (model) => ({
      waited: (queueMs) => queue.observe({ model: model() }, queueMs / 1000),
      ran(run) {
        const labels = { model: model() };
        inference.observe(labels, run.inferenceMs / 1000);
        preprocessing.observe(labels, Math.max(0, run.totalMs - run.inferenceMs) / 1000);
        batchSize.observe(labels, run.rows);
        runs.inc(labels, run.runs);
        rows.inc(labels, run.rows);
        tokens.inc(labels, run.tokens);
        for (const { step, rows: taken, failed, ms } of run.steps ?? []) {
          const of = { ...labels, step };
          stepTime.observe(of, ms / 1000);
          stepRows.inc(of, taken);
          stepErrors.inc(of, failed);
        }
        if (run.generated === undefined) return;
        generated.inc(labels, run.generated.tokens);
        firstToken.observe(labels, run.generated.firstTokenMs / 1000);
      },
    }),
    remote: (model) => ({
      waited: (queueMs) => queue.observe({ model }, queueMs / 1000),
      answered(row) {
        remoteRequests.inc({ model, result: row.result });
        inference.observe({ model }, row.inferenceMs / 1000);
        rows.inc({ model });
        if (row.firstTokenMs !== null) remoteFirst.observe({ model }, row.firstTokenMs / 1000);
        remoteTokens.inc({ model, direction: "input" }, row.inputTokens);
        remoteTokens.inc({ model, direction: "output" }, row.outputTokens);
      },
      retried: () => remoteRetries.inc({ model }),
      attempted({ backend, result, ms }) {
        backendRequests.inc({ model, backend, result });
        backendTime.observe({ model, backend }, ms / 1000);
      },
    }),
    loaded(slot, model) {
      const card = model.card() as {
        artifact?: { sha256: string; bytes: number };
        engine?: { provider: string; kind: string };
        loaded?: { openMs: number; warmUpMs: number; sweepMs: number };
        batching?: {
          maxBatch: number;
          maxDelayUs: number;
          sweep: { batch: number; tokenBudget: number | null; rowsPerSecond: number }[];
        };
      };
      const labels = { model: model.id };
      // A series that is born with its first error hides that error from rate().
      for (const status of [200, 500, 503]) requests.inc({ ...labels, status }, 0);
      replaceSeries(info, model.id, [
        [
          {
            ...labels,
            version: model.version,
            sha256: card.artifact?.sha256 ?? "",
            provider: card.engine?.provider ?? "remote",
            engine: card.engine?.kind ?? "remote",
          },
          1,
        ],
      ]);
      if (card.artifact !== undefined) bytes.set(labels, card.artifact.bytes);
      if (card.loaded !== undefined) {
        loadSeconds.set(labels, card.loaded.openMs / 1000);
        warmSeconds.set(labels, card.loaded.warmUpMs / 1000);
        sweepSeconds.set(labels, card.loaded.sweepMs / 1000);
      }
      if (card.batching !== undefined) {
        maxBatch.set(labels, card.batching.maxBatch);
        maxDelay.set(labels, card.batching.maxDelayUs / 1e6);
        replaceSeries(
          sweep,
          model.id,
          card.batching.sweep.map(({ batch, tokenBudget, rowsPerSecond }) => [
            { ...labels, batch, token_budget: tokenBudget ?? "none" },
            rowsPerSecond,
          ]),
        );
      }
    },
    reloaded: (model, ok) => reloads.inc({ model, result: ok ? "success" : "failure" }),
  };
}
