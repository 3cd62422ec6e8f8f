import { fieldPath } from "../../../models/core/field-path.ts";
import type { HeadResult } from "../../../models/core/postprocess/result.ts";
import { RowError, type Row } from "../../../models/core/row.ts";
import { reasonsOf } from "../../../models/core/rules/reasons.ts";
import type { RequestDeadline } from "../scheduling/scheduler.ts";
import type { Prediction, RowOutcome, ServedModel, Timing } from "../serving/served-model.ts";
import type { Turn } from "../rollout/rollout.ts";
import { requestDeadlineOf, type Exchange, type Serving } from "./context.ts";
import { withImages, type UnfetchedNote } from "./image-rows.ts";
import { inRollout } from "./in-rollout.ts";
import { logRows } from "./log-rows.ts";
import { wantsStandard } from "./negotiate.ts";
import { fieldProblem, Problem, refusalProblem, type FieldProblem } from "./problem.ts";
import { isProblemCode } from "./problem-types.ts";
import { exampleOf, rowProblems } from "./row-problems.ts";
import { countRefusal, toProblem } from "./to-problem.ts";
import { turnAfter } from "./turns-of-rows.ts";

/**
 * One row's answer as JSON text.
 *
 * @throws Problem 400, 422; 500 when the model gives no finite number; Refused; EvaluationError when it failed.
 */
export function answerOne(serving: Serving, model: ServedModel, exchange: Exchange): Promise<string> {
  return inRollout(serving, model, exchange, answerRow);
}

async function answerRow(serving: Serving, model: ServedModel, exchange: Exchange, turn: Turn | null): Promise<string> {
  const requestDeadline = requestDeadlineOf(exchange, serving.settings);
  const row = rowOf(serving, model, exchange);
  const fetched =
    model.imageFields.length === 0 ? null : await withImages([row], model, serving.settings.imageUrls, requestDeadline);
  if (fetched !== null && fetched.problems.size > 0) throw unusable(fetched.problems.get(0)!);
  const cached = serving.cache.enabled && model.cacheable;
  const key = cached ? serving.cache.key(model.digest, row) : "";
  if (cached) {
    const kept = serving.cache.get(key);
    serving.metrics.cache(model.id, kept !== undefined);
    if (kept !== undefined) {
      exchange.response.setHeader("x-cache", "hit");
      return oneAnswer(model, kept, { queueMs: 0, inferenceMs: 0 }, exchange);
    }
  }
  const { outcome, timing } = await model.predict(fetched?.rows[0] ?? row, requestDeadline);
  serving.metrics.outcome(model.id, outcome);
  const predictionId = model.watch?.record([outcome]) ?? null;
  turn?.answered(fetched?.rows[0] ?? row, outcome, timing.inferenceMs, predictionId);
  if (!outcome.ok) throw outcomeProblem(model, outcome);
  const unfetched = fetched?.notes.get(0) ?? [];
  const answerText = answerJson(model, outcome, unfetched);
  // An image that could not be fetched now may be there next time, so the answer is not cached.
  if (cached && unfetched.length === 0) serving.cache.set(key, answerText);
  return oneAnswer(model, answerText, timing, exchange, predictionId);
}

/**
 * One row's answer as server-sent events: a `token` event for each piece as it comes, then `result` with the whole
 * answer, or `error` with a problem when it fails half-way. A model that does not stream sends only the `result`.
 *
 * @throws as `answerOne`, as long as no event has been sent.
 */
export async function streamOne(
  serving: Serving,
  model: ServedModel,
  exchange: Exchange,
): Promise<AsyncIterable<string>> {
  if (model.stream === null) {
    const answer = await answerOne(serving, model, exchange);
    return (async function* whole() {
      yield event("result", answer);
    })();
  }
  const requestDeadline = requestDeadlineOf(exchange, serving.settings);
  const pieces = model.stream(rowOf(serving, model, exchange), requestDeadline);
  const first = await pieces.next();
  const last = ({ outcome, timing }: Prediction) => {
    serving.metrics.outcome(model.id, outcome);
    const predictionId = model.watch?.record([outcome]) ?? null;
    if (!outcome.ok) throw outcomeProblem(model, outcome);
    return event("result", oneAnswer(model, answerJson(model, outcome, []), timing, exchange, predictionId));
  };
  if (first.done) {
    const only = last(first.value);
    return (async function* whole() {
      yield only;
    })();
  }
  return (async function* events() {
    try {
      let step: IteratorResult<string, Prediction> = first;
      for (; !step.done; step = await pieces.next()) yield event("token", JSON.stringify({ text: step.value }));
      yield last(step.value);
    } catch (error) {
      const problem = toProblem(error, serving.log);
      countRefusal(serving.metrics, model.id, problem);
      yield event(
        "error",
        JSON.stringify({
          ...problem.body,
          instance: exchange.id,
          ...(problem.headers["retry-after"] === undefined
            ? {}
            : { retryAfter: Number(problem.headers["retry-after"]) }),
        }),
      );
    } finally {
      await pieces.return(undefined as never);
    }
  })();
}

const event = (name: string, data: string) => `event: ${name}\ndata: ${data}\n\n`;

/**
 * The body as a row that fits the model's schema.
 *
 * @throws Problem 422.
 */
function rowOf(serving: Serving, model: ServedModel, exchange: Exchange): Row {
  if (model.wellFormed?.(exchange.body) !== true) {
    const problems = rowProblems(model, exchange.body);
    if (problems.length > 0) {
      model.watch?.refused(problems[0]!.problem);
      throw unusable(problems);
    }
  }
  const row = exchange.body as Row;
  logRows(serving, exchange.id, model.id, [row]);
  return row;
}

const NONE: readonly FieldProblem[] = [];

/**
 * The answers to many rows as JSON text, in order.
 *
 * @throws as `answerOne`, except that an unusable row becomes an answer with an error.
 */
export function answerMany(serving: Serving, model: ServedModel, exchange: Exchange): Promise<string> {
  return inRollout(serving, model, exchange, answerBatch);
}

async function answerBatch(
  serving: Serving,
  model: ServedModel,
  exchange: Exchange,
  turn: Turn | null,
): Promise<string> {
  const requestDeadline = requestDeadlineOf(exchange, serving.settings);
  const rows = rowsOf(exchange.body, Math.min(serving.settings.maxRows, model.maxRows ?? Infinity));
  logRows(serving, exchange.id, model.id, rows);
  const { answers, problems, predictionId, timing } = await answerRows(serving, model, rows, requestDeadline, {
    turn,
    placeOf: (index) => `rows[${index}]`,
    write: (answerText, timing, index) =>
      ownAnswer(model, answerText, timing, exchange, `rows[${index}]`) ?? `{${answerText}}`,
  });
  if (predictionId !== null && model.response !== undefined) exchange.response.setHeader(PREDICTION_ID, predictionId);
  return `${beginning(model)}${idOf(predictionId)},"rows":${rows.length},"failed":${problems.size},"predictions":[${answers.join(",")}],"timing":${timingOf(timing, exchange)}}`;
}

/** How answers to many rows are written: the name of a row's place in problems, and an answer as JSON text. */
type RowWriter = {
  /** Of a roll-out: what these rows say of the version that answers. */
  turn?: Turn | null;
  placeOf: (index: number) => string;
  /** @throws Problem 500 */
  write: (answerText: string, timing: Timing, index: number) => string;
};

/**
 * The answers to many rows as JSON texts, in order, whoever asks. An unusable row's answer is `{"error": PROBLEM}`.
 *
 * @throws as `answerOne`, except for unusable rows.
 */
export async function answerRows(
  serving: Serving,
  model: ServedModel,
  rows: readonly Row[],
  requestDeadline: RequestDeadline,
  { turn, placeOf, write }: RowWriter,
): Promise<{ answers: string[]; problems: Map<number, Problem>; predictionId: string | null; timing: Timing }> {
  const wellFormed: Row[] = [];
  const at: number[] = [];
  const answers = new Array<string>(rows.length);
  const problems = new Map<number, Problem>();
  const notes: (readonly UnfetchedNote[])[] = [];
  const refuse = (index: number, problem: Problem) => {
    problems.set(index, problem);
    answers[index] = JSON.stringify({ error: problem.body });
  };
  for (const [index, row] of rows.entries()) {
    const found = model.wellFormed?.(row) === true ? NONE : rowProblems(model, row, placeOf(index));
    if (found.length > 0) {
      model.watch?.refused(found[0]!.problem);
      refuse(index, unusable(found));
    } else {
      wellFormed.push(row);
      at.push(index);
    }
    const others = turnAfter(index + 1, rows.length);
    if (others !== null) await others;
  }
  if (model.imageFields.length > 0) {
    const fetched = await withImages(wellFormed, model, serving.settings.imageUrls, requestDeadline);
    for (const [i, found] of fetched.problems)
      refuse(
        at[i]!,
        unusable(found.map((problem) => ({ ...problem, field: fieldPath([problem.field], placeOf(at[i]!)) }))),
      );
    const usable = fetched.rows.map((_, i) => i).filter((i) => !fetched.problems.has(i));
    notes.push(...usable.map((i) => fetched.notes.get(i) ?? []));
    wellFormed.splice(0, Infinity, ...usable.map((i) => fetched.rows[i]!));
    at.splice(0, Infinity, ...usable.map((i) => at[i]!));
  }
  const { outcomes, timing } =
    wellFormed.length === 0
      ? { outcomes: [], timing: { queueMs: 0, inferenceMs: 0 } }
      : await model.predictMany(wellFormed, requestDeadline);
  const predictionId = outcomes.length === 0 ? null : (model.watch?.record(outcomes, at, rows.length) ?? null);
  // The rows of one request are one user's: the first stands for them. The time is that of all.
  if (outcomes.length > 0)
    turn?.answered(wellFormed[0]!, outcomes[0]!, null, predictionId === null ? null : `${predictionId}:${at[0]}`);
  for (const [i, outcome] of outcomes.entries()) {
    const index = at[i]!;
    serving.metrics.outcome(model.id, outcome);
    if (!outcome.ok) refuse(index, outcomeProblem(model, outcome, placeOf(index)));
    else {
      try {
        answers[index] = write(answerJson(model, outcome, notes[i] ?? []), timing, index);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        refuse(index, error);
      }
    }
    const others = turnAfter(i + 1, outcomes.length);
    if (others !== null) await others;
  }
  return { answers, problems, predictionId, timing };
}

/**
 * The rows of `{"rows": […]}`, or of a list alone.
 *
 * @throws Problem 422 without rows, 413 with too many.
 */
function rowsOf(body: unknown, maxRows: number): Row[] {
  const rows = Array.isArray(body) ? body : (body as { rows?: unknown } | null)?.rows;
  if (!Array.isArray(rows))
    throw unusable([{ field: "rows", problem: "no list of rows", expected: '{"rows": [ROW, …]} or [ROW, …]' }]);
  if (rows.length === 0) throw unusable([{ field: "rows", problem: "no rows", expected: "at least one row" }]);
  if (rows.length > maxRows)
    throw new Problem(413, "too-many-rows", `${rows.length} rows; at most ${maxRows} are taken at once`);
  return rows as Row[];
}

const unusable = (errors: readonly FieldProblem[]) =>
  new Problem(
    422,
    "bad-row",
    errors
      .map(({ field, problem }) => (field === "" ? problem : `${field}: ${problem}`))
      .join("; ")
      .slice(0, 500),
    { errors: [...errors] },
  );

/**
 * A row without an answer as a problem: preprocessing refused it, the model's numbers for it are not finite, or the
 * server or a provider failed.
 */
export function outcomeProblem(model: ServedModel, outcome: RowOutcome & { ok: false }, at = ""): Problem {
  if (outcome.failure !== undefined) return refusalProblem(outcome.failure);
  const field = outcome.field === null ? at : at === "" ? outcome.field : `${at}.${outcome.field}`;
  // What the row cannot be is the caller's matter, what the model answers is not.
  const problem = new Problem(
    outcome.refused ? 422 : 500,
    outcome.refused ? "bad-row" : isProblemCode(outcome.diagnostic.code) ? outcome.diagnostic.code : "model-failed",
    outcome.field === null ? outcome.diagnostic.problem : `${field}: ${outcome.diagnostic.problem}`,
    {
      errors: [{ ...fieldProblem(outcome.diagnostic, field), ...exampleOf(model.example, outcome.field ?? "") }],
      step: outcome.diagnostic.step,
    },
  );
  return problem;
}

/**
 * The part of an answer that comes from the model: `heads`, `reasons` when rules fired or the model gives them, and `notes` when a placeholder
 * was used. For an image that
 * the server did not fetch, the note gives the server's reason.
 */
function answerJson(
  model: ServedModel,
  outcome: RowOutcome & { ok: true },
  unfetched: readonly UnfetchedNote[],
): string {
  const { heads, notes = [] } = outcome;
  const own = `"heads":${model.headsJson?.(heads) ?? JSON.stringify(heads)}`;
  const reasons = reasonsOf(outcome);
  const text = reasons === null ? own : `${own},"reasons":${JSON.stringify(reasons)}`;
  if (notes.length === 0) return text;
  return `${text},"notes":${JSON.stringify(notes.map((note) => ({ ...note, ...unfetched.find(({ field }) => field === note.field) })))}`;
}

function oneAnswer(
  model: ServedModel,
  answerText: string,
  timing: Timing,
  exchange: Exchange,
  predictionId: string | null = null,
): string {
  // A model's own JSON has no place for it.
  if (predictionId !== null && model.response !== undefined) setHeader(exchange, PREDICTION_ID, predictionId);
  return (
    ownAnswer(model, answerText, timing, exchange) ??
    `${beginning(model)}${idOf(predictionId)},${answerText},"timing":${timingOf(timing, exchange)}}`
  );
}

/**
 * The model's own JSON answer (`serving.response`); null if the model has none or the client asks for the standard one.
 *
 * @throws Problem 500 when an expression gives no finite number.
 */
function ownAnswer(model: ServedModel, answerText: string, timing: Timing, exchange: Exchange, at = ""): string | null {
  if (model.response === undefined) return null;
  setHeader(exchange, "vary", "Accept");
  if (wantsStandard(exchange.headers.accept)) return null;
  const { heads, ...added } = JSON.parse(`{${answerText}}`) as { heads: Record<string, HeadResult> };
  try {
    const own = model.response.write(heads, {
      queueMs: Number(rounded(timing.queueMs)),
      inferenceMs: Number(rounded(timing.inferenceMs)),
      totalMs: Number(rounded(performance.now() - exchange.startedAt)),
    });
    return JSON.stringify({ ...own, ...added });
  } catch (error) {
    if (!(error instanceof RowError)) throw error;
    throw new Problem(500, "output-not-finite", `${at === "" ? "" : `${at}: `}${error.diagnostic.problem}`);
  }
}

const PREDICTION_ID = "x-prediction-id";

/** The last event of a stream comes after the headers. */
function setHeader({ response }: Exchange, name: string, value: string): void {
  if (!response.headersSent) response.setHeader(name, value);
}

const idOf = (predictionId: string | null) => (predictionId === null ? "" : `,"predictionId":"${predictionId}"`);

const beginnings = new WeakMap<ServedModel, string>();

/** The beginning of every answer of a model. */
function beginning(model: ServedModel): string {
  let text = beginnings.get(model);
  if (text === undefined)
    beginnings.set(model, (text = `{"model":${JSON.stringify(model.id)},"version":${JSON.stringify(model.version)}`));
  return text;
}

/** ".001" to ".999" without trailing zeros; empty for 0. */
const THOUSANDTHS = Array.from({ length: 1000 }, (_, i) => String(i / 1000).slice(1));

/**
 * Milliseconds as JSON writes them, rounded to the microsecond. JavaScript's own conversion of a fraction to its
 * shortest text takes longer than the rest of an answer.
 */
function rounded(ms: number): string {
  const us = Math.round(ms * 1000);
  return us >= 0 && us < 1e9 ? `${Math.trunc(us / 1000)}${THOUSANDTHS[us % 1000]}` : String(us / 1000);
}

/** Times in milliseconds, rounded to the microsecond. `totalMs` is the server's own time since the request arrived. */
function timingOf(timing: Timing, exchange: Exchange): string {
  return `{"queueMs":${rounded(timing.queueMs)},"inferenceMs":${rounded(timing.inferenceMs)}${timing.firstTokenMs === undefined ? "" : `,"firstTokenMs":${rounded(timing.firstTokenMs)}`},"totalMs":${rounded(performance.now() - exchange.startedAt)}}`;
}
