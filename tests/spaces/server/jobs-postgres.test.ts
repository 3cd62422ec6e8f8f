import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { openPostgresServer, type PostgresServer } from "../../predict/postgres-server.ts";
import { json, modelFolder, serve, slowManifest, until, type ServerProcess } from "./harness.ts";
import { jobsClient, jsonLines, readEvents } from "./jobs-client.ts";

const PASSWORD = "hunter2-of-the-jobs";
const KEY = Buffer.alloc(32, 11).toString("base64");
const TUS = { "tus-resumable": "1.0.0", "content-type": "application/offset+octet-stream" };

vi.setConfig({ testTimeout: 240_000 });
let postgres: PostgresServer | string;
let model: string;
beforeAll(async () => {
  postgres = await openPostgresServer(PASSWORD);
  model = modelFolder(slowManifest());
}, 600_000);
afterAll(() => {
  if (typeof postgres === "object") postgres.close();
});
beforeEach((context) => {
  if (typeof postgres === "string") context.skip(postgres);
});

const replica = (flags: readonly string[] = []): Promise<ServerProcess> =>
  serve([model], ["--no-watch", "--jobs-attempts", "50", ...flags], {
    env: { SLUICE_JOBS_KEY: KEY, SLUICE_JOBS_DATABASE: (postgres as PostgresServer).url },
  });

async function sql(text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: (postgres as PostgresServer).url });
  await client.connect();
  try {
    return (await client.query(text)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

describe("replicas that share a Postgres", () => {
  it("take an upload at one, the job at another, and give events and result at both; nothing is plain", async () => {
    const [one, other] = await Promise.all([replica(), replica()]);
    const [here, there] = [jobsClient(one), jobsClient(other)];
    const text = jsonLines(Array.from({ length: 40 }, (_, i) => ({ id: `secret-${i}`, work: 5, value: i })));
    const created = await here.call("/uploads", {
      method: "POST",
      headers: { "tus-resumable": "1.0.0", "upload-length": String(text.length) },
    });
    const at = created.headers.get("location")!;
    const [first, second] = [text.slice(0, 500), text.slice(500)];
    const send = (client: typeof here, offset: number, body: string) =>
      client.call(at, { method: "PATCH", headers: { ...TUS, "upload-offset": String(offset) }, body });
    expect((await send(here, 0, first)).status).toBe(204);
    // Two at once: one of them goes on.
    const both = await Promise.all([send(here, 500, second), send(there, 500, second)]);
    expect(both.map(({ status }) => status).toSorted()).toEqual([204, 409]);
    const job = await there.submit("slow", { upload: at.split("/").at(-1), format: "jsonl" });
    const events = await readEvents(await here.call(`/jobs/${job.id}/events`));
    expect(events.at(-1)!.data).toMatchObject({ state: "succeeded", progress: { rows: 40, failed: 0 } });
    const lines = await here.lines(job.id);
    expect(lines).toEqual(await there.lines(job.id));
    expect(lines.map(({ id }) => id)).toEqual(Array.from({ length: 40 }, (_, i) => `secret-${i}`));
    const kept = await sql(
      "SELECT encode(data, 'escape') AS text FROM sluice_job_parts UNION ALL SELECT encode(notes, 'escape') FROM sluice_jobs",
    );
    expect(kept.length).toBeGreaterThan(0);
    expect(JSON.stringify(kept)).not.toContain("secret");
    expect(one.output() + other.output()).not.toContain(PASSWORD);
    // The other replica deletes it.
    expect((await there.call(`/jobs/${job.id}`, { method: "DELETE" })).status).toBe(204);
    expect((await here.call(`/jobs/${job.id}`)).status).toBe(404);
    expect(await sql("SELECT COUNT(*)::int AS n FROM sluice_job_parts")).toEqual([{ n: 0 }]);
    await Promise.all([one.kill(), other.kill()]);
  });

  it("run each job once, and go on with those of a replica that was killed", async () => {
    let [one, other] = await Promise.all([replica(["--jobs-concurrency", "1"]), replica(["--jobs-concurrency", "1"])]);
    const client = jobsClient(one);
    const jobs: { id: string }[] = [];
    for (let j = 0; j < 4; j++)
      jobs.push(
        await client.submit("slow", { rows: Array.from({ length: 150 }, (_, i) => ({ work: 30, value: i + j / 10 })) }),
      );
    const workers = async () => (await sql("SELECT DISTINCT worker FROM sluice_jobs WHERE state = 'running'")).length;
    await until(async () => ((await workers()) === 2 ? true : undefined));
    await until(async () => ((await client.get(jobs[0]!.id)).progress.rows > 0 ? true : undefined));
    await one.kill();
    // A dead replica's lease has to end; here it is made to end now.
    const running = await sql("SELECT worker FROM sluice_jobs WHERE state = 'running' ORDER BY created_at LIMIT 1");
    await sql(`UPDATE sluice_jobs SET lease_until = 0 WHERE worker = '${String(running[0]!["worker"])}'`);
    one = await replica();
    const after = jobsClient(one);
    for (const [j, { id }] of jobs.entries()) {
      expect(await after.ended(id, 200_000)).toMatchObject({ state: "succeeded" });
      const lines = await after.lines(id);
      expect(lines.map(({ row }) => row)).toEqual(Array.from({ length: 150 }, (_, i) => i));
      expect(lines.map(({ heads }) => Math.round((heads!["value"]!["value"] as number) * 10))).toEqual(
        Array.from({ length: 150 }, (_, i) => i * 10 + j),
      );
    }
    await Promise.all([one.kill(), other.kill()]);
  });

  it("live through a crash of the database", async () => {
    const server = await replica();
    const client = jobsClient(server);
    const job = await client.submit("slow", { rows: Array.from({ length: 200 }, (_, i) => ({ work: 30, value: i })) });
    await until(async () => ((await client.get(job.id)).progress.rows > 0 ? true : undefined));
    (postgres as PostgresServer).crash();
    expect((await server.post("/predict", { work: 1, value: 4 })).status).toBe(200);
    await until(async () => ((await client.call(`/jobs/${job.id}`)).status === 200 ? true : undefined));
    await sql("UPDATE sluice_jobs SET lease_until = 0");
    expect(await client.ended(job.id, 200_000)).toMatchObject({ state: "succeeded" });
    expect((await client.lines(job.id)).length).toBe(200);
    await server.kill();
  });

  it("refuse a database without a key, without showing the address", async () => {
    const server = await serve([model], [], { env: { SLUICE_JOBS_DATABASE: (postgres as PostgresServer).url } });
    const refused = await jobsClient(server).call("/jobs/x");
    expect([refused.status, (await json(refused))["code"]]).toEqual([503, "jobs-unavailable"]);
    expect(server.output()).toContain("replicas that share their jobs need the same key");
    expect(server.output()).not.toContain(PASSWORD);
  });
});
