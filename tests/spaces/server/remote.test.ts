import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import type { RemoteManifestInput } from "../../../models/remote/manifest.ts";
import { DEFAULT_TEXT, startInferenceEndpoint, type InferenceEndpoint } from "../../../rehearsal/inference/server.ts";
import { json, metric, modelFolder, serve, served, temporaryFolder, until, type ServerProcess } from "./harness.ts";

const TOKEN = "hf_standInTokenThatNobodyMayPrint0123";
const SECRET = "the prompt that no log may hold";

function remoteFolder(changes: Partial<RemoteManifestInput> = {}): string {
  const manifest: RemoteManifestInput = {
    schemaVersion: 1,
    id: "reply",
    version: "1.0.0",
    task: "text-generation",
    backend: "hf-inference",
    model: "some-org/some-model",
    inputs: { text: { type: "text", maxCharacters: 200 } },
    head: "reply",
    prompt: { system: "Be kind.", template: "Somebody says: {{text}}" },
    retry: { attempts: 3, baseMs: 1, maxMs: 2 },
    breaker: { failures: 100, openMs: 60_000 },
    limits: { timeoutMs: 30_000, concurrency: 2, queue: 1, maxRows: 5 },
    prices: { inputPerMillionTokens: 0.1, outputPerMillionTokens: 0.3 },
    pair: { model: "linear" },
    serving: { examples: [{ text: "I passed my exam" }] },
    ...changes,
  };
  const dir = join(temporaryFolder(), manifest.id);
  mkdirSync(dir);
  writeFileSync(join(dir, "model.yaml"), stringify(manifest));
  return dir;
}

let endpoint: InferenceEndpoint;
let server: ServerProcess;
beforeAll(async () => {
  endpoint = await startInferenceEndpoint();
  server = await serve(
    [
      modelFolder(served()),
      remoteFolder(),
      remoteFolder({ id: "fragile", breaker: { failures: 2, openMs: 600_000 } }),
      remoteFolder({ id: "mending", breaker: { failures: 1, openMs: 1 } }),
      remoteFolder({ id: "hasty", limits: { timeoutMs: 300 } }),
    ],
    ["--no-watch"],
    { env: { HF_TOKEN: TOKEN, HF_INFERENCE_ENDPOINT: endpoint.url } },
  );
});
afterAll(async () => {
  expect(server.output()).not.toContain(TOKEN);
  expect(server.output()).not.toContain(SECRET);
  expect(server.output()).not.toContain("kind to you");
  expect(server.log().filter(({ msg }) => msg === "unexpected error")).toEqual([]);
  await endpoint.close();
});
beforeEach(() => {
  endpoint.release();
  endpoint.calls.length = 0;
  endpoint.plan({ kind: "ok" });
});

const ask = (model = "reply", headers: Record<string, string> = {}) =>
  server.post(`/models/${model}/predict`, { text: SECRET }, headers);
const problemOf = async (response: Response) => {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  return {
    status: response.status,
    retryAfter: response.headers.get("retry-after"),
    ...(await json(response)),
  } as Record<string, unknown>;
};

type Event = { event: string; data: any };
async function eventsOf(response: Response, seen: (event: Event) => void = () => {}): Promise<Event[]> {
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const events: Event[] = [];
  let rest = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + chunk).split("\n\n");
    rest = blocks.pop()!;
    for (const block of blocks) {
      const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(block)!;
      events.push({ event: event!, data: JSON.parse(data!) });
      seen(events.at(-1)!);
    }
  }
  return events;
}
const stream = (model = "reply", signal?: AbortSignal) =>
  fetch(`${server.url}/models/${model}/predict`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "text/event-stream" },
    body: JSON.stringify({ text: SECRET }),
    signal: AbortSignal.any([AbortSignal.timeout(30_000), ...(signal === undefined ? [] : [signal])]),
  });

describe("a remote model that answers", () => {
  it("answers in the same form as every model, and asks the provider what the manifest says", async () => {
    const response = await ask();
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      model: "reply",
      version: "1.0.0",
      heads: {
        reply: { kind: "text", text: DEFAULT_TEXT, finishReason: "stop", usage: { inputTokens: 11, outputTokens: 16 } },
      },
      timing: {
        queueMs: expect.any(Number),
        inferenceMs: expect.any(Number),
        firstTokenMs: expect.any(Number),
        totalMs: expect.any(Number),
      },
    });
    expect(endpoint.calls).toMatchObject([
      {
        authorization: `Bearer ${TOKEN}`,
        body: {
          model: "some-org/some-model",
          stream: true,
          max_tokens: 256,
          temperature: 0.7,
          messages: [
            { role: "system", content: "Be kind." },
            { role: "user", content: `Somebody says: ${SECRET}` },
          ],
        },
      },
    ]);
  });

  it("streams it: each piece as it comes, then the whole", async () => {
    endpoint.plan({ kind: "slow", piecesFirst: 3 });
    const pieces: string[] = [];
    const events = await eventsOf(await stream(), ({ event, data }) => {
      if (event !== "token") return;
      pieces.push(data.text);
      // The rest of the answer does not exist yet when the third piece arrives.
      if (pieces.length === 3) endpoint.release();
    });
    expect(pieces.join("")).toBe(DEFAULT_TEXT);
    expect(events.at(-1)).toMatchObject({
      event: "result",
      data: { model: "reply", heads: { reply: { text: DEFAULT_TEXT, finishReason: "stop" } } },
    });
    expect(events).toHaveLength(17);
  });

  it("sends one event for a local model", async () => {
    const events = await eventsOf(
      await fetch(`${server.url}/predict`, {
        method: "POST",
        headers: { "content-type": "application/json", accept: "text/event-stream" },
        body: '{"a":1,"b":2,"c":3}',
      }),
    );
    expect(events).toMatchObject([{ event: "result", data: { heads: { value: { value: 321.5 } } } }]);
  });

  it("answers many rows with one call each; a failing row does not affect the others", async () => {
    endpoint.plan({ kind: "ok" }, { kind: "refuse", status: 400 }, { kind: "ok" });
    const answer = await json(
      await server.post("/models/reply/predict/batch", {
        rows: [{ text: "one" }, { text: "two" }, { text: "\u200B" }, { text: "three" }],
      }),
    );
    const predictions = answer["predictions"] as unknown as {
      heads?: object;
      error?: { status: number; code: string };
    }[];
    expect(answer).toMatchObject({ rows: 4, failed: 2 });
    expect(predictions[2]).toMatchObject({
      error: { status: 422, code: "bad-row", errors: [{ field: "rows[2].text", problem: "the text is empty" }] },
    });
    expect(predictions.filter(({ error }) => error?.code === "remote-failed")).toMatchObject([
      { error: { status: 502 } },
    ]);
    expect(
      await problemOf(
        await server.post("/models/reply/predict/batch", { rows: Array.from({ length: 6 }, () => ({ text: "x" })) }),
      ),
    ).toMatchObject({ status: 413, code: "too-many-rows" });
  });

  it("is described like any other: backend, limits, prices, pair, circuit, OpenAPI", async () => {
    expect(await json(await server.get("/models/reply"))).toMatchObject({
      id: "reply",
      state: "ready",
      backend: "hf-inference",
      task: "text-generation",
      heads: [{ name: "reply", kind: "text" }],
      limits: { maxRows: 5 },
      pair: { model: "linear" },
      remote: {
        model: "some-org/some-model",
        circuit: { state: "closed" },
        prices: { currency: "USD", inputPerMillionTokens: 0.1 },
      },
      gate: null,
    });
    expect(await json(await server.get("/models/linear"))).toMatchObject({
      limits: { maxRows: 10_000, maxBodyBytes: 16_777_216, requestTimeoutMs: 30_000 },
    });
    const { paths } = (await json(await server.get("/openapi.json"))) as unknown as {
      paths: Record<string, { post?: { responses: Record<string, { content: object }> } }>;
    };
    expect(Object.keys(paths["/models/reply/predict"]!.post!.responses["200"]!.content)).toEqual([
      "application/json",
      "text/event-stream",
    ]);
    expect(paths["/v2/models/reply/infer"]).toBeUndefined();
    expect(await json(await server.get("/v2/models/reply/ready"))).toEqual({ name: "reply", ready: false });
    expect((await server.get("/v2/health/ready")).status).toBe(200);
  });

  it("counts calls, tokens and time; an unusable input is refused before any call", async () => {
    expect(await problemOf(await server.post("/models/reply/predict", { text: "x".repeat(201) }))).toMatchObject({
      status: 422,
      errors: [
        {
          field: "text",
          problem: "a text that is too long",
          expected: "at most 200 characters",
          example: '"I passed my exam"',
        },
      ],
    });
    expect(endpoint.calls).toHaveLength(0);
    const before = await metric(server, "remote_tokens_total", 'direction="output"');
    await ask();
    expect((await metric(server, "remote_tokens_total", 'direction="output"')) - before).toBe(16);
    expect(await metric(server, "remote_requests_total", 'result="success"')).toBeGreaterThan(0);
    expect(await metric(server, "remote_circuit_state", 'model="reply",state="closed"')).toBe(1);
  });
});

describe("a provider in trouble", () => {
  it("is called again only before the first token, and no more often than the manifest says", async () => {
    endpoint.plan({ kind: "refuse", status: 503 }, { kind: "garbage" }, { kind: "ok" });
    expect((await ask()).status).toBe(200);
    expect(endpoint.calls).toHaveLength(3);
    expect(await metric(server, "remote_retries_total", 'model="reply"')).toBeGreaterThanOrEqual(2);
    endpoint.calls.length = 0;
    endpoint.plan({ kind: "refuse", status: 503 });
    expect(await problemOf(await ask())).toMatchObject({ status: 503, code: "remote-busy", retryAfter: "1" });
    expect(endpoint.calls).toHaveLength(3);
  });

  it("has its Retry-After followed if there is time, and passed on if there is not", async () => {
    endpoint.plan({ kind: "refuse", status: 429, retryAfter: "1" }, { kind: "ok" });
    expect((await ask()).status).toBe(200);
    expect(endpoint.calls[1]!.at - endpoint.calls[0]!.at).toBeGreaterThanOrEqual(990);
    endpoint.calls.length = 0;
    endpoint.plan({ kind: "refuse", status: 429, retryAfter: "120" });
    expect(await problemOf(await ask())).toMatchObject({ status: 503, code: "remote-busy", retryAfter: "120" });
    expect(endpoint.calls).toHaveLength(1);
  });

  it.each([
    ["refuses the token", { kind: "refuse", status: 401 } as const, 502, "remote-refused", 1],
    [
      "does not know the model",
      { kind: "refuse", status: 404, body: `{"error":"${SECRET}"}` } as const,
      502,
      "remote-failed",
      1,
    ],
    ["answers with a page", { kind: "garbage", how: "html" } as const, 502, "remote-failed", 3],
    ["reports an error in its stream", { kind: "garbage", how: "error-event" } as const, 502, "remote-failed", 3],
    ["sends what is no JSON", { kind: "garbage" } as const, 502, "remote-failed", 3],
    ["cuts at once", { kind: "cut", pieces: 0 } as const, 502, "remote-failed", 3],
    ["says nothing", { kind: "ok", text: "" } as const, 502, "remote-failed", 3],
  ])("that %s is reported without its words", async (_, behaviour, status, code, calls) => {
    endpoint.plan(behaviour);
    const problem = await problemOf(await ask());
    expect(problem).toMatchObject({ status, code });
    expect(JSON.stringify(problem)).not.toContain(SECRET);
    expect(endpoint.calls).toHaveLength(calls);
    expect((await server.post("/predict", { a: 1, b: 2, c: 3 })).status).toBe(200);
    expect((await server.get("/readyz")).status).toBe(200);
  });

  it.each([[false], [true]])(
    "that stops in the middle (cleanly: %s) is not called again: an error event after the pieces, a problem without streaming",
    async (politely) => {
      endpoint.plan({ kind: "cut", pieces: 4, politely });
      const events = await eventsOf(await stream());
      expect(events.at(-1)).toMatchObject({
        event: "error",
        data: { status: 502, code: "remote-failed", title: expect.any(String), instance: expect.any(String) },
      });
      expect(events.slice(0, -1).every(({ event }) => event === "token")).toBe(true);
      expect(await problemOf(await ask())).toMatchObject({ status: 502, code: "remote-failed" });
      expect(endpoint.calls).toHaveLength(2);
    },
  );

  it("that hangs is abandoned at the deadline of the request or the manifest", async () => {
    endpoint.plan({ kind: "hang" });
    expect(await problemOf(await ask("reply", { "x-request-timeout-ms": "200" }))).toMatchObject({
      status: 504,
      code: "deadline",
    });
    expect(await problemOf(await ask("hasty"))).toMatchObject({ status: 504, code: "deadline" });
    await until(() => (endpoint.calls.every(({ aborted }) => aborted) ? true : undefined));
    expect(endpoint.calls).toHaveLength(2);
  });

  it("is abandoned when the client disconnects, and its turn is free again", async () => {
    endpoint.plan({ kind: "slow", piecesFirst: 2 });
    const leaving = new AbortController();
    const response = await stream("reply", leaving.signal);
    await response.body!.getReader().read();
    leaving.abort();
    await until(() => (endpoint.calls[0]?.aborted === true ? true : undefined));
    expect(endpoint.calls).toHaveLength(1);
    await until(async () =>
      ((await json(await server.get("/models/reply")))["load"] as unknown as { runningGroups: number })
        .runningGroups === 0
        ? true
        : undefined,
    );
  });

  it("gets a limited number of calls at a time; the next request waits, the one after is refused", async () => {
    endpoint.plan({ kind: "slow" });
    const first = [ask(), ask()];
    await until(() => (endpoint.calls.length === 2 ? true : undefined));
    const waiting = ask();
    await until(async () =>
      ((await json(await server.get("/models/reply")))["load"] as unknown as { queuedRows: number }).queuedRows === 1
        ? true
        : undefined,
    );
    expect(await problemOf(await ask())).toMatchObject({ status: 503, code: "queue-full", retryAfter: "1" });
    expect(endpoint.calls).toHaveLength(2);
    endpoint.plan({ kind: "ok" });
    endpoint.release();
    expect((await Promise.all([...first, waiting])).map(({ status }) => status)).toEqual([200, 200, 200]);
  });
});

describe("the circuit breaker", () => {
  it("opens after a number of failed rows; then there are no calls, and the answer says when to retry", async () => {
    endpoint.plan({ kind: "refuse", status: 500 });
    for (let i = 0; i < 2; i++) expect((await problemOf(await ask("fragile")))["code"]).toBe("remote-failed");
    const calls = endpoint.calls.length;
    const problem = await problemOf(await ask("fragile"));
    expect(problem).toMatchObject({ status: 503, code: "circuit-open" });
    expect(Number(problem["retryAfter"])).toBeGreaterThan(500);
    expect(endpoint.calls).toHaveLength(calls);
    expect(await json(await server.get("/models/fragile"))).toMatchObject({
      state: "ready",
      remote: { circuit: { state: "open", retryInMs: expect.any(Number) } },
    });
    expect(await metric(server, "remote_circuit_state", 'model="fragile",state="open"')).toBe(1);
    await until(() =>
      server
        .log()
        .find(({ msg, circuit, model }) => msg === "circuit breaker" && circuit === "open" && model === "fragile"),
    );
    expect((await ask("reply")).status).toBe(502);
  });

  it("lets one row through, whose success closes it", async () => {
    endpoint.plan({ kind: "refuse", status: 400 });
    expect((await ask("mending")).status).toBe(502);
    endpoint.plan({ kind: "ok" });
    expect(await until(async () => ((await ask("mending")).status === 200 ? 200 : undefined))).toBe(200);
    expect(await json(await server.get("/models/mending"))).toMatchObject({ remote: { circuit: { state: "closed" } } });
  });
});

describe("a server without a token", () => {
  it("serves its other models, stays ready, and says what to set", async () => {
    const bare = await serve([modelFolder(served()), remoteFolder()], ["--no-watch"]);
    expect(await json(await bare.get("/readyz"))).toEqual({
      status: "ready",
      models: { linear: "ready", reply: "not-configured" },
    });
    expect((await bare.post("/predict", { a: 1, b: 2, c: 3 })).status).toBe(200);
    const problem = await problemOf(await bare.post("/models/reply/predict", { text: "x" }));
    expect(problem).toMatchObject({ status: 503, code: "not-configured", detail: expect.stringContaining("HF_TOKEN") });
    expect(await problemOf(await bare.post("/models/reply/predict/batch", { rows: [{ text: "x" }] }))).toMatchObject({
      code: "not-configured",
    });
    expect(await json(await bare.get("/models/reply"))).toMatchObject({
      state: "not-configured",
      error: { code: "not-configured", hint: expect.stringContaining("Variables and secrets") },
    });
    expect(await metric(bare, "model_ready", 'model="reply"')).toBe(0);
  });

  it("does not send its token unencrypted", async () => {
    const careless = await serve([modelFolder(served()), remoteFolder()], ["--no-watch"], {
      env: { HF_TOKEN: TOKEN, HF_INFERENCE_ENDPOINT: "http://inference.example.com" },
    });
    expect(await json(await careless.get("/models/reply"))).toMatchObject({
      state: "broken",
      error: { place: "HF_INFERENCE_ENDPOINT", problem: "the token would travel unencrypted" },
    });
    expect(careless.output()).not.toContain(TOKEN);
  });
});
