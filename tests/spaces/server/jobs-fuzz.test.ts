import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { oddities } from "./malformed.ts";
import { modelFolder, serve, served, temporaryFolder, until, type ServerProcess } from "./harness.ts";
import { jobsClient } from "./jobs-client.ts";

let server: ServerProcess;
let known: { job: string; upload: string };
beforeAll(async () => {
  server = await serve([modelFolder(served())], ["--jobs-dir", temporaryFolder(), "--jobs-owner-queued", "1000"], {
    env: { SLUICE_JOBS_KEY: Buffer.alloc(32, 1).toString("base64") },
  });
  const client = jobsClient(server);
  const job = await client.submit("linear", { row: { a: 1, b: 2, c: 3 } });
  await client.ended(job.id);
  const upload = await client.call("/uploads", {
    method: "POST",
    headers: { "tus-resumable": "1.0.0", "upload-length": "50" },
  });
  known = { job: job.id, upload: upload.headers.get("location")!.split("/").at(-1)! };
});

const number = fc.constantFrom("0", "1", "50", "51", "-1", "1e3", "0x10", "", " 7", "9007199254740993", "NaN");
const name = fc.oneof(fc.string({ unit: "binary", maxLength: 30 }), fc.constantFrom("__proto__", "..", "a", "id"));
const line = fc.oneof(
  fc.json({ maxDepth: 2 }),
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.constant('{"a":1,"b":2,"c":3}'),
  fc.constant('1,2,"3'),
  fc.constant("a,b,c,id"),
);

/** Requests about jobs and uploads that are close to valid ones. */
const request = fc.record({
  method: fc.constantFrom("POST", "POST", "POST", "PATCH", "DELETE", "OPTIONS", "PUT", "GET", "HEAD"),
  place: fc.constantFrom("new", "new", "new", "job", "events", "result", "list", "uploads", "upload", "unknown"),
  query: fc.dictionary(
    fc.constantFrom("format", "idField", "field", "name", "partial"),
    fc.oneof(name, fc.constantFrom("csv", "json", "parquet", "media", "jsonl")),
    {
      maxKeys: 3,
    },
  ),
  headers: fc.record(
    {
      "content-type": fc.constantFrom(
        "application/json",
        "text/csv",
        "application/x-ndjson",
        "application/vnd.apache.parquet",
        "image/png",
        "application/offset+octet-stream",
        "application/octet-stream",
        "multipart/form-data",
        "x",
      ),
      "tus-resumable": fc.constantFrom("1.0.0", "1.0.0", "1.0.0", "0.2.2", ""),
      "upload-length": number,
      "upload-offset": number,
      "upload-metadata": fc.oneof(
        name,
        fc.base64String({ maxLength: 40 }).map((text) => `filename ${text}`),
      ),
      "last-event-id": number,
      "content-encoding": fc.constantFrom("gzip", "identity"),
      accept: fc.constantFrom("text/csv", "*/*", ";"),
    },
    { requiredKeys: [] },
  ),
  body: fc.oneof(
    fc.array(line, { maxLength: 5 }).map((lines) => lines.join("\n")),
    fc.uint8Array({ maxLength: 200 }),
    fc
      .record(
        { upload: name, row: fc.object(), rows: fc.array(fc.object(), { maxLength: 3 }), format: name },
        { requiredKeys: [] },
      )
      .map((body) => JSON.stringify(body)),
  ),
});

describe("malformed requests about jobs", () => {
  it("never crash the server, never give a 500 or a stack trace; every job that they make ends", async () => {
    const places = {
      new: "/models/linear/jobs",
      job: `/jobs/${known.job}`,
      events: `/jobs/${known.job}/events`,
      result: `/jobs/${known.job}/result`,
      list: "/jobs",
      uploads: "/uploads",
      upload: `/uploads/${known.upload}`,
      unknown: "/jobs/..%2f..%2fetc",
    };
    await fc.assert(
      fc.asyncProperty(request, async ({ method, place, query, headers, body }) => {
        const asked = new URLSearchParams(Object.entries(query)).toString();
        const problem = await oddities(server.url, {
          method,
          headers,
          path: places[place as keyof typeof places] + (asked === "" ? "" : `?${asked}`),
          body: method === "GET" || method === "HEAD" ? null : body,
        });
        expect(problem).toBeNull();
      }),
      { numRuns: 500, seed: 9, endOnFailure: true },
    );
    expect((await server.post("/predict", { a: 1, b: 2, c: 3 })).status).toBe(200);
    const states = async () =>
      (await (await server.get("/metrics")).text()).match(/^jobs\{state="(queued|running)"\} \d+/gm);
    await until(async () => ((await states())?.every((one) => one.endsWith(" 0")) === true ? true : undefined));
    expect(server.log().filter(({ level }) => level === "error")).toEqual([]);
  });
});
