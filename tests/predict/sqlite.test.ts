import { DatabaseSync } from "node:sqlite";
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { modelFolder, serve, served, temporaryFolder, until, type ServerProcess } from "../spaces/server/harness.ts";
import { predict, proxyOf, rowsOf, start } from "./stage.ts";

const ROWS = 300;
const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
/** value = a + 10 b + 100 c + 0.5 */
const rules = { version: "1.0.0", list: [{ id: "large", when: "a > 250", reasons: ["a is large"] }] };
// Several processes follow one another in a test.
vi.setConfig({ testTimeout: 180_000 });
let server: ServerProcess;

function inDatabase<T>(file: string, work: (db: DatabaseSync) => T): T {
  // The run under test may be writing.
  const db = new DatabaseSync(at(file), { timeout: 10_000 });
  try {
    return work(db);
  } finally {
    db.close();
  }
}

function makeRows(file: string): void {
  inDatabase(file, (db) => {
    db.exec("CREATE TABLE rows (id TEXT PRIMARY KEY, a INTEGER, b REAL, c TEXT, secret TEXT)");
    const insert = db.prepare("INSERT INTO rows VALUES (?, ?, ?, ?, 'label')");
    db.exec("BEGIN");
    for (let i = 0; i < ROWS; i++) insert.run(`k${String(i).padStart(4, "0")}`, i, 0, "1");
    db.exec("COMMIT");
  });
}

/** Where a link of /proc leads; "" once it is gone. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

const answers = (file: string) =>
  inDatabase(file, (db) => db.prepare("SELECT * FROM answers ORDER BY id").all() as Record<string, unknown>[]);
const command = (file: string, url = server.url, output = file) => [
  "linear",
  "--input",
  `sqlite:${at(file)}?table=rows`,
  "--url",
  url,
  "--output",
  `sqlite:${at(output)}?table=answers`,
];

/** One row of output per row of input, each with its answer. */
function expectWhole(file: string): void {
  const found = answers(file);
  expect(found.map(({ id }) => id)).toEqual(Array.from({ length: ROWS }, (_, i) => `k${String(i).padStart(4, "0")}`));
  expect(found.map(({ value_value: value }) => value)).toEqual(Array.from({ length: ROWS }, (_, i) => i + 100.5));
}

beforeAll(async () => {
  server = await serve([modelFolder(served({ rules }))], ["--max-rows", "20"]);
});

describe("a table into a table of the same file", () => {
  it("is answered once: a second run asks for nothing, a changed row and a new one are asked for again", async () => {
    makeRows("once.db");
    const first = await predict([...command("once.db"), "--json"]);
    expect(first.code, first.stderr).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({ rows: ROWS, predicted: ROWS, refused: 0, failed: 0, earlier: 0 });
    expectWhole("once.db");
    expect(answers("once.db")[299]).toMatchObject({
      outcome: "predicted",
      reasons: "large: a is large",
      model: "linear",
      model_version: "1.0.0",
      error: null,
      predicted_at: expect.stringMatching(/^\d{4}-/),
    });
    const second = await predict([...command("once.db"), "--json"]);
    expect(second.code, second.stderr).toBe(0);
    expect(JSON.parse(second.stdout)).toMatchObject({ predicted: 0, earlier: ROWS, requests: 0 });
    inDatabase("once.db", (db) => {
      db.exec("UPDATE rows SET a = 1000 WHERE id = 'k0007'; INSERT INTO rows VALUES ('k9999', 1, 1, 1, 'x')");
    });
    const third = await predict([...command("once.db"), "--json"]);
    expect(JSON.parse(third.stdout)).toMatchObject({ predicted: 2, earlier: ROWS - 1 });
    const found = answers("once.db");
    expect(found).toHaveLength(ROWS + 1);
    expect(found[7]).toMatchObject({ value_value: 1100.5 });
    expect(found[300]).toMatchObject({ id: "k9999", value_value: 111.5 });
  });

  it("has one row per row after any number of kill -9", async () => {
    makeRows("killed.db");
    const slowed = await proxyOf(server.url, ({ number }) => (number % 4 === 3 ? { status: 503 } : "pass"));
    for (let kills = 0; kills < 3; kills++) {
      const count = () =>
        inDatabase("killed.db", (db) =>
          db.prepare("SELECT name FROM sqlite_master WHERE name = 'answers'").get() === undefined
            ? 0
            : Number((db.prepare("SELECT count(*) AS n FROM answers").get() as { n: number }).n),
        );
      const before = count();
      const { child, ended } = start(command("killed.db", slowed.url));
      await until(() => (count() > before || child.exitCode !== null ? true : undefined));
      child.kill("SIGKILL");
      await ended;
      expect(count()).toBeGreaterThanOrEqual(before);
    }
    const last = await predict(command("killed.db", slowed.url));
    slowed.close();
    expect(last.code, last.stderr).toBe(0);
    expectWhole("killed.db");
  });

  it("waits for another writer's lock, and goes on", async () => {
    makeRows("locked.db");
    const db = new DatabaseSync(at("locked.db"));
    db.exec("BEGIN IMMEDIATE");
    const { child, ended } = start(command("locked.db"));
    // Its reader and its writer have the file open, so the writer waits.
    const opened = () => {
      const fds = existsSync(`/proc/${child.pid}/fd`) ? readdirSync(`/proc/${child.pid}/fd`) : [];
      return fds.filter((fd) => linkOf(`/proc/${child.pid}/fd/${fd}`) === at("locked.db")).length;
    };
    await until(() => (opened() > 1 || child.exitCode !== null ? true : undefined));
    const release = new Promise<void>((done) => {
      setTimeout(() => {
        db.exec("COMMIT");
        db.close();
        done();
      }, 3000);
    });
    const run = await ended;
    await release;
    expect(run.code, run.stderr).toBe(0);
    expectWhole("locked.db");
  });
});

describe("between a table and a file", () => {
  it("a query is answered into a file, and a changed table is another run", async () => {
    makeRows("query.db");
    const args = [
      "linear",
      "--input",
      `sqlite:${at("query.db")}?query=${encodeURIComponent("SELECT id, a, b, c FROM rows WHERE a < 30;")}`,
      "--url",
      server.url,
      "--output",
      at("new/folder/query.csv"),
    ];
    const run = await predict(args);
    expect(run.code, run.stderr).toBe(0);
    const rows = rowsOf(at("new/folder/query.csv"));
    expect(rows.map((row) => Number(row["value_value"]))).toEqual(Array.from({ length: 30 }, (_, i) => i + 100.5));
    const whole = readFileSync(at("new/folder/query.csv"), "utf8");
    writeFileSync(at("new/folder/query.csv"), whole.slice(0, whole.length / 2));
    expect((await predict(args)).code).toBe(0);
    expect(rowsOf(at("new/folder/query.csv")).map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
    inDatabase("query.db", (db) => db.exec("UPDATE rows SET a = 2 WHERE id = 'k0003'"));
    const other = await predict(args);
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/the input's content \(sha256\) differs/);
  });

  it("a file is answered into a table that is made, by its key", async () => {
    writeFileSync(at("file.csv"), "name,a,b,c\nx,1,0,0\ny,2,0,zero\n");
    const args = ["linear", "--input", at("file.csv"), "--url", server.url, "--id", "name"];
    const run = await predict([...args, "--output", `sqlite:${at("file.db")}?table=answers`]);
    expect(run.code, run.stderr).toBe(0);
    expect(answers("file.db")).toMatchObject([
      { id: "x", outcome: "predicted", value_value: 1.5 },
      { id: "y", outcome: "refused", value_value: null, error_status: 422, error_code: "bad-row" },
    ]);
  });
});

describe("what is refused, with its place", () => {
  const refused = async (input: string, output: string, ...more: string[]) => {
    const run = await predict(["linear", "--input", input, "--url", server.url, "--output", output, ...more], {
      EMPTY_URL: "postgres-password-only",
    });
    expect(run.code, run.stdout).toBe(2);
    return run.stderr;
  };
  beforeAll(() => {
    makeRows("bad.db");
    inDatabase("bad.db", (db) => {
      db.exec("CREATE TABLE twice (id TEXT, a INT); INSERT INTO twice VALUES ('x', 1), ('x', 2)");
      db.exec("CREATE TABLE gaps (id TEXT, a INT); INSERT INTO gaps VALUES ('x', 1), (NULL, 2)");
      db.exec("CREATE TABLE bytes (id BLOB PRIMARY KEY, a INT); INSERT INTO bytes VALUES (x'01', 1), (x'02', 2)");
      db.exec("CREATE TABLE narrow (id TEXT PRIMARY KEY, outcome TEXT)");
    });
    writeFileSync(at("bad.csv"), "id,a,b,c\nx,1,0,0\nx,2,0,0\n");
    writeFileSync(at("no-database.db"), "this is not a database, but a text that is long enough to be read as one");
  });
  const db = (query: string, file = "bad.db") => `sqlite:${at(file)}?${query}`;

  it.each([
    ["no file", () => [db("table=rows", "none.db"), at("o.csv")], /no such file/],
    ["no table", () => [db("table=nothing"), at("o.csv")], /no such table/],
    ["no database", () => [db("table=rows", "no-database.db"), at("o.csv")], /not a database/],
    ["no key", () => [db("table=rows"), at("o.csv"), "--id", "uid"], /no column uid[^]*one of id, a, b, c/],
    ["a key twice", () => [db("table=twice"), at("o.csv")], /does not tell all rows apart[^]*1 different keys of 2/],
    ["rows without a key", () => [db("table=gaps"), at("o.csv")], /1 of 2 rows without one/],
    ["a key of bytes", () => [db("table=bytes"), at("o.csv")], /the column id holds bytes[^]*2 of 2 rows/],
    ["a path that is not encoded", () => [`sqlite:${at("100%.db")}?table=rows`, at("o.csv")], /%25/],
    ["neither table nor query", () => [`sqlite:${at("bad.db")}`, at("o.csv")], /which rows of the database/],
    ["both", () => [db("table=rows&query=SELECT 1"), at("o.csv")], /which rows of the database/],
    ["a query as output", () => [db("table=rows"), db("query=SELECT 1")], /a query takes no answers/],
    ["the input as output", () => [db("table=rows"), db("table=rows")], /would be overwritten/],
    [
      "a table that lacks columns",
      () => [db("table=rows"), db("table=narrow")],
      /no column value_value[^]*ALTER TABLE/,
    ],
    ["a file with a key twice", () => [at("bad.csv"), db("table=answers")], /bad\.csv:3[^]*row 0 has the same key/],
    ["a query that is wrong", () => [db("query=SELECT absent FROM rows"), at("o.csv")], /no such column: absent/],
    ["a variable without an address", () => ["env:EMPTY_URL?table=rows", at("o.csv")], /EMPTY_URL holds no address/],
  ])("%s", async (_, args, message) => {
    const [input, output, ...more] = args() as [string, string, ...string[]];
    const stderr = await refused(input, output, ...more);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain("postgres-password-only");
  });

  it("a password is in no message, whatever goes wrong", async () => {
    const url = "postgres://someone:hunter2@127.0.0.1:1/nowhere?table=rows";
    const run = await predict([
      "linear",
      "--input",
      url,
      "--url",
      server.url,
      "--output",
      at("o.csv"),
      "--retries",
      "1",
    ]);
    expect(run.code).toBe(4);
    expect(run.stderr).toMatch(/postgres:\/\/127\.0\.0\.1:1\/nowhere table rows/);
    const malformed = await predict(
      ["linear", "--input", "env:DB?table=rows", "--url", server.url, "--output", at("o.csv")],
      { DB: "postgres://someone:hunter2@" },
    );
    expect(malformed.code).toBe(2);
    // Read as a URL, this has the host "someone", the port 12 and a database "34hunter2@127.0.0.1/nowhere".
    const unencoded = await predict(
      ["linear", "--input", "env:DB?table=rows", "--url", server.url, "--output", at("o.csv")],
      { DB: "postgres://someone:12/34hunter2@127.0.0.1/nowhere" },
    );
    expect(unencoded.code).toBe(2);
    expect(unencoded.stderr).toMatch(/%2F/);
    for (const { stderr, stdout } of [run, malformed, unencoded])
      expect(stderr + stdout).not.toMatch(/hunter2|someone/);
  });
});
