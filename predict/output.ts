import { createReadStream } from "node:fs";
import { mkdir, open, readFile, stat } from "node:fs/promises";
import { dirname, extname } from "node:path";
import { stringify } from "csv-stringify/sync";
import { z } from "zod";
import { openReader } from "../eval/dataset/formats/open.ts";
import { writeFileAtomic } from "../models/core/atomic-write.ts";
import { answerColumns, partsOf } from "../models/core/postprocess/answer-columns.ts";
import { ConfigurationError, EvaluationError, SluiceError } from "../models/core/errors.ts";
import type { Outcome } from "./ask.ts";
import type { Reason } from "./client.ts";
import type { Card } from "./card.ts";
import type { Item } from "../eval/dataset/formats/items.ts";

export type OutputFormat = "csv" | "jsonl";
export type Counts = { predicted: number; refused: number; failed: number };

/** @throws ConfigurationError for a file extension of no format that can be written. */
export function outputFormatOf(path: string): OutputFormat {
  const extension = extname(path).toLowerCase();
  if (extension === ".csv") return "csv";
  if (extension === ".jsonl" || extension === ".ndjson") return "jsonl";
  throw new ConfigurationError({
    code: "predict-output",
    place: "--output",
    problem:
      extension === ".parquet" || extension === ".pq"
        ? "Parquet is read here, not written"
        : "the file's ending does not tell a format that is written",
    expected: "a name ending in .csv or .jsonl",
    received: extension || "no ending",
    example: "--output answers.csv",
  });
}

/** What a run writes for each row, besides the times. */
export function columnsOf({ heads, reasons }: Pick<Card, "heads" | "reasons">): string[] {
  return [
    "row",
    "id",
    "outcome",
    ...answerColumns(heads),
    ...(reasons ? ["reasons"] : []),
    "latency_ms",
    "attempts",
    "error_status",
    "error_code",
    "error",
    "notes",
  ];
}

/** A row of output, in the order of the columns. */
export function cellsOf(
  outcome: Outcome,
  { heads, reasons }: Pick<Card, "heads" | "reasons">,
): (string | number | null)[] {
  const answers = heads.flatMap((head) =>
    partsOf(head).map((part) =>
      outcome.kind === "predicted" ? ((outcome.heads[head.name]?.[part] ?? null) as string | number | null) : null,
    ),
  );
  const error = outcome.kind === "predicted" ? [null, null, null] : [outcome.status, outcome.code, outcome.detail];
  return [
    outcome.item.row,
    outcome.item.id,
    outcome.kind,
    ...answers,
    ...(reasons ? [reasonsText(outcome)] : []),
    outcome.latencyMs === null ? null : Math.round(outcome.latencyMs * 1000) / 1000,
    outcome.attempts,
    ...error,
    notesOf(outcome),
  ];
}

/** Rows as text, each with a line end. Numbers are the shortest decimals that parse to the same doubles. */
function linesOf(outcomes: readonly Outcome[], card: Pick<Card, "heads" | "reasons">, format: OutputFormat): string {
  const columns = columnsOf(card);
  const table = outcomes.map((outcome) => cellsOf(outcome, card));
  if (format === "jsonl")
    return table
      .map((cells) => `${JSON.stringify(Object.fromEntries(columns.map((column, i) => [column, cells[i]])))}\n`)
      .join("");
  return csv(table);
}

const notesOf = (outcome: Outcome): string | null =>
  outcome.kind !== "predicted" || outcome.notes.length === 0
    ? null
    : outcome.notes.map(({ field, problem, used }) => `${field}: ${problem}; ${used} was used`).join(" · ");

const reasonsText = (outcome: Outcome): string | null =>
  outcome.kind !== "predicted" || outcome.reasons.length === 0 ? null : outcome.reasons.map(reasonText).join(" · ");

const reasonText = (one: Reason): string => {
  if ("rule" in one) return one.reason === undefined ? one.rule : `${one.rule}: ${one.reason}`;
  const { feature, value, contribution } = one;
  const known = value === undefined ? "" : ` ${value === null ? "missing" : JSON.stringify(value)}`;
  return `${feature}${known}: ${contribution > 0 ? "+" : ""}${contribution}`;
};

const csv = (table: unknown[][]) => stringify(table, { quoted_match: /[\r\n\uFEFF]/ });

/** What identifies a run. It is kept beside the output, so that only the same run continues it. */
const identitySchema = z.object({
  schemaVersion: z.literal(1),
  input: z.object({ sha256: z.string(), rows: z.number(), idField: z.string() }),
  model: z.object({ id: z.string(), version: z.string(), content: z.string() }),
  columns: z.array(z.string()),
});
export type Identity = z.infer<typeof identitySchema>;

export type Output = {
  /** Number of rows that were already there. */
  rows: number;
  counts: Counts;
  /** Makes these rows last. They come in whole batches, and in order. */
  append: (outcomes: readonly Outcome[]) => Promise<void>;
  /** Of rows to predict, those that need no answer any more; absent where `rows` says it all. */
  answered?: (items: readonly Item[]) => Promise<ReadonlySet<string>>;
  close: () => Promise<void>;
};

const identityFile = (path: string) => `${path}.run.json`;

/**
 * Opens the output: a new one, or what an interrupted run left. An unfinished last line is cut off; every other line is
 * read and checked.
 *
 * @throws ConfigurationError when a run with other settings wrote it, naming what differs, or when no run of ours did
 */
export async function openOutput(
  path: string,
  format: OutputFormat,
  identity: Identity,
  card: Pick<Card, "heads" | "reasons">,
): Promise<Output> {
  const exists = (await stat(path).catch(() => null)) !== null;
  const counts: Counts = { predicted: 0, refused: 0, failed: 0 };
  if (exists) sameRun(await readIdentity(path), identity, path);
  else {
    await mkdir(dirname(path), { recursive: true });
    await writeFileAtomic(identityFile(path), `${JSON.stringify(identity, null, 2)}\n`);
  }
  const handle = await open(path, "a");
  try {
    let end = await endOfLastRow(path, format);
    if ((await handle.stat()).size > end) await handle.truncate(end);
    const rows = end === 0 ? 0 : await checkRows(path, format, identity, counts);
    const appendText = async (text: string) => {
      const { size } = await handle.stat();
      if (size !== end)
        throw new EvaluationError({
          code: "predict-output-shared",
          place: path,
          problem: "another process writes to the output",
          expected: `${end} bytes`,
          received: String(size),
        });
      const bytes = Buffer.from(text);
      await handle.appendFile(bytes);
      end += bytes.length;
    };
    if (end === 0 && format === "csv") await appendText(csv([identity.columns]));
    return {
      rows,
      counts,
      append: (outcomes) => appendText(linesOf(outcomes, card, format)),
      async close() {
        await handle.datasync();
        await handle.close();
      },
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readIdentity(path: string): Promise<Identity> {
  try {
    return identitySchema.parse(JSON.parse(await readFile(identityFile(path), "utf8")));
  } catch (error) {
    throw new ConfigurationError(
      {
        code: "predict-output",
        place: path,
        problem: `the file exists, and no readable ${identityFile(path)} says which run wrote it`,
        expected: "a new file, or the output of an earlier run of the same",
        hint: "name another --output, or remove the file",
      },
      { cause: error },
    );
  }
}

function sameRun(earlier: Identity, now: Identity, path: string): void {
  const differences = (
    [
      ["the input's content (sha256)", earlier.input.sha256, now.input.sha256],
      ["the column of ids", earlier.input.idField, now.input.idField],
      ["the model", earlier.model.id, now.model.id],
      ["the model's version", earlier.model.version, now.model.version],
      ["the model's content (sha256)", earlier.model.content, now.model.content],
      ["the columns", earlier.columns.join(" "), now.columns.join(" ")],
    ] as const
  ).filter(([, before, after]) => before !== after);
  if (differences.length === 0) return;
  const [diagnostic, ...others] = differences.map(([what, before, after], i) => ({
    code: "predict-other-run",
    place: path,
    problem: `begun by another run: ${what} differs`,
    expected: before,
    received: after,
    ...(i === differences.length - 1
      ? { hint: `name another --output, or remove ${path} and ${identityFile(path)}` }
      : {}),
  }));
  throw new ConfigurationError({ ...diagnostic!, others });
}

/**
 * Where the last complete row ends: after the last line end outside quotes (CSV), or the last line end (JSON Lines,
 * where texts contain none).
 */
async function endOfLastRow(path: string, format: OutputFormat): Promise<number> {
  let at = 0;
  let end = 0;
  let quoted = false;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    for (let i = 0; i < chunk.length; i++) {
      if (chunk[i] === 0x22 && format === "csv") quoted = !quoted;
      else if (chunk[i] === 0x0a && !quoted) end = at + i + 1;
    }
    at += chunk.length;
  }
  return end;
}

async function checkRows(path: string, format: OutputFormat, identity: Identity, counts: Counts): Promise<number> {
  let rows = 0;
  const damaged = (problem: string) =>
    new ConfigurationError({
      code: "predict-output-damaged",
      place: `${path}: row ${rows}`,
      problem,
      expected: `the rows 0, 1, 2, … of ${identity.input.rows}, as they were written`,
      hint: `remove ${path} and ${identityFile(path)} to begin again`,
    });
  try {
    const { readings } = await openReader(path, path, format, new Map(), "text");
    for await (const reading of readings) {
      if (reading.kind === "malformed") throw damaged(reading.reason);
      const { row, outcome } = reading.fields;
      if (Object.keys(reading.fields).join("\n") !== identity.columns.join("\n"))
        throw damaged("other columns than the run writes");
      if (String(row) !== String(rows) || rows >= identity.input.rows || !Object.hasOwn(counts, String(outcome)))
        throw damaged(`${JSON.stringify(row)} stands where row ${rows} belongs`);
      counts[outcome as keyof Counts] += 1;
      rows += 1;
    }
  } catch (error) {
    if (error instanceof SluiceError && !(error instanceof ConfigurationError)) throw damaged(error.diagnostic.problem);
    throw error;
  }
  return rows;
}
