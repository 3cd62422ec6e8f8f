import { Failure, request } from "./api.js";
import { readHeads, readNotes, readOutcome, readReasons, readTiming } from "./answers.js";
import { money } from "./format.js";
import { readFields } from "./schema-fields.js";

/**
 * What the page knows about a model, read from /models and /models/{id}.
 * @typedef {{ verdict: string, why: string, fits: boolean }} Verdict `fits`: whether it is about the weights that are
 *   served
 * @typedef {{
 *   model: string, circuit: string, timeoutMs: number, concurrency: number,
 *   backends?: { name: string, model: string, circuit: { state: string }, missing: string | null }[],
 * }} Remote `backends`: of a fallback, in the order in which they are tried
 * @typedef {{ model: string, answers: Record<string, string> }} Pair
 * @typedef {{ maxBytes: number, maxRows: number, keepHours: number }} Jobs what a file may be that is answered in the
 *   background
 * @typedef {{ batch: number, tokenBudget: number | null, rowsPerSecond: number, chosen: boolean }} SweepPoint
 * @typedef {{
 *   provider: string, threads: number | null, engine: string, engineReason: string, batching: string,
 *   batchingReason: string, runtime: string, bytes: number | null, loadMs: number | null, warmUpMs: number | null,
 *   sweep: SweepPoint[], cost: string,
 * }} Runs `cost`: of 1,000 answers, "" where no price is known
 * @typedef {{
 *   id: string, version: string, task: string, description: string, license: string, sha256: string,
 *   ready: boolean, error: string, fields: import("./schema-fields.js").Field[], examples: Record<string, unknown>[],
 *   heads: import("./answers.js").Head[], verdict: Verdict | null, runs: Runs, prices: any, backend: string,
 *   missing: string, remote: Remote | null, pair: Pair | null, predictPath: string, maxRows: number | undefined,
 *   composition: import("./composition-graph.js").Shown | null,
 *   jobs: Jobs | null,
 *   predictMany: (rows: readonly Record<string, unknown>[], signal: AbortSignal) =>
 *     Promise<import("./answers.js").RowOutcome[]>,
 * }} Model
 * @typedef {{
 *   id: string, title: string, from: string, missing: string, remote: Remote | null, prices: any,
 *   inputs: Record<string, string>,
 *   predict: (row: Record<string, unknown>, signal: AbortSignal, onPiece: (text: string) => void) =>
 *     Promise<import("./answers.js").Prediction>,
 * }} Backend what can answer for a model
 *   `missing`: what has to be set before it can be asked, "" for nothing.
 *   `inputs`: those that come from the first backend's answer, as HEAD.PART.
 */

/**
 * @param {any} listed the model's entry of /models
 * @param {any} card /models/{id}, null when it could not be read
 * @returns {Model}
 */
export function readModel(listed, card) {
  const id = String(listed.id);
  const facts = { ...listed, ...card };
  const heads = (facts.heads ?? []).map(readHead);
  const path = `models/${encodeURIComponent(id)}/predict`;
  return {
    id,
    version: text(facts.version),
    task: text(facts.task),
    description: text(facts.description),
    license: text(facts.license),
    sha256: text(facts.artifact?.sha256),
    // A model that lacks a setting has its tab too, which says what to set.
    ready: facts.state === "ready" || facts.state === "not-configured",
    missing: facts.state === "not-configured" ? whatToSet(facts.error) : "",
    error: facts.state === "not-configured" ? "" : diagnostic(facts.error ?? facts.reload?.diagnostic),
    fields: readFields(facts.input?.schema),
    examples: facts.input?.examples ?? [],
    heads,
    verdict: readVerdict(facts.gate, text(facts.artifact?.sha256)),
    remote: facts.remote === undefined ? null : { ...facts.remote, circuit: text(facts.remote.circuit?.state) },
    pair: facts.pair === undefined ? null : { model: text(facts.pair.model), answers: facts.pair.answers ?? {} },
    composition: facts.composition ?? null,
    runs: readRuns(facts),
    prices: facts.prices ?? facts.remote?.prices ?? null,
    backend: text(facts.backend) || "local",
    predictPath: path,
    maxRows: facts.limits?.maxRows,
    jobs: facts.jobs ?? null,
    async predictMany(rows, signal) {
      const { data } = await request(`${path}/batch`, { body: { rows }, signal, timeoutMs: 60_000 });
      const results = data.predictions;
      if (!Array.isArray(results) || results.length !== rows.length)
        throw new Error(`The server answered ${results?.length ?? "no"} rows for ${rows.length}.`);
      return results.map((one) => readOutcome(one, heads));
    },
  };
}

/** @returns {Promise<Model[]>} every model of the server, in its order */
export async function loadModels() {
  const { data } = await request("models");
  return Promise.all(data.models.map(async (/** @type {any} */ listed) => readModel(listed, await card(listed.id))));
}

/** @param {string} id @returns {Promise<unknown>} null when there is nothing beyond the list's entry */
async function card(id) {
  try {
    return (await request(`models/${encodeURIComponent(id)}`)).data;
  } catch (error) {
    if (error instanceof Failure && error.kind === "problem") return null;
    throw error;
  }
}

/**
 * The backends of a model: the model itself, and every remote model that names it as its pair.
 * @param {Model} model
 * @param {readonly Model[]} models
 * @returns {Backend[]}
 */
export function backendsOf(model, models) {
  const remotes = models.filter((other) => other !== model && other.ready && other.pair?.model === model.id);
  return [
    backendOf(model, remotes.length === 0 ? "Answer" : "Local"),
    ...remotes.map((remote) => backendOf(remote, "Remote", remote.pair?.answers)),
  ];
}

/**
 * @param {Model} model
 * @param {string} title
 * @param {Record<string, string>} [taken] input → HEAD.PART of the first one's answer
 * @returns {Backend}
 */
function backendOf(model, title, taken = {}) {
  const written = model.heads.some(({ kind }) => kind === "text");
  return {
    id: model.id,
    title,
    from: `${model.id} v${model.version}`,
    missing: model.missing,
    remote: model.remote,
    prices: model.prices,
    inputs: taken,
    async predict(row, signal, pieces) {
      const { data, totalMs } = await request(model.predictPath, {
        body: row,
        signal,
        ...(written ? { pieces, timeoutMs: 120_000 } : {}),
      });
      return {
        heads: readHeads(data, model.heads),
        notes: readNotes(data),
        reasons: readReasons(data),
        timing: readTiming(data, totalMs),
        from: `${text(data.model)} v${text(data.version)}`,
        raw: data,
        row,
      };
    },
  };
}

/** @param {any} head @returns {import("./answers.js").Head} */
function readHead(head) {
  const name = text(head.name);
  switch (head.kind) {
    case "classification":
      return {
        name,
        kind: "classification",
        labels: (head.labels ?? []).map(String),
        positive: head.positive === undefined ? null : String(head.positive),
      };
    case "ranking":
    case "text":
      return { name, kind: head.kind };
    case "series":
      return {
        name,
        kind: "series",
        unit: text(head.unit),
        history: text(head.history),
        observed: text(head.flag?.observed),
      };
    case "spans":
      return { name, kind: "spans", types: (head.types ?? []).map(String), field: text(head.field) };
    default:
      return { name, kind: "regression", unit: text(head.unit) };
  }
}

/**
 * @param {any} gate the receipt beside the weights
 * @param {string} sha256 of the weights that are served
 * @returns {Verdict | null}
 */
function readVerdict(gate, sha256) {
  const verdict = gate?.verdict;
  return typeof verdict === "string" ? { verdict, why: text(gate.reason), fits: gate.model?.sha256 === sha256 } : null;
}

/** @param {any} facts @returns {Runs} */
function readRuns({ engine = {}, batching = {}, loaded = {}, artifact = {}, cost }) {
  const places = { main: "main thread", worker: "worker thread", process: "own process" };
  const where = places[/** @type {keyof typeof places} */ (engine.kind)] ?? text(engine.kind);
  return {
    provider: text(engine.provider).toUpperCase(),
    threads: engine.threads ?? null,
    engine: [where, engine.slots > 1 ? `× ${engine.slots}` : ""].filter(Boolean).join(" "),
    engineReason: text(engine.reason),
    batching:
      batching.maxBatch === undefined
        ? ""
        : `${batching.maxBatch === 1 ? "rows run alone" : `up to ${batching.maxBatch} rows per run`}${batching.maxDelayUs > 0 ? `, at most ${batching.maxDelayUs} µs wait` : ""}`,
    batchingReason: text(batching.reason),
    runtime: text(engine.onnxruntime),
    bytes: artifact.bytes ?? null,
    loadMs: loaded.openMs ?? null,
    warmUpMs: loaded.warmUpMs ?? null,
    cost: cost === undefined ? "" : `${money(cost.per1000.alwaysBusy, text(cost.currency))}, always busy`,
    sweep: (batching.sweep ?? []).map((/** @type {any} */ point) => ({
      batch: point.batch,
      tokenBudget: point.tokenBudget ?? null,
      rowsPerSecond: point.rowsPerSecond,
      chosen: point.batch === batching.maxBatch && (point.tokenBudget ?? null) === (batching.tokenBudget ?? null),
    })),
  };
}

/** @param {any} problem of a model that lacks a setting @returns {string} what to do about it */
function whatToSet(problem) {
  return [`It needs ${text(problem?.expected) || "a setting that the server lacks"}.`, text(problem?.hint)]
    .filter(Boolean)
    .map((line) => `${line[0]?.toUpperCase()}${line.slice(1)}`)
    .join("\n");
}

/** @param {any} problem @returns {string} a problem that the server reports, as text */
function diagnostic(problem) {
  if (problem === undefined || problem === null) return "";
  if (typeof problem === "string") return problem;
  return [
    problem.place,
    problem.problem ?? problem.detail ?? problem.title,
    problem.expected && `expected: ${problem.expected}`,
    problem.received && `received: ${problem.received}`,
    problem.hint,
  ]
    .filter(Boolean)
    .join("\n");
}

/** @param {unknown} value */
function text(value) {
  return value === undefined || value === null ? "" : String(value);
}
