import { openReader } from "../../../eval/dataset/formats/open.ts";
import { countParquetRows } from "../../../eval/dataset/formats/parquet.ts";
import { readItems, type Item } from "../../../eval/dataset/formats/items.ts";
import { schemaCells } from "../../../eval/dataset/formats/schema-cells.ts";
import { SluiceError } from "../../../models/core/errors.ts";
import { answerColumns } from "../../../models/core/postprocess/answer-columns.ts";
import type { JobFormat, JobNotes } from "./job.ts";
import type { JobModels, ModelFacts, RowProblem, RowsOutcome } from "./models.ts";
import { addProblems } from "./problem-groups.ts";
import { KeyLost, type Sealer } from "./seal.ts";
import { partPlace, sealedFile } from "./sealed-file.ts";
import { resultBlob, uploadBlob, type JobRow, type JobStore } from "./store.ts";
import { KEY_LOST, openNotes, sealNotes } from "./views.ts";

/** How much of a job is done between two checkpoints: about so long, and at most so much. */
const STEP_MS = 500;
/** The first checkpoint comes soon, whatever a row takes: a job that gets anywhere at all shows it. */
const FIRST_ROWS = 1;
const MAX_GROWTH = 4;
const MAX_ROWS = 2000;
const MAX_BYTES = 1024 * 1024;
/** A JSON list is held in memory, and a media file is one value. */
const WHOLE_BYTES = 64 * 1024 * 1024;
/** A model that stays busy for so long is left to others for a while. */
const BUSY_MS = 30_000;
const REST_MS = 5000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

/**
 * How a job's run ended. `ended`: it succeeded or failed. `lost`: it is somebody else's, was cancelled or deleted.
 * `again`: it went back to the queue.
 */
export type RunEnd = "ended" | "lost" | "again";

export type RunDeps = {
  store: JobStore;
  sealer: Sealer;
  models: JobModels;
  worker: string;
  attempts: number;
  totalBytes: number;
  now: () => number;
  /** Ends early when `stopped` begins to be true. */
  sleep: (ms: number) => Promise<void>;
  /** True when this worker should give its jobs back. */
  stopped: () => boolean;
  changed: (job: string) => void;
  /** Why an attempt failed, for the log. Holds nothing of an input. */
  report: (job: string, code: string) => void;
};

/** Ends the job with what is wrong. */
class Fatal extends Error {
  readonly code: string;
  constructor(code: string, detail: string) {
    super(detail);
    this.code = code;
  }
}

/**
 * Runs a claimed job from its last checkpoint on. Each step answers some rows and keeps their answers and the progress
 * in one transaction, so a kill between two steps loses and repeats nothing.
 */
export async function runJob(job: JobRow, deps: RunDeps): Promise<RunEnd> {
  const { store, sealer, worker, now } = deps;
  let notes = openNotes(sealer, job);
  const finish = async (state: "succeeded" | "failed", error: JobNotes["error"]): Promise<RunEnd> => {
    const last: JobNotes = {
      ...(notes ?? { problems: [], name: null, idField: "id", field: null, columns: null }),
      error,
    };
    const own = await store.finish(job.id, worker, state, sealNotes(sealer, job.id, last), now());
    deps.changed(job.id);
    return own ? "ended" : "lost";
  };
  const again = async (pauseMs: number, counts: boolean): Promise<RunEnd> => {
    const own = await store.release(job.id, worker, now() + pauseMs, counts);
    deps.changed(job.id);
    return own ? "again" : "lost";
  };
  if (notes === null) return finish("failed", KEY_LOST);
  if (job.attempts > deps.attempts)
    return finish("failed", {
      code: "gave-up",
      detail: `${deps.attempts} attempts from row ${job.doneRows} on ended without progress`,
    });
  try {
    const facts = await deps.models.facts(job.model);
    if (facts === null) return await again(1000, false);
    const restart = job.digest !== null && job.digest !== facts.digest && job.doneRows > 0;
    if (restart && job.restarts >= deps.attempts)
      throw new Fatal("model-changed", "the model was replaced again and again while the job ran");
    notes = { ...notes, columns: answerColumns(facts.heads) };
    const input = inputOf(job, notes, facts, deps);
    let total = job.totalRows;
    if (total === null || job.digest !== facts.digest) {
      total ??= await input.count();
      const { version, digest } = facts;
      const own = await store.begin(job.id, worker, {
        version,
        digest,
        totalRows: total,
        notes: sealNotes(sealer, job.id, notes),
        restart,
      });
      if (!own) return "lost";
      deps.changed(job.id);
    }
    const at = restart ? { row: 0, bytes: 0 } : { row: job.doneRows, bytes: job.resultBytes };
    return await steps(at, input.items(at.row), facts);
  } catch (error) {
    if (error instanceof Fatal) return finish("failed", { code: error.code, detail: error.message });
    if (error instanceof KeyLost) return finish("failed", KEY_LOST);
    // The readers' words name places and what was expected; they may quote the input, which only its owner sees.
    if (error instanceof SluiceError)
      return finish("failed", { code: error.code, detail: error.diagnostic.problem.slice(0, 500) });
    deps.report(job.id, (error as Error).name);
    return again(pauseAfter(job.attempts), true);
  }

  async function steps(at: { row: number; bytes: number }, items: AsyncGenerator<Item>, facts: ModelFacts) {
    let size = FIRST_ROWS;
    try {
      for (;;) {
        const some = await take(items, size);
        if (some.length === 0) return await finish("succeeded", null);
        const beganMs = now();
        const done = await answersOf(some, facts);
        if (typeof done === "string") return done === "again" ? await again(REST_MS, false) : "lost";
        if ("code" in done) {
          deps.report(job.id, done.code);
          if (done.code === "changed") return await again(0, true);
          return await again(pauseAfter(job.attempts), true);
        }
        const lines = Buffer.from(done.lines);
        notes = { ...notes!, problems: addProblems(notes!.problems, done.problems) };
        const committed = await store.commit(job.id, worker, {
          from: at.row,
          rows: some.length,
          failed: done.problems.length,
          part: {
            start: at.bytes,
            size: lines.length,
            data: sealer.seal(lines, partPlace(resultBlob(job.id), at.bytes)),
          },
          notes: sealNotes(sealer, job.id, notes),
          totalBytes: deps.totalBytes,
        });
        if (committed === "full")
          throw new Fatal("storage-full", "the server has no space left for the results of jobs");
        if (committed === "lost") return "lost";
        deps.changed(job.id);
        at = { row: at.row + some.length, bytes: at.bytes + lines.length };
        job.attempts = 0;
        if (deps.stopped()) return await again(0, false);
        const factor = Math.min(MAX_GROWTH, Math.max(0.5, STEP_MS / Math.max(1, now() - beganMs)));
        size = Math.max(1, Math.min(MAX_ROWS, Math.round(size * factor)));
      }
    } finally {
      await items.return(undefined);
    }
  }

  /**
   * The lines of the result for these rows, or why there are none. Rows that a provider failed for are asked for again
   * a few times; then the failure is their outcome.
   */
  async function answersOf(items: readonly Item[], facts: ModelFacts) {
    const answers = new Map<number, string>();
    const problems = new Map<number, RowProblem>();
    let left = items.flatMap((item) => ("json" in item ? [item] : []));
    for (const item of items)
      if ("malformed" in item) {
        const problem = { status: 422, code: "malformed-row", detail: withoutPlace(item.malformed) };
        answers.set(item.row, JSON.stringify({ error: { ...problem, detail: item.malformed } }));
        problems.set(item.row, { index: item.row, ...problem });
      }
    const busySince = now();
    for (let attempt = 1; left.length > 0;) {
      if (deps.stopped()) return "again" as const;
      const outcome = await predictApart(
        left.map(({ json }) => json),
        (rows) => deps.models.predict(job.model, facts.digest, rows),
      );
      if (outcome.kind === "changed") return { code: "changed" };
      if (outcome.kind === "failed") return { code: outcome.code };
      if (outcome.kind === "busy") {
        if (outcome.code === "draining" || now() - busySince > BUSY_MS) return "again" as const;
        await deps.sleep(outcome.retryMs);
        continue;
      }
      const failed = new Map(outcome.problems.map((problem) => [problem.index, problem]));
      const next: typeof left = [];
      for (const [i, item] of left.entries()) {
        const problem = failed.get(i);
        if (problem !== undefined && isTransient(problem.status) && attempt < deps.attempts) next.push(item);
        else {
          answers.set(item.row, outcome.answers[i]!);
          if (problem === undefined) problems.delete(item.row);
          else problems.set(item.row, problem);
        }
      }
      left = next;
      if (left.length > 0) await deps.sleep(pauseAfter(attempt));
      attempt += 1;
    }
    return {
      lines: items
        .map(({ row, id }) => `{"row":${row},"id":${JSON.stringify(id)},${answers.get(row)!.slice(1)}\n`)
        .join(""),
      problems: [...problems].map(([row, { code, detail }]) => ({ row, code, detail })),
    };
  }
}

/**
 * Predicts rows together. When the model fails for them, it is asked for each half, down to the rows that it fails for;
 * those get a problem. When it fails for every row, so does the whole.
 */
async function predictApart(
  rows: readonly string[],
  predict: (rows: readonly string[]) => Promise<RowsOutcome>,
): Promise<RowsOutcome> {
  const whole = await predict(rows);
  if (whole.kind !== "failed" || rows.length === 1) return whole;
  const middle = rows.length >>> 1;
  const answers: string[] = [];
  const problems: RowProblem[] = [];
  let failures = 0;
  for (const half of [rows.slice(0, middle), rows.slice(middle)]) {
    const outcome = await predictApart(half, predict);
    if (outcome.kind === "answered") {
      problems.push(...outcome.problems.map((problem) => ({ ...problem, index: answers.length + problem.index })));
      answers.push(...outcome.answers);
    } else if (outcome.kind === "failed") {
      failures += 1;
      const problem = { status: 500, code: outcome.code, detail: outcome.detail };
      for (const _ of half) {
        problems.push({ index: answers.length, ...problem });
        answers.push(JSON.stringify({ error: problem }));
      }
    } else return outcome;
  }
  return failures === 2 ? whole : { kind: "answered", answers, problems };
}

const isTransient = (status: number) => status === 429 || (status >= 502 && status <= 504);
const pauseAfter = (attempt: number) => Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.max(0, attempt - 1));
/** Rows with the same fault are one group, wherever they stand and wherever in them the fault is. */
const withoutPlace = (text: string) =>
  text.replace(/^.*?(?::\d+|\[\d+\]): /, "").replace(/^(malformed JSON): .*$/s, "$1");

async function take(items: AsyncGenerator<Item>, rows: number): Promise<Item[]> {
  const some: Item[] = [];
  for (let bytes = 0; some.length < rows && bytes < MAX_BYTES;) {
    const { value, done } = await items.next();
    if (done === true) break;
    some.push(value);
    bytes += "json" in value ? value.json.length : 0;
  }
  return some;
}

type Input = { count(): Promise<number>; items(from: number): AsyncGenerator<Item> };

/** The rows of a job's input. Its bytes are opened in memory, piece by piece. */
function inputOf(job: JobRow, notes: JobNotes, facts: ModelFacts, deps: RunDeps): Input {
  const blob = uploadBlob(job.upload);
  const source = sealedFile(deps.store, deps.sealer, blob, job.inputBytes);
  const whole = (what: string) => {
    if (job.inputBytes > WHOLE_BYTES)
      throw new Fatal("input-too-large", `${what} may have ${WHOLE_BYTES} bytes; this one has ${job.inputBytes}`);
  };
  if (job.format === "media") {
    whole("a media file");
    return {
      count: async () => 1,
      async *items(from) {
        if (from > 0) return;
        const value = Buffer.from(await source.slice(0, job.inputBytes)).toString("base64");
        yield { row: 0, id: notes.name ?? "0", json: JSON.stringify({ [notes.field!]: value }) };
      },
    };
  }
  const options = job.format === "json" ? { maxBytes: WHOLE_BYTES } : {};
  const format: Exclude<JobFormat, "media"> = job.format;
  const name = notes.name ?? "input";
  return {
    async count() {
      let rows = 0;
      const counted = (now: number) => {
        rows = now;
        if (rows > facts.policy.maxRows)
          throw new Fatal("too-many-rows", `a job of this model may have ${facts.policy.maxRows} rows`);
      };
      if (format === "parquet") counted(await countParquetRows(source, name));
      else {
        const { readings } = await openReader(source, name, format, new Map(), "text", options);
        for await (const { index } of readings) counted(index + 1);
      }
      if (rows === 0) throw new Fatal("no-rows", "the file has no rows; at least one is needed");
      return rows;
    },
    items: (from) => readItems({ source, name, format, options }, schemaCells(facts.fields), notes.idField, from),
  };
}
