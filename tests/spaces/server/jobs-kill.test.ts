import { describe, expect, it } from "vitest";
import { modelFolder, serve, slowManifest, temporaryFolder, until, type ServerProcess } from "./harness.ts";
import { jobsClient, jsonLines } from "./jobs-client.ts";

const KEY = Buffer.alloc(32, 9).toString("base64");
const KILLS = 12;
const ROWS = 600;

/** Numbers of Park and Miller's generator, so that a run that fails can be repeated. */
function generator(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

describe("jobs of a server that is killed", () => {
  it(`lose and repeat nothing, at ${KILLS} moments; the store keeps what it said it had`, async () => {
    const store = temporaryFolder();
    const model = modelFolder(slowManifest());
    const start = () =>
      serve([model], ["--jobs-dir", store, "--jobs-attempts", "100", "--no-watch"], { env: { SLUICE_JOBS_KEY: KEY } });
    const random = generator(20);
    const input = Array.from({ length: ROWS }, (_, i) => ({ id: `r${i}`, work: 30, value: i }));
    let server: ServerProcess = await start();
    const jobs = [];
    for (const part of [input, input.slice(0, 50)])
      jobs.push(await jobsClient(server).submit("slow", jsonLines(part), "application/x-ndjson"));
    const reached: number[] = [0, 0];
    const stages = new Set<string>();
    for (let kill = 0; kill < KILLS; kill++) {
      // Kills come at any moment: while the job is read, between checkpoints, and after the last.
      await new Promise((resolve) => {
        setTimeout(resolve, random() * 1500);
      });
      const client = jobsClient(server);
      for (const [i, { id }] of jobs.entries()) {
        const { state, progress } = await client.get(id);
        stages.add(state);
        // What was said to be done stays done.
        expect(progress.rows).toBeGreaterThanOrEqual(reached[i]!);
        reached[i] = progress.rows;
      }
      // Also in the middle of a write: a client goes on asking while the server dies.
      const asking = jobsClient(server)
        .submit("slow", { row: { work: 1, value: -kill } })
        .then(
          (job) => jobs.push(job),
          () => {},
        );
      await new Promise((resolve) => {
        setTimeout(resolve, random() * 8);
      });
      await server.kill();
      await asking;
      reached.push(...Array<number>(jobs.length - reached.length).fill(0));
      server = await start();
    }
    const client = jobsClient(server);
    for (const [i, { id }] of jobs.entries()) {
      expect(await client.ended(id)).toMatchObject({ state: "succeeded", error: null, restarts: 0 });
      const lines = await client.lines(id);
      const rows = i === 0 ? ROWS : i === 1 ? 50 : 1;
      expect(lines.map(({ row }) => row)).toEqual(Array.from({ length: rows }, (_, row) => row));
      if (i < 2)
        expect(lines.map(({ id: name, heads }) => [name, heads!["value"]!["value"]])).toEqual(
          input.slice(0, rows).map(({ id: name, value }) => [name, value]),
        );
    }
    expect([...stages]).toContain("running");
    expect(reached[0]).toBeGreaterThan(0);
  }, 240_000);

  it("end as failed when they never get anywhere", async () => {
    const store = temporaryFolder();
    const model = modelFolder(slowManifest());
    const start = () =>
      serve([model], ["--jobs-dir", store, "--jobs-attempts", "2", "--engine", "worker"], {
        env: { SLUICE_JOBS_KEY: KEY },
      });
    let server = await start();
    // One row takes longer than the server ever lives.
    const job = await jobsClient(server).submit("slow", { row: { work: 400_000, value: 1 } });
    for (let life = 0; life < 2; life++) {
      await until(async () => ((await jobsClient(server).get(job.id)).attempts > life ? true : undefined));
      await server.kill();
      server = await start();
    }
    expect(await jobsClient(server).ended(job.id)).toMatchObject({ state: "failed", error: { code: "gave-up" } });
  }, 120_000);

  it("go back to the queue when it is asked to end, and go on where they were", async () => {
    const store = temporaryFolder();
    const model = modelFolder(slowManifest());
    const start = () =>
      serve([model], ["--jobs-dir", store, "--jobs-attempts", "1"], { env: { SLUICE_JOBS_KEY: KEY } });
    let server = await start();
    const job = await jobsClient(server).submit("slow", {
      rows: Array.from({ length: 400 }, (_, i) => ({ work: 60, value: i })),
    });
    for (let life = 0; life < 2; life++) {
      const done = await until(async () => {
        const { rows } = (await jobsClient(server).get(job.id)).progress;
        return rows > life * 20 ? rows : undefined;
      });
      server.process.kill("SIGTERM");
      expect(await server.exited).toBe(0);
      server = await start();
      expect((await jobsClient(server).get(job.id)).progress.rows).toBeGreaterThanOrEqual(done);
    }
    expect(await jobsClient(server).ended(job.id)).toMatchObject({ state: "succeeded", attempts: 0 });
    expect((await jobsClient(server).lines(job.id)).length).toBe(400);
  }, 120_000);
});
