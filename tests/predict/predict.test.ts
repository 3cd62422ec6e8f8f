import { execFileSync } from "node:child_process";
import { appendFileSync, copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { fixture, sha256 } from "../models/core/build.ts";
import {
  modelFolder,
  serve,
  served,
  slowManifest,
  temporaryFolder,
  until,
  type ServerProcess,
} from "../spaces/server/harness.ts";
import { linesIn, predict, proxyOf, rowsOf, start } from "./stage.ts";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
let server: ServerProcess;
const linear = modelFolder(served());

/** rows.csv: 60 rows whose answer is a + 10 b + 100 c + 0.5 = 111 i + 0.5. */
const answerOf = (row: number) => 111 * row + 0.5;
const rows = Array.from({ length: 60 }, (_, i) => ({ a: i, b: i, c: i }));

beforeAll(async () => {
  writeFileSync(at("rows.csv"), `name,a,b,c\n${rows.map(({ a, b, c }, i) => `r${i},${a},${b},${c}`).join("\n")}\n`);
  const heads = served({
    id: "heads",
    task: "multiclass-classification",
    artifact: { path: "two-heads.onnx", sha256: sha256(fixture("two-heads.onnx")) },
    outputs: [
      { name: "logits", dtype: "float32", shape: ["batch", 3] },
      { name: "total", dtype: "float32", shape: ["batch", 1] },
    ],
    postprocess: [
      { name: "kind", from: "logits", kind: "classification", activation: "softmax", labels: ["x", "y", "z"] },
      { name: "amount", from: "total", kind: "regression" },
    ],
  });
  server = await serve([linear, modelFolder(heads)], ["--max-rows", "7"]);
});

const common = (output: string, url = server.url, input = "rows.csv") => [
  "linear",
  "--input",
  at(input),
  "--url",
  url,
  "--output",
  at(output),
];

/** One row of output per row of input, in order, each with its answer. */
function expectWhole(output: string, count = rows.length): void {
  const written = rowsOf(at(output));
  expect(written.map((row) => Number(row["row"]))).toEqual(Array.from({ length: count }, (_, i) => i));
  expect(written.map((row) => Number(row["value_value"]))).toEqual(
    Array.from({ length: count }, (_, i) => answerOf(i)),
  );
}

describe("the rows", () => {
  it("are answered in order, within the server's limits, refused and malformed ones among them", async () => {
    const lines = readFileSync(at("rows.csv"), "utf8").trimEnd().split("\n");
    lines[4] = "r3,3,three,3";
    lines[10] = "r9,9,9";
    lines[12] = ',11,"",11';
    writeFileSync(at("mixed.csv"), lines.join("\r\n"));
    const run = await predict([...common("mixed-out.csv", server.url, "mixed.csv"), "--id", "name", "--json"]);
    expect(run.code, run.stderr).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({
      schemaVersion: 1,
      model: "linear",
      version: "1.0.0",
      rows: 60,
      predicted: 57,
      refused: 3,
      failed: 0,
      retries: 0,
    });
    expect(run.stderr).toContain("60 of 60 rows");
    const written = rowsOf(at("mixed-out.csv"));
    expect(Object.keys(written[0]!)).toEqual([
      "row",
      "id",
      "outcome",
      "value_value",
      "latency_ms",
      "attempts",
      "error_status",
      "error_code",
      "error",
      "notes",
    ]);
    expect(written.map((row) => Number(row["row"]))).toEqual(rows.map((_, i) => i));
    expect(written[59]).toMatchObject({
      id: "r59",
      outcome: "predicted",
      value_value: String(answerOf(59)),
      attempts: "1",
      error: "",
    });
    expect(Number(written[59]!["latency_ms"])).toBeGreaterThan(0);
    expect(written[3]).toMatchObject({
      id: "r3",
      outcome: "refused",
      value_value: "",
      error_status: "422",
      error_code: "bad-row",
      error: "b: not a number",
    });
    expect(written[9]).toMatchObject({ id: "9", outcome: "refused", error_status: "", error_code: "malformed-row" });
    expect(written[9]!["error"]).toContain("mixed.csv:11: 3 cells where the header has 4");
    expect(written[11]).toMatchObject({ id: "11", outcome: "refused", error_status: "422" });
  });

  it("are read as their header shows, and that is said", async () => {
    writeFileSync(at("european.csv"), "name;a;b;c\nr0;1,5;1;1\nr1;2;2;2,5\n");
    const run = await predict([...common("european-out.csv", server.url, "european.csv")]);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stderr).toMatch(/european\.csv: cells are divided by a semicolon, as the header shows/);
    expect(run.stderr).toMatch(/european\.csv: numbers have a decimal comma, as its first rows show/);
    expect(rowsOf(at("european-out.csv")).map((row) => Number(row["value_value"]))).toEqual([112, 272.5]);
  });

  it("have every head's columns; JSON Lines in and out", async () => {
    writeFileSync(at("heads.jsonl"), '{"id": "one", "a": 1, "b": 9, "c": 2}\nno json\n');
    const run = await predict([
      "heads",
      "--input",
      at("heads.jsonl"),
      "--url",
      server.url,
      "--output",
      at("heads-out.jsonl"),
    ]);
    expect(run.code, run.stderr).toBe(0);
    const [first, second] = readFileSync(at("heads-out.jsonl"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(first).toMatchObject({
      row: 0,
      id: "one",
      outcome: "predicted",
      kind_label: "y",
      kind_score: expect.any(Number) as number,
      amount_value: 12,
      attempts: 1,
      error_status: null,
      error_code: null,
      error: null,
    });
    expect(second).toMatchObject({
      row: 1,
      id: "1",
      outcome: "refused",
      kind_label: null,
      error_code: "malformed-row",
      latency_ms: null,
    });
  });

  it("come from Parquet too; a run without a single usable row is not a success", async () => {
    copyFileSync(new URL("../eval/dataset/fixtures/rows-zstd.parquet", import.meta.url), at("rows.parquet"));
    const run = await predict(common("parquet-out.csv", server.url, "rows.parquet"));
    expect(run.code, run.stderr).toBe(4);
    const written = rowsOf(at("parquet-out.csv"));
    expect(written.length).toBeGreaterThan(0);
    expect(new Set(written.map((row) => row["error_status"]))).toEqual(new Set(["422"]));
  });
});

describe("an unreliable connection or server", () => {
  it("causes repeated requests after 429 with Retry-After, 503, resets, hangs and a proxy's page", async () => {
    const proxy = await proxyOf(
      server.url,
      ({ number }) =>
        ([{ status: 429, retryAfter: "1" }, "pass", { status: 503 }, "reset", "hang", { status: 502 }] as const)[
          number
        ] ?? "pass",
    );
    const run = await predict([...common("trouble.csv", proxy.url), "--concurrency", "1", "--timeout-ms", "5000"]);
    expect(run.code, run.stderr).toBe(0);
    expectWhole("trouble.csv");
    expect(proxy.posts[1]!.atMs - proxy.posts[0]!.atMs).toBeGreaterThanOrEqual(999);
    expect(run.stderr).toMatch(/429 http-429: .*; again in/);
    expect(Math.max(...rowsOf(at("trouble.csv")).map((row) => Number(row["attempts"])))).toBeGreaterThan(2);
  });

  it("costs only the row that causes the failure", async () => {
    const proxy = await proxyOf(server.url, ({ body }) => (/"a":13,/.test(body) ? { status: 500 } : "pass"));
    const run = await predict([...common("poison.csv", proxy.url), "--retries", "3"]);
    expect(run.code, run.stderr).toBe(4);
    const written = rowsOf(at("poison.csv"));
    expect(written.map((row) => row["outcome"])).toEqual(rows.map((_, i) => (i === 13 ? "failed" : "predicted")));
    expect(written[13]).toMatchObject({
      id: "13",
      value_value: "",
      attempts: "4",
      error_status: "500",
      error_code: "http-500",
      error: "the server answers 500",
    });
  });

  it("causes repeated requests for single failed rows, and for a remote model that is down", async () => {
    const error = { status: 502, code: "remote-failed", detail: "rows[0]: no whole answer" };
    const answer = (body: string, failing: (i: number) => boolean) =>
      JSON.stringify({
        model: "linear",
        version: "1.0.0",
        predictions: (JSON.parse(body) as { rows: { a: number }[] }).rows.map(({ a }, i) =>
          failing(i) ? { error } : { heads: { value: { kind: "regression", value: answerOf(a) } } },
        ),
      });
    let down = false;
    const proxy = await proxyOf(server.url, ({ number, body }) => ({
      status: 200,
      body: answer(body, (i) => down || (number === 0 && i === 2)),
    }));
    const run = await predict([...common("alone.csv", proxy.url), "--concurrency", "1"]);
    expect(run.code, run.stderr).toBe(0);
    expectWhole("alone.csv");
    expect(rowsOf(at("alone.csv")).map((row) => row["attempts"])).toEqual(rows.map((_, i) => (i === 2 ? "2" : "1")));
    down = true;
    const given = await predict([...common("alone-2.csv", proxy.url), "--retries", "0"]);
    expect(given.code).toBe(4);
    expect(given.stderr).toContain("given up after 5 failures in a row; the last: no whole answer");
    expect(rowsOf(at("alone-2.csv"))).toHaveLength(0);
  });

  it("ends the run when it lasts, and the next run continues at the same row", async () => {
    let down = true;
    const proxy = await proxyOf(server.url, ({ number }) =>
      down && number >= 2 ? { status: 503, retryAfter: "3600" } : "pass",
    );
    const args = [...common("down.csv", proxy.url), "--concurrency", "1", "--batch-rows", "5", "--give-up-after", "3"];
    const first = await predict(args);
    expect(first.code).toBe(4);
    expect(first.stderr).toContain("given up after 3 failures in a row; the last: the server answers 503");
    expectWhole("down.csv", 10);
    down = false;
    const second = await predict(args);
    expect(second.code, second.stderr).toBe(0);
    expect(second.stderr).toContain("60 rows, 10 of them answered earlier");
    expectWhole("down.csv");
    const third = await predict(args);
    expect(third.code).toBe(0);
    expect(third.stdout).toContain("0 requests");
  });

  it("ends the run on a redirect, which is never followed", async () => {
    const proxy = await proxyOf(server.url, () => ({ status: 307, location: "https://elsewhere.example/" }));
    const run = await predict(common("redirect.csv", proxy.url));
    expect(run.code).toBe(2);
    expect(run.stderr).toContain("the server sends to https://elsewhere.example/");
  });
});

describe("a killed run", () => {
  it("leaves no local server behind, and continues with exactly one output row per input row", async () => {
    const slow = modelFolder(slowManifest());
    writeFileSync(
      at("slow.csv"),
      `id,work,value\n${Array.from({ length: 40 }, (_, i) => `s${i},400,${i}`).join("\n")}\n`,
    );
    const args = [
      slow,
      "--input",
      at("slow.csv"),
      "--url",
      "local",
      "--output",
      at("killed.csv"),
      "--batch-rows",
      "2",
      "--concurrency",
      "2",
    ];
    const running = start(args);
    const early = await Promise.race([
      running.ended,
      until(() => (linesIn(at("killed.csv")) >= 2 ? true : undefined), 40_000),
    ]);
    expect(early).toBe(true);
    const children = execFileSync("ps", ["-o", "pid=", "--ppid", String(running.child.pid)])
      .toString()
      .trim()
      .split(/\s+/)
      .map(Number);
    expect(children).toHaveLength(1);
    running.child.kill("SIGKILL");
    await running.ended;
    await until(() => (children.some((pid) => existsSync(`/proc/${pid}`)) ? undefined : true));
    expect(linesIn(at("killed.csv"))).toBeLessThan(40);
    // As if the process had been killed in the middle of a write.
    appendFileSync(at("killed.csv"), '39,"s39\n');
    const run = await predict(args);
    expect(run.code, run.stderr).toBe(0);
    const written = rowsOf(at("killed.csv"));
    expect(written.map((row) => row["id"])).toEqual(Array.from({ length: 40 }, (_, i) => `s${i}`));
    expect(written.map((row) => Number(row["value_value"]))).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(run.stderr).toMatch(/40 rows, \d+ of them answered earlier/);
  });

  it("is not resumed with another input, model or a damaged file", async () => {
    expect((await predict(common("other.csv"))).code).toBe(0);
    const before = readFileSync(at("other.csv"), "utf8");
    const refused = async (args: readonly string[], ...words: string[]) => {
      const run = await predict(args);
      expect(run.code, run.stderr).toBe(2);
      for (const word of words) expect(run.stderr).toContain(word);
    };
    writeFileSync(at("rows-2.csv"), `${readFileSync(at("rows.csv"), "utf8")}r60,1,2,3\n`);
    await refused(
      [...common("other.csv", server.url, "rows-2.csv"), "--id", "name"],
      "the input's content (sha256) differs",
      "the column of ids differs",
    );
    const next = modelFolder(served({ version: "1.0.1" }));
    await refused(
      [next, "--input", at("rows.csv"), "--url", "local", "--output", at("other.csv")],
      "the model's version differs",
      "expected: 1.0.0",
      "received: 1.0.1",
    );
    expect(readFileSync(at("other.csv"), "utf8")).toBe(before);
    writeFileSync(at("other.csv"), before.replace(/^30,.*\n/m, ""));
    await refused(common("other.csv"), "other.csv: row 30", '"31" stands where row 30 belongs');
    writeFileSync(at("foreign.csv"), "mine\n");
    await refused(common("foreign.csv"), "no readable", "foreign.csv.run.json");
    expect(readFileSync(at("foreign.csv"), "utf8")).toBe("mine\n");
  });
});

describe("wrong usage", () => {
  const cases: [string, () => string[], string][] = [
    ["no URL", () => ["linear", "--input", at("rows.csv"), "--output", at("x.csv")], "required option '--url"],
    ["a URL that is none", () => common("x.csv", "ftp://x"), "local, NS/NAME of a Space, or an http(s) URL"],
    ["a URL with a password", () => common("x.csv", "http://me:hunter2@localhost"), "a URL with credentials"],
    ["Parquet output", () => common("x.parquet"), "Parquet is read here, not written"],
    ["no input", () => common("x.csv", server.url, "missing.csv"), "no such file"],
    ["the input as output", () => common("rows.csv"), "the input would be overwritten"],
    ["no lanes", () => [...common("x.csv"), "--concurrency", "0"], "--concurrency"],
    ["an unknown model", () => ["liner", ...common("x.csv").slice(1)], "one of linear, heads"],
    ["an unknown local model", () => ["nothing-here", ...common("x.csv", "local").slice(1)], "no model nothing-here"],
  ];
  it.concurrent.each(cases)("%s is reported", async (_what, args, words) => {
    const run = await predict(args());
    expect(run.code, run.stderr).toBe(2);
    expect(run.stderr).toContain(words);
    expect(run.stderr).not.toContain("hunter2");
    expect(existsSync(at("x.csv"))).toBe(false);
  });

  it("a server that asks for keys takes SLUICE_API_KEY, which is never printed or sent in the clear", async () => {
    writeFileSync(at("keys"), `tests ${sha256("a-good-key")}\n`);
    const guarded = await serve([linear], ["--keys-file", at("keys")]);
    const without = await predict(common("keys.csv", guarded.url));
    const wrong = await predict(common("keys.csv", guarded.url), { SLUICE_API_KEY: "a-bad-key" });
    const clear = await predict(common("keys.csv", "http://192.0.2.1"), { SLUICE_API_KEY: "a-bad-key" });
    for (const run of [without, wrong, clear]) {
      expect(run.code, run.stderr).toBe(2);
      expect(run.stderr).toContain("SLUICE_API_KEY");
      expect(run.stderr).not.toContain("a-bad-key");
    }
    const right = await predict(common("keys.csv", guarded.url), { SLUICE_API_KEY: "a-good-key" });
    expect(right.code, right.stderr).toBe(0);
    expectWhole("keys.csv");
  });
});
