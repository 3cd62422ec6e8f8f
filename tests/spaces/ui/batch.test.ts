import { expect, test } from "vitest";
import { pageModule } from "./page-module.ts";

type Field = { name: string; kind: string; required: boolean; length?: number };
type Row = { number: number; line: number; values: Record<string, unknown>; problem: string };
const { readBatch } = await pageModule<{
  readBatch: (
    text: string,
    fields: readonly Field[],
  ) => { rows: Row[]; columns: string[]; format: string; unused: string[] };
}>("batch-rows.js");
type Chunk = { from: number; rows: readonly Record<string, unknown>[] };
type Run = {
  signal: AbortSignal;
  done: (chunk: Chunk, result: unknown) => void;
  paused?: (ms: number) => void;
  sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
};
const { chunksOf, runChunks, CHUNK_ROWS, CHUNK_BYTES } = await pageModule<{
  chunksOf: (rows: readonly Record<string, unknown>[], maxRows?: number) => Chunk[];
  runChunks: (
    chunks: readonly Chunk[],
    send: (rows: readonly Record<string, unknown>[], signal: AbortSignal) => Promise<unknown>,
    run: Run,
  ) => Promise<void>;
  CHUNK_ROWS: number;
  CHUNK_BYTES: number;
}>("batch-run.js");
type FailureClass = new (
  kind: string,
  title: string,
  more?: { status?: number; retryAfterMs?: number },
) => Error & { kind: string };
const { Failure } = await pageModule<{ Failure: FailureClass }>("api.js");

const fields: Field[] = [
  { name: "date", kind: "date", required: true },
  { name: "history", kind: "number-list", required: true, length: 3 },
  { name: "note", kind: "string", required: false },
];
const rowsOf = (n: number) => Array.from({ length: n }, (_, i) => ({ text: `row ${i}` }));

test("cells get the types of the model's fields", () => {
  const { rows, unused, format } = readBatch(
    'date,history,note,extra\n2003-01-01,"[1, 2.5, 3]",,x\n2003-01-02,4 5 six,hello,y\n',
    fields,
  );
  expect(format).toBe("CSV");
  expect(unused).toEqual(["extra"]);
  expect(rows.map(({ values, problem }) => ({ values, problem }))).toEqual([
    { values: { date: "2003-01-01", history: [1, 2.5, 3], extra: "x" }, problem: "" },
    { values: { date: "2003-01-02", history: [4, 5, "six"], note: "hello", extra: "y" }, problem: "" },
  ]);
});

test("unusable rows are named by number and line", () => {
  const { rows } = readBatch('date,history\n2003-01-01,"1\n2\n3"\n,1 2 3\n2003-01-03,1 2 3,9\n', fields);
  expect(rows.map(({ number, line, problem }) => ({ number, line, problem }))).toEqual([
    { number: 1, line: 2, problem: "" },
    { number: 2, line: 5, problem: "no value for “date”" },
    { number: 3, line: 6, problem: "3 cells where the header has 2" },
  ]);
});

test("JSON Lines and JSON lists", () => {
  const lines = readBatch('{"date":"2003-01-01","history":[1,2,3]}\n\nnot json\n[1]\n', fields);
  expect(lines.format).toBe("JSON Lines");
  expect(lines.rows.map(({ line, problem }) => [line, problem])).toEqual([
    [1, ""],
    [3, "this line is not JSON"],
    [4, "not a JSON object with named fields"],
  ]);
  expect(readBatch('[{"date":"2003-01-01","history":[1,2,3]}]', fields)).toMatchObject({
    format: "JSON",
    columns: ["date", "history"],
  });
});

test.each([
  ["", "nothing in it"],
  ["text\nhello\n", "No column “date”, “history”"],
  ["date,date,history\n", "Two columns have the name “date”"],
  ["date,history\n", "no row under it"],
])("%j is refused as a whole", (text, words) => {
  expect(() => readBatch(text, fields)).toThrow(words);
});

test("chunks keep every row once, in order, within rows and bytes", () => {
  const rows = [
    ...rowsOf(2 * CHUNK_ROWS + 1),
    { text: "x".repeat(CHUNK_BYTES) },
    { text: "y".repeat(CHUNK_BYTES + 1) },
  ];
  const chunks = chunksOf(rows);
  expect(chunks.flatMap((chunk) => chunk.rows)).toEqual(rows);
  expect(chunks.map(({ from }) => from)).toEqual([
    0,
    CHUNK_ROWS,
    2 * CHUNK_ROWS,
    2 * CHUNK_ROWS + 1,
    2 * CHUNK_ROWS + 2,
  ]);
  expect(chunksOf(rowsOf(10), 4).map((chunk) => chunk.rows.length)).toEqual([4, 4, 2]);
  expect(chunksOf([])).toEqual([]);
});

test("a busy server gets the pause that it asks for, and no row is lost", async () => {
  const refusals = [
    new Failure("problem", "busy", { status: 429, retryAfterMs: 1500 }),
    new Failure("problem", "busy", { status: 503 }),
    new Failure("offline", "away"),
  ];
  const pauses: number[] = [];
  const got: number[] = [];
  await runChunks(
    chunksOf(rowsOf(3 * CHUNK_ROWS)),
    async (rows) => {
      const refusal = refusals.shift();
      if (refusal !== undefined) throw refusal;
      return rows.length;
    },
    {
      signal: new AbortController().signal,
      done: (chunk) => got.push(chunk.from),
      sleep: async (ms) => {
        pauses.push(ms);
      },
    },
  );
  expect(got.toSorted((a, b) => a - b)).toEqual([0, CHUNK_ROWS, 2 * CHUNK_ROWS]);
  expect(pauses).toContain(1500);
  expect(pauses).toHaveLength(3);
});

test("a failure that repeating does not fix ends the run at once", async () => {
  let sent = 0;
  const run = runChunks(
    chunksOf(rowsOf(10 * CHUNK_ROWS)),
    async () => {
      sent++;
      throw new Failure("problem", "too large", { status: 413 });
    },
    { signal: new AbortController().signal, done: () => {}, sleep: async () => {} },
  );
  await expect(run).rejects.toThrow("too large");
  expect(sent).toBeLessThanOrEqual(2);
});

test("the run gives up on a server that stays busy", async () => {
  let sent = 0;
  const run = runChunks(
    chunksOf(rowsOf(1)),
    async () => {
      sent++;
      throw new Failure("problem", "busy", { status: 503 });
    },
    { signal: new AbortController().signal, done: () => {}, sleep: async () => {} },
  );
  await expect(run).rejects.toThrow("busy");
  expect(sent).toBe(8);
});

test("cancelling ends a pause, and the answers so far are kept", async () => {
  const cancel = new AbortController();
  const got: number[] = [];
  const run = runChunks(
    chunksOf(rowsOf(2 * CHUNK_ROWS)),
    async (rows) => {
      if (rows[0]!["text"] === "row 0") return 1;
      throw new Failure("problem", "busy", { status: 503, retryAfterMs: 60_000 });
    },
    { signal: cancel.signal, done: (chunk) => got.push(chunk.from), paused: () => cancel.abort() },
  );
  await expect(run).rejects.toMatchObject({ kind: "cancelled" });
  expect(got).toEqual([0]);
});
