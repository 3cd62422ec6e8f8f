import { connect } from "node:net";
import { beforeAll, describe, expect, it } from "vitest";
import { json, metric, modelFolder, serve, slowManifest, until, type ServerProcess } from "./harness.ts";

/** Matrix products that keep a worker busy for a while. The tests depend on the order of events, not on times. */
const LONG = 4_000;

let server: ServerProcess;
beforeAll(async () => {
  server = await serve(
    [modelFolder(slowManifest())],
    ["--engine", "worker", "--max-batch", "1", "--max-queue-rows", "4", "--max-queue-wait-ms", "60000"],
  );
});
const idle = () => until(async () => ((await metric(server, "inference_runs_in_flight")) === 0 ? true : undefined));
const running = () => until(async () => ((await metric(server, "inference_runs_in_flight")) === 1 ? true : undefined));
const queued = async () => metric(server, "inference_queue_rows");
const rejections = (reason: string) => metric(server, "inference_requests_rejected_total", `reason="${reason}"`);

describe("a busy model", () => {
  it("leaves liveness, metrics and the other models alone while it runs", async () => {
    await idle();
    let done = false;
    const slow = server.post("/predict", { work: LONG, value: 1 }).then((response) => {
      done = true;
      return response.status;
    });
    await running();
    for (let i = 0; i < 20; i++) expect((await server.get("/livez")).status).toBe(200);
    expect(done).toBe(false);
    expect(await slow).toBe(200);
  });

  it("refuses requests beyond its queue with 503 and Retry-After, and answers the admitted ones", async () => {
    await idle();
    const before = await rejections("queue-full");
    const first = server.post("/predict", { work: LONG, value: 0 });
    await running();
    const all = await Promise.all(
      Array.from({ length: 12 }, (_, value) => server.post("/predict", { work: 1, value })),
    );
    const refused = all.filter(({ status }) => status === 503);
    expect(all.filter(({ status }) => status === 200)).toHaveLength(4);
    expect(refused).toHaveLength(8);
    expect(await json(refused[0]!)).toMatchObject({ code: "queue-full" });
    expect(Number(refused[0]!.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect((await first).status).toBe(200);
    expect(await rejections("queue-full")).toBe(before + 8);
  });

  it("refuses at once a request that would wait past its own deadline", async () => {
    await idle();
    const first = server.post("/predict", { work: LONG, value: 0 });
    await running();
    // The estimate follows the last runs: much more than a millisecond.
    const refused = await server.post("/predict", { work: 1, value: 1 }, { "x-request-timeout-ms": "1" });
    expect([503, 504]).toContain(refused.status);
    await first;
  });

  it("answers 504 at the deadline, and the row leaves the queue without being run", async () => {
    const patient = await serve(
      [modelFolder(slowManifest())],
      ["--engine", "worker", "--max-batch", "1", "--max-queue-wait-ms", "60000"],
    );
    const first = patient.post("/predict", { work: 2 * LONG, value: 0 });
    await until(async () => ((await metric(patient, "inference_runs_in_flight")) === 1 ? true : undefined));
    const late = await Promise.all(
      [1, 2].map((value) => patient.post("/predict", { work: 1, value }, { "x-request-timeout-ms": "150" })),
    );
    for (const response of late) {
      expect(response.status).toBe(504);
      expect(await json(response)).toMatchObject({
        code: "deadline",
        detail: expect.stringContaining("while it waited"),
      });
    }
    expect(await metric(patient, "inference_queue_rows")).toBe(0);
    expect((await first).status).toBe(200);
    expect(await metric(patient, "inference_rows_total")).toBe(1);
    // A run that has begun goes on, but its request is not kept waiting past the deadline.
    const cut = await patient.post("/predict", { work: 2 * LONG, value: 0 }, { "x-request-timeout-ms": "100" });
    expect([cut.status, (await json(cut))["detail"]]).toEqual([
      504,
      "the request's deadline passed while the model ran",
    ]);
  });

  it("drops a row whose client has disconnected", async () => {
    await idle();
    const rows = await metric(server, "inference_rows_total");
    const first = server.post("/predict", { work: LONG, value: 0 });
    await running();
    const client = new AbortController();
    const waiting = fetch(`${server.url}/predict`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ work: 1, value: 1 }),
      signal: client.signal,
    }).catch(() => "disconnected");
    await until(async () => ((await queued()) === 1 ? true : undefined));
    client.abort();
    expect(await waiting).toBe("disconnected");
    await until(async () => ((await queued()) === 0 ? true : undefined));
    expect((await first).status).toBe(200);
    await idle();
    expect(await metric(server, "inference_rows_total")).toBe(rows + 1);
    expect(await rejections("cancelled")).toBe(1);
  });

  it("takes a group back from its engine when one of its clients disconnects, and runs the others together", async () => {
    const pairs = await serve(
      [modelFolder(slowManifest())],
      ["--engine", "worker", "--max-batch", "2", "--max-delay-us", "0", "--max-queue-wait-ms", "60000"],
    );
    const waiting = async (rows: number) =>
      until(async () => ((await metric(pairs, "inference_queue_rows")) === rows ? true : undefined));
    const first = pairs.post("/predict", { work: 2 * LONG, value: 0 });
    await until(async () => ((await metric(pairs, "inference_runs_in_flight")) === 1 ? true : undefined));
    const client = new AbortController();
    const leaver = fetch(`${pairs.url}/predict`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ work: 1, value: 1 }),
      signal: client.signal,
    }).catch(() => "disconnected");
    await waiting(1);
    // This one fills the next run, so the group is handed to the engine.
    const second = pairs.post("/predict", { work: 1, value: 2 });
    await waiting(2);
    client.abort();
    expect(await leaver).toBe("disconnected");
    await waiting(1);
    const third = pairs.post("/predict", { work: 1, value: 3 });
    const answers = await Promise.all([first, second, third].map(async (one) => json(await one)));
    expect(answers).toMatchObject([0, 2, 3].map((value) => ({ heads: { value: { value } } })));
    expect(await metric(pairs, "inference_rows_total")).toBe(3);
    expect(await metric(pairs, "inference_runs_total")).toBe(2);
  });

  it("drops a request whose client disconnects in the middle of the body", async () => {
    const { port } = new URL(server.url);
    const socket = connect(Number(port), "127.0.0.1");
    socket.write(
      'POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"work": 1',
    );
    await until(async () => ((await metric(server, "http_requests_in_flight")) === 2 ? true : undefined));
    socket.destroy();
    expect(
      await until(async () => ((await metric(server, "http_requests_in_flight")) === 1 ? "only this one" : undefined)),
    ).toBe("only this one");
  });
});

describe("engines", () => {
  it("in a process can be killed when a run takes too long; the next request gets a new process", async () => {
    const killer = await serve([modelFolder(slowManifest())], ["--engine", "process", "--run-limit-ms", "400"]);
    const stuck = await killer.post("/predict", { work: 5_000_000, value: 1 });
    expect([stuck.status, (await json(stuck))["code"]]).toEqual([503, "engine-lost"]);
    const answer = await until(async () => {
      const response = await killer.post("/predict", { work: 1, value: 9 });
      return response.status === 200 ? json(response) : undefined;
    });
    expect(answer).toMatchObject({ heads: { value: { value: 9 } } });
  });

  it("run as many requests at once as there are workers", async () => {
    const pair = await serve(
      [modelFolder(slowManifest())],
      ["--workers", "2", "--max-batch", "1", "--engine", "worker"],
    );
    const both = [1, 2].map((value) => pair.post("/predict", { work: LONG, value }));
    await until(async () => ((await metric(pair, "inference_runs_in_flight")) === 2 ? true : undefined));
    expect((await Promise.all(both)).map(({ status }) => status)).toEqual([200, 200]);
    expect(await json(await pair.get("/models/slow"))).toMatchObject({ engine: { kind: "worker", slots: 2 } });
  });

  it("are workers, chosen automatically, for a model with slow rows", async () => {
    const chosen = await serve([modelFolder(slowManifest({ serving: { examples: [{ work: 200, value: 1 }] } }))]);
    expect(await json(await chosen.get("/models/slow"))).toMatchObject({
      engine: { kind: "worker", reason: expect.stringContaining("would block the main thread") },
    });
  });
});
