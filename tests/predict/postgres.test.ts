import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { modelFolder, serve, served, temporaryFolder, until, type ServerProcess } from "../spaces/server/harness.ts";
import { openPostgresServer, type PostgresServer } from "./postgres-server.ts";
import { predict, rowsOf, start } from "./stage.ts";

const PASSWORD = "hunter2-of-the-tests";
const ROWS = 2000;
// Several processes follow one another in a test.
vi.setConfig({ testTimeout: 300_000 });
let postgres: PostgresServer | string;
let server: ServerProcess;

beforeAll(async () => {
  postgres = await openPostgresServer(PASSWORD);
  if (typeof postgres === "string") return;
  server = await serve([modelFolder(served())], ["--max-rows", "20"]);
}, 600_000);
afterAll(() => {
  if (typeof postgres === "object") postgres.close();
});
beforeEach((context) => {
  if (typeof postgres === "string") context.skip(postgres);
});

const url = () => (postgres as PostgresServer).url;

async function sql<T = Record<string, unknown>>(text: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url() });
  await client.connect();
  try {
    return (await client.query(text)).rows as T[];
  } finally {
    await client.end();
  }
}

/** value = a + 10 b + 100 c + 0.5 */
const makeRows = (table: string, count = ROWS) =>
  sql(`CREATE TABLE ${table} (id bigint PRIMARY KEY, a integer, b numeric, c double precision, label text);
       INSERT INTO ${table} SELECT 9000000000 + i, i, 0.5, 1, 'secret' FROM generate_series(0, ${count - 1}) AS i`);
const command = (rows: string, answers: string) => [
  "linear",
  "--input",
  `env:DB?table=${rows}`,
  "--url",
  server.url,
  "--output",
  `env:DB?table=${answers}`,
  "--json",
];
const env = () => ({ DB: url() });

async function expectWhole(table: string, count = ROWS): Promise<void> {
  const found = await sql<{ id: string; value: number }>(
    `SELECT id::text, value_value AS value FROM ${table} ORDER BY id`,
  );
  expect(found.map(({ id }) => id)).toEqual(Array.from({ length: count }, (_, i) => String(9000000000 + i)));
  expect(found.map(({ value }) => value)).toEqual(Array.from({ length: count }, (_, i) => i + 105.5));
}

describe("a table into a table", () => {
  it("has its key's type, is answered once, and asked again only for what changed", async () => {
    await sql("CREATE SCHEMA other");
    await makeRows("once");
    const first = await predict(command("once", "other.answers"), env());
    expect(first.code, first.stderr).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({ rows: ROWS, predicted: ROWS, earlier: 0 });
    await expectWhole("other.answers");
    expect(
      await sql("SELECT data_type FROM information_schema.columns WHERE table_name = 'answers' AND column_name = 'id'"),
    ).toEqual([{ data_type: "bigint" }]);
    await sql("UPDATE once SET a = 5000 WHERE id = 9000000007; DELETE FROM other.answers WHERE id = 9000000009");
    const second = await predict(command("once", "other.answers"), env());
    expect(JSON.parse(second.stdout)).toMatchObject({ predicted: 2, earlier: ROWS - 2 });
    expect(await sql("SELECT value_value FROM other.answers WHERE id = 9000000007")).toEqual([{ value_value: 5105.5 }]);
    for (const { stdout, stderr } of [first, second]) expect(stdout + stderr).not.toContain(PASSWORD);
  });

  it("has one row per row after kill -9 and a crash of the database", async () => {
    await makeRows("killed");
    const count = async () =>
      (await sql<{ to_regclass: string | null }>("SELECT to_regclass('killed_answers')"))[0]!.to_regclass === null
        ? 0
        : Number((await sql<{ n: string }>("SELECT count(*) AS n FROM killed_answers"))[0]!.n);
    for (let kills = 0; kills < 2; kills++) {
      const before = await count();
      const { child, ended } = start(command("killed", "killed_answers"), env());
      await until(async () => ((await count()) > before || child.exitCode !== null ? true : undefined), 60_000);
      child.kill("SIGKILL");
      await ended;
    }
    const before = await count();
    const { ended, child } = start(command("killed", "killed_answers"), env());
    await until(async () => ((await count()) > before || child.exitCode !== null ? true : undefined), 60_000);
    (postgres as PostgresServer).crash();
    const run = await ended;
    expect(run.code, run.stderr).toBe(0);
    await expectWhole("killed_answers");
  });
});

it("types become what the model reads, and a query is read only", async () => {
  await sql(`CREATE TABLE kinds (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), a numeric(10, 2), b bigint, c text);
             INSERT INTO kinds (a, b, c) VALUES (1.25, 2, '3')`);
  const folder = temporaryFolder();
  const output = join(folder, "kinds.csv");
  const args = (query: string, out = output) => [
    "linear",
    "--input",
    `env:DB?query=${encodeURIComponent(query)}`,
    "--url",
    server.url,
    "--output",
    out,
  ];
  const run = await predict(args("SELECT * FROM kinds"), env());
  expect(run.code, run.stderr).toBe(0);
  expect(rowsOf(output)[0]).toMatchObject({ outcome: "predicted", value_value: "321.75" });
  const writing = await predict(args("INSERT INTO kinds (a) VALUES (1) RETURNING *", join(folder, "w.csv")), env());
  expect(writing.code).toBe(2);
  expect(await sql("SELECT count(*)::int AS n FROM kinds")).toEqual([{ n: 1 }]);
});

it("a table without a key or with wrong types, a wrong password and a missing table are refused with their place", async () => {
  await makeRows("refused", 3);
  await sql(`CREATE TABLE keyless AS SELECT * FROM other.answers LIMIT 0;
             CREATE TABLE narrow (LIKE other.answers INCLUDING ALL);
             ALTER TABLE narrow ALTER COLUMN value_value TYPE boolean USING false;
             CREATE TABLE bytes (id bytea PRIMARY KEY, a integer, b integer, c integer);
             INSERT INTO bytes VALUES ('a', 1, 1, 1)`);
  const keyless = await predict(command("refused", "keyless"), env());
  expect(keyless.code).toBe(2);
  expect(keyless.stderr).toMatch(/column id of the table is no key[^]*CREATE UNIQUE INDEX/);
  const missing = await predict(command("nothing", "answers"), env());
  expect(missing.code).toBe(2);
  expect(missing.stderr).toMatch(/127\.0\.0\.1:\d+\/postgres table nothing/);
  const wrong = await predict(command("refused", "answers"), { DB: url().replace(PASSWORD, "wrong-secret") });
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toMatch(/password authentication failed/);
  const narrow = await predict(command("refused", "narrow"), env());
  expect(narrow.code).toBe(2);
  expect(narrow.stderr).toMatch(/the column value_value has a type that does not take its values[^]*boolean/);
  const bytes = await predict(command("bytes", "answers"), env());
  expect(bytes.code).toBe(2);
  expect(bytes.stderr).toMatch(/the column id holds bytes, which cannot be a key here/);
  for (const { stderr } of [keyless, missing, wrong, narrow, bytes])
    expect(stderr).not.toMatch(/hunter2|wrong-secret|user "|role "/);
});

it("a user without the right to read or write is refused, and the answer names neither user nor password", async () => {
  await makeRows("guarded", 3);
  await sql(`CREATE TABLE guarded_answers (LIKE other.answers INCLUDING ALL);
             CREATE ROLE reader_of_tests LOGIN PASSWORD 'reader-secret';
             GRANT SELECT ON guarded_answers TO reader_of_tests`);
  const as = { DB: url().replace("postgres:" + PASSWORD, "reader_of_tests:reader-secret") };
  const reading = await predict(command("guarded", "guarded_answers"), as);
  expect(reading.code).toBe(2);
  expect(reading.stderr).toMatch(/table guarded: permission denied for table guarded/);
  await sql("GRANT SELECT ON guarded TO reader_of_tests");
  const writing = await predict(command("guarded", "guarded_answers"), as);
  expect(writing.code).toBe(2);
  expect(writing.stderr).toMatch(/table guarded_answers: permission denied for table guarded_answers/);
  const creating = await predict(command("guarded", "made_answers"), as);
  expect(creating.code).toBe(2);
  expect(creating.stderr).toMatch(/permission denied for schema public/);
  const unknown = await predict(command("guarded", "guarded_answers"), {
    DB: url().replace("postgres:" + PASSWORD, "nobody_of_tests:other-secret"),
  });
  expect(unknown.code).toBe(2);
  for (const { stderr, stdout } of [reading, writing, creating, unknown])
    expect(stderr + stdout).not.toMatch(/reader-secret|reader_of_tests|nobody_of_tests|other-secret/);
});
