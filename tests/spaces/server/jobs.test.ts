import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { jobView } from "../../../spaces/server/jobs/job.ts";
import { sha256 } from "../../models/core/build.ts";
import {
  json,
  metric,
  modelFolder,
  pixelsModel,
  serve,
  served,
  slowManifest,
  temporaryFolder,
  until,
} from "./harness.ts";
import type { ServerProcess } from "./harness.ts";
import { jobsClient, jsonLines, readEvents } from "./jobs-client.ts";

const KEY = Buffer.alloc(32, 7).toString("base64");
const rows = Array.from({ length: 300 }, (_, i) => ({ id: `r${i}`, a: i, b: -i / 3, c: 0.5 }));
const valuesOf = (lines: { heads?: Record<string, Record<string, unknown>> }[]) =>
  lines.map(({ heads }) => heads?.["value"]?.["value"]);

function keysFile(): string {
  const file = join(temporaryFolder(), "keys");
  writeFileSync(file, `ada ${sha256("ada-key")}\ngrace ${sha256("grace-key")}\n`);
  return file;
}

describe("a job", () => {
  let server: ServerProcess;
  let client: ReturnType<typeof jobsClient>;
  let store: string;
  let expected: unknown[];
  beforeAll(async () => {
    store = temporaryFolder();
    server = await serve([modelFolder(served()), modelFolder(slowManifest())], ["--jobs-dir", store], {
      env: { SLUICE_JOBS_KEY: KEY },
    });
    client = jobsClient(server);
    const answers = await json(
      await server.post("/models/linear/predict/batch", { rows: rows.map(({ id: _, ...row }) => row) }),
    );
    expected = (answers["predictions"] as unknown as { heads: { value: { value: number } } }[]).map(
      ({ heads }) => heads.value.value,
    );
  });
  afterEach(() => {
    expect(server.log().filter(({ level }) => level === "error")).toEqual([]);
  });

  const table = ["a,b,c,id", ...rows.map(({ a, b, c, id }) => `${a},${b},${c},${id}`)].join("\n");
  const parquet = () =>
    new Uint8Array(
      parquetWriteBuffer({
        columnData: (["a", "b", "c"] as const)
          .map((name) => ({
            name: name as string,
            data: rows.map((row) => row[name]) as unknown[],
            type: "DOUBLE" as const,
          }))
          .concat([{ name: "id", data: rows.map(({ id }) => id), type: "STRING" as never }]),
        rowGroupSize: 100,
      }),
    );
  it.each([
    ["CSV", "text/csv", () => table],
    ["JSON Lines", "application/x-ndjson", () => jsonLines(rows)],
    ["Parquet", "application/vnd.apache.parquet", parquet],
    ["rows in JSON", "application/json", () => ({ rows })],
  ])("of %s gives the same answers as requests do, in order", async (_, type, body) => {
    const job = await client.submit("linear", body(), type);
    expect(job).toMatchObject({ state: "queued", model: "linear" });
    const done = await client.ended(job.id);
    expect(done).toMatchObject({
      state: "succeeded",
      version: "1.0.0",
      progress: { rows: 300, failed: 0, total: 300 },
      problems: [],
      error: null,
    });
    expect(z.strictObject(jobView.shape).safeParse(done).error).toBeUndefined();
    const lines = await client.lines(job.id);
    expect(lines.map(({ row, id }) => [row, id])).toEqual(rows.map(({ id }, i) => [i, id]));
    expect(valuesOf(lines)).toEqual(expected);
  });

  it("of one row, and of a row that cannot be used", async () => {
    const one = await client.submit("linear", { row: { a: 1, b: 2, c: 3 } });
    await client.ended(one.id);
    const direct = await json(await server.post("/models/linear/predict", { a: 1, b: 2, c: 3 }));
    expect((await client.lines(one.id))[0]!.heads).toEqual(direct["heads"]);
  });

  it("keeps bad rows in their places, and groups what is wrong with them", async () => {
    const mixed = rows.slice(0, 40).map((row, i) => (i % 10 === 3 ? { ...row, a: "x" } : row));
    const text = `${jsonLines(mixed.slice(0, 20))}{broken\n[1]\n${jsonLines(mixed.slice(20))}`;
    const job = await client.submit("linear", text, "application/x-ndjson");
    const done = await client.ended(job.id);
    expect(done).toMatchObject({ state: "succeeded", progress: { rows: 42, failed: 6, total: 42 } });
    expect(done.problems).toEqual([
      { code: "bad-row", problem: "a: not a number", rows: 4, first: [3, 13, 25, 35] },
      { code: "malformed-row", problem: "malformed JSON", rows: 1, first: [20] },
      { code: "malformed-row", problem: "not a JSON object", rows: 1, first: [21] },
    ]);
    const lines = await client.lines(job.id);
    expect(lines.map(({ row }) => row)).toEqual(Array.from({ length: 42 }, (_, i) => i));
    expect(lines.filter(({ error }) => error !== undefined).map(({ row, error }) => [row, error!.code])).toEqual([
      [3, "bad-row"],
      [13, "bad-row"],
      [20, "malformed-row"],
      [21, "malformed-row"],
      [25, "bad-row"],
      [35, "bad-row"],
    ]);
    const csv = await (await client.call(`/jobs/${job.id}/result?format=csv`)).text();
    expect(csv.split("\n").slice(0, 2)).toEqual([
      "row,id,outcome,value_value,reasons,error_status,error_code,error,notes",
      `0,r0,predicted,${String(expected[0])},,,,,`,
    ]);
    expect(csv.split("\n")[4]).toBe("3,r3,refused,,,422,bad-row,a: not a number,");
  });

  it("fails with words when the file cannot be read, has no rows or a wrong name", async () => {
    for (const [body, type, code] of [
      ["a,b,c\n", "text/csv", "no-rows"],
      ["a,a,c\n1,2,3\n", "text/csv", "csv-unreadable"],
      ["PAR1 but no more", "application/vnd.apache.parquet", "parquet-unreadable"],
      ["a,b,c\n\u00001,2,3\n", "text/csv", "encoding"],
    ] as const) {
      const job = await client.submit("linear", body, type);
      expect(await client.ended(job.id)).toMatchObject({ state: "failed", error: { code } });
      const result = await client.call(`/jobs/${job.id}/result`);
      expect([result.status, (await json(result))["code"]]).toEqual([409, "job-failed"]);
    }
  });

  it("fails, and nothing else does, when a small file unpacks to more than can be held", async () => {
    const { gzipSync } = await import("node:zlib");
    const bomb = gzipSync(Buffer.alloc(300 * 2 ** 20, "x"));
    for (const [type, code] of [
      ["application/x-ndjson", "line-too-long"],
      ["text/csv", "csv-unreadable"],
    ] as const) {
      const job = await client.submit("linear", new Uint8Array(bomb), type);
      expect(await client.ended(job.id)).toMatchObject({ state: "failed", error: { code } });
    }
    const list = gzipSync(Buffer.from(`[${`${JSON.stringify({ a: 1, b: 2, c: 3 })},`.repeat(4_000_000)}{}]`));
    const named = await client.submit("linear", new Uint8Array(list), "application/octet-stream", "?format=json");
    expect(await client.ended(named.id)).toMatchObject({ state: "failed", error: { code: "json-too-large" } });
    expect((await server.post("/models/linear/predict", { a: 1, b: 2, c: 3 })).status).toBe(200);
  });

  it("tells its events, and a client that comes back gets only what it has missed", async () => {
    const slow = Array.from({ length: 60 }, (_, i) => ({ work: 20, value: i }));
    const job = await client.submit("slow", { rows: slow });
    const first = await readEvents(await client.call(`/jobs/${job.id}/events`), 2);
    expect(first.map(({ data }) => data.id)).toEqual([job.id, job.id]);
    expect(first[0]!.event).toBe("state");
    const seen = first.at(-1)!.id;
    const rest = await readEvents(
      await client.call(`/jobs/${job.id}/events`, { headers: { "last-event-id": String(seen) } }),
    );
    const ids = rest.map(({ id }) => id);
    expect(ids.every((id, i) => id > (ids[i - 1] ?? seen))).toBe(true);
    expect(rest.at(-1)).toMatchObject({ event: "state", data: { state: "succeeded" } });
    const done = rest.at(-1)!.data.progress;
    expect(done).toEqual({ rows: 60, failed: 0, total: 60 });
    const over = await client.call(`/jobs/${job.id}/events`, { headers: { "last-event-id": String(rest.at(-1)!.id) } });
    expect(over.status).toBe(204);
  });

  it("is cancelled while it runs, and then deleted; nothing of it is left", async () => {
    const job = await client.submit("slow", {
      rows: Array.from({ length: 2000 }, (_, i) => ({ work: 200, value: i })),
    });
    await until(async () => ((await client.get(job.id)).progress.rows > 0 ? true : undefined));
    const events = client.call(`/jobs/${job.id}/events`).then((response) => readEvents(response));
    const unfinished = await client.call(`/jobs/${job.id}/result`);
    expect([unfinished.status, (await json(unfinished))["code"]]).toEqual([409, "not-finished"]);
    const cancelled = await client.call(`/jobs/${job.id}`, { method: "DELETE" });
    expect([cancelled.status, (await json(cancelled))["state"]]).toEqual([200, "cancelled"]);
    expect((await events).at(-1)).toMatchObject({ event: "state", data: { state: "cancelled" } });
    expect((await client.call(`/jobs/${job.id}/result`)).status).toBe(410);
    expect((await client.call(`/jobs/${job.id}`, { method: "DELETE" })).status).toBe(204);
    for (const path of ["", "/events", "/result"])
      expect((await client.call(`/jobs/${job.id}${path}`)).status).toBe(404);
    expect((await client.call(`/jobs/${job.id}`, { method: "DELETE" })).status).toBe(404);
  });

  it("is refused with words that help", async () => {
    const post = async (path: string, body: string, type = "application/json") =>
      json(await client.call(path, { method: "POST", headers: { "content-type": type }, body }));
    expect(await post("/models/nobody/jobs", "{}")).toMatchObject({ status: 404, code: "unknown-model" });
    expect(await post("/models/linear/jobs", "{}")).toMatchObject({ status: 422, code: "bad-job", detail: "no input" });
    expect(await post("/models/linear/jobs", '{"rows": []}')).toMatchObject({
      status: 422,
      errors: [{ field: "rows", expected: expect.stringContaining('"upload"') as string }],
    });
    expect(await post("/models/linear/jobs", '{"upload": "nothing"}')).toMatchObject({ code: "unknown-upload" });
    expect(await post("/models/linear/jobs", "x", "application/octet-stream")).toMatchObject({
      status: 415,
      code: "unknown-format",
    });
    expect(await post("/models/linear/jobs", "", "text/csv")).toMatchObject({ status: 400, code: "empty-body" });
    expect(await post("/models/linear/jobs?format=xml", "x", "text/csv")).toMatchObject({
      status: 400,
      errors: [{ field: "format" }],
    });
    expect(await post("/models/linear/jobs", "--x", "multipart/form-data; boundary=x")).toMatchObject({ status: 415 });
    expect(await post("/models/linear/jobs?format=media", "x", "image/png")).toMatchObject({
      status: 422,
      code: "media-field",
      detail: expect.stringContaining("a, b, c") as string,
    });
    const list = await client.call("/jobs");
    expect([list.status, (await json(list))["code"]]).toEqual([403, "no-owners"]);
    expect((await client.call("/jobs/x", { method: "PUT" })).headers.get("allow")).toContain("DELETE");
  });

  it("leaves nothing of an input in files, logs or metrics", async () => {
    const secret = "4111-secret-of-a-client";
    const job = await client.submit(
      "linear",
      `id,a,b,c,note\n${secret},1,2,3,${secret}\n${secret},x,2,3,x\n`,
      "text/csv",
      `?name=${secret}.csv`,
    );
    await client.ended(job.id);
    expect((await client.lines(job.id))[0]!.id).toBe(secret);
    expect((await client.get(job.id)).name).toBe(`${secret}.csv`);
    for (const name of readdirSync(store)) expect(readFileSync(join(store, name)).includes(secret)).toBe(false);
    expect(server.output()).not.toContain(secret);
    expect(await (await server.get("/metrics")).text()).not.toContain(secret);
  });

  it("is counted", async () => {
    expect(await metric(server, "jobs", 'state="succeeded"')).toBeGreaterThanOrEqual(5);
    expect(await metric(server, "jobs_stored_bytes")).toBeGreaterThan(0);
    expect(await metric(server, "jobs_oldest_queued_seconds")).toBe(0);
  });
});

describe("a job of a picture", () => {
  it("takes the file as the value of the model's one image field", async () => {
    // prediction = red + 10 green + 100 blue, each from 0 to 1
    const manifest = served({
      id: "pixels",
      artifact: { path: "pixels.onnx", sha256: sha256(pixelsModel) },
      preprocess: { pixel: { kind: "image", field: "photo", resize: { width: 1, height: 1 }, maxPixels: 10_000 } },
      inputs: [{ name: "pixels", dtype: "float32", shape: ["batch", 3, 1, 1], from: "pixel.pixels" }],
      serving: { examples: [] },
    });
    const server = await serve([modelFolder(manifest)]);
    const client = jobsClient(server);
    const { default: sharp } = await import("sharp");
    const picture = await sharp({ create: { width: 9, height: 9, channels: 3, background: "#0f0" } })
      .png()
      .toBuffer();
    const job = await client.submit("pixels", new Uint8Array(picture), "image/png");
    expect(await client.ended(job.id)).toMatchObject({ state: "succeeded", format: "media" });
    expect((await client.lines(job.id))[0]!.heads!["value"]).toMatchObject({ value: 10 });
  });
});

describe("jobs of several owners", () => {
  it("are each their owner's alone", async () => {
    const server = await serve([modelFolder(served())], ["--keys-file", keysFile(), "--jobs-dir", temporaryFolder()], {
      env: { SLUICE_JOBS_KEY: KEY },
    });
    const [ada, grace, nobody] = [jobsClient(server, "ada-key"), jobsClient(server, "grace-key"), jobsClient(server)];
    const job = await ada.submit("linear", { rows: rows.slice(0, 3) });
    await ada.ended(job.id);
    for (const path of ["", "/events", "/result"]) {
      expect((await nobody.call(`/jobs/${job.id}${path}`)).status).toBe(401);
      expect((await grace.call(`/jobs/${job.id}${path}`)).status).toBe(404);
    }
    expect((await nobody.call("/jobs")).status).toBe(401);
    expect((await grace.call(`/jobs/${job.id}`, { method: "DELETE" })).status).toBe(404);
    const list = async (client: typeof ada) =>
      (await json(await client.call("/jobs"))) as unknown as { jobs: { id: string }[] };
    expect((await list(ada)).jobs.map(({ id }) => id)).toEqual([job.id]);
    expect((await list(grace)).jobs).toEqual([]);
    expect((await ada.lines(job.id)).length).toBe(3);
  });

  it("are bounded for each owner and for all", async () => {
    const server = await serve(
      [modelFolder(slowManifest())],
      [
        "--keys-file",
        keysFile(),
        "--jobs-owner-queued",
        "2",
        "--jobs-max-queued",
        "3",
        "--jobs-owner-bytes",
        "100000",
        "--jobs-max-bytes",
        "120000",
        "--jobs-concurrency",
        "1",
      ],
    );
    const [ada, grace] = [jobsClient(server, "ada-key"), jobsClient(server, "grace-key")];
    const body = { rows: Array.from({ length: 1000 }, (_, i) => ({ work: 500, value: i })) };
    const ask = async (client: typeof ada, sent: object = body) => {
      const answer = await client.call("/models/slow/jobs", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(sent),
      });
      return [answer.status, ((await json(answer)) as { code?: string })["code"]];
    };
    expect(await ask(ada)).toEqual([202, undefined]);
    expect(await ask(ada)).toEqual([202, undefined]);
    expect(await ask(ada, { row: { work: 1, value: 1 } })).toEqual([429, "jobs-of-owner"]);
    expect(await ask(grace, { row: { work: 1, value: 1 } })).toEqual([202, undefined]);
    expect(await ask(grace, { row: { work: 1, value: 1 } })).toEqual([503, "jobs-full"]);
    const large = { rows: Array.from({ length: 5000 }, (_, i) => ({ work: 500, value: i })) };
    expect(await ask(grace, large)).toEqual([413, "owner-full"]);
    const most = { rows: Array.from({ length: 3800 }, (_, i) => ({ work: 500, value: i })) };
    expect(await ask(grace, most)).toEqual([507, "storage-full"]);
  });
});

describe("without a key", () => {
  it("what was kept can be read no more after a restart, and the server says so", async () => {
    const store = temporaryFolder();
    const dirs = [modelFolder(served()), modelFolder(slowManifest())];
    const before = await serve(dirs, ["--jobs-dir", store]);
    const client = jobsClient(before);
    const done = await client.submit("linear", { rows: rows.slice(0, 3) });
    await client.ended(done.id);
    const open = await client.submit("slow", {
      rows: Array.from({ length: 1000 }, (_, i) => ({ work: 500, value: i })),
    });
    expect(before.output()).toContain("without SLUICE_JOBS_KEY");
    await before.kill();
    const after = jobsClient(await serve(dirs, ["--jobs-dir", store]));
    expect(await after.ended(open.id)).toMatchObject({ state: "failed", error: { code: "key-lost" } });
    const result = await after.call(`/jobs/${done.id}/result`);
    expect([result.status, (await json(result))["code"]]).toEqual([410, "key-lost"]);
  });
});
