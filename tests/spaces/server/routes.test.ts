import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { beforeAll, describe, expect, it } from "vitest";
import { answerCost } from "../../../spaces/server/serving/answer-cost.ts";
import { json, modelFolder, serve, served, temporaryFolder, type ServerProcess } from "./harness.ts";

const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
const LARGE = `export {}; // ${"the same words again ".repeat(200)}`;
let server: ServerProcess;

beforeAll(async () => {
  const ui = join(temporaryFolder(), "ui");
  mkdirSync(join(ui, "parts"), { recursive: true });
  writeFileSync(join(ui, "index.html"), "<!doctype html><title>page</title>");
  writeFileSync(join(ui, "parts/app.js"), "export {};");
  writeFileSync(join(ui, "parts/large.js"), LARGE);
  writeFileSync(join(ui, "notes.private"), "not served");
  server = await serve(
    [
      modelFolder(served({ prices: { currency: "USD", perHour: 0.03 } })),
      modelFolder(
        served({
          id: "heads",
          artifact: { path: "two-heads.onnx", sha256: "0".repeat(64) },
        }),
      ),
      modelFolder(
        served({
          id: "logs",
          version: "2.0.0",
          artifact: { path: "logarithm.onnx", sha256: await digest("logarithm.onnx") },
        }),
      ),
    ],
    [
      "--ui-dir",
      ui,
      "--main-thread-limit-ms",
      "10000",
      "--sweep-budget-ms",
      "2000",
      "--max-rows",
      "50",
      "--max-body-bytes",
      "20000",
    ],
  );
});

async function digest(name: string): Promise<string> {
  const { fixture, sha256 } = await import("../../models/core/build.ts");
  return sha256(fixture(name));
}

describe("GET /", () => {
  it("is the health line for JSON and for curl", async () => {
    for (const accept of ["application/json", "*/*"]) {
      const response = await server.get("/", { accept });
      expect(response.headers.get("content-type")).toContain("application/json");
      expect(await response.json()).toEqual({ status: "healthy", model: "linear v1.0.0" });
    }
  });

  it("is the page for a browser, with an ETag that saves the second download, and a content security policy", async () => {
    const first = await server.get("/", { accept: BROWSER });
    expect(first.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(first.headers.get("content-security-policy")).toContain("script-src 'self'");
    expect(first.headers.get("vary")).toContain("Accept");
    expect(await first.text()).toContain("<title>page</title>");
    const second = await server.get("/", { accept: BROWSER, "if-none-match": first.headers.get("etag")! });
    expect(second.status).toBe(304);
    const script = await server.get("/parts/app.js");
    expect(script.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    expect((await server.get("/notes.private")).status).toBe(404);
  });
});

describe("the page's files", () => {
  it.each([
    ["br, gzip", "br"],
    ["gzip, br;q=0.5", "gzip"],
    ["*", "br"],
    ["identity", null],
    ["br;q=0", null],
  ])("are sent as `accept-encoding: %s` asks", async (accept, encoding) => {
    const response = await server.get("/parts/large.js", { "accept-encoding": accept });
    expect(response.headers.get("content-encoding")).toBe(encoding);
    expect(response.headers.get("vary")).toBe("Accept-Encoding");
    expect(await response.text()).toBe(LARGE);
    if (encoding !== null) expect(Number(response.headers.get("content-length"))).toBeLessThan(LARGE.length / 10);
    expect(
      (
        await server.get("/parts/large.js", {
          "accept-encoding": accept,
          "if-none-match": response.headers.get("etag")!,
        })
      ).status,
    ).toBe(304);
  });
});

describe("predictions", () => {
  it("answers a row with its heads and the time it took", async () => {
    const response = await server.post("/predict", { a: 1, b: 2, c: 3 });
    expect(response.status).toBe(200);
    const answer = await json(response);
    expect(answer).toEqual({
      model: "linear",
      version: "1.0.0",
      heads: { value: { kind: "regression", value: 321.5 } },
      timing: { queueMs: expect.any(Number), inferenceMs: expect.any(Number), totalMs: expect.any(Number) },
    });
    expect(await json(await server.post("/models/linear/predict", { a: 1, b: 2, c: 3 }))).toMatchObject({
      heads: answer["heads"],
    });
  });

  it("gives the same through the framework as on the fast path", async () => {
    // A path with a query string does not take the fast path.
    const [short, long] = await Promise.all([
      server.post("/predict", { a: 0.1, b: 0.2, c: 0.3 }),
      server.post("/predict?x", { a: 0.1, b: 0.2, c: 0.3 }),
    ]);
    expect([...short.headers.keys()].toSorted()).toEqual([...long.headers.keys()].toSorted());
    expect((await json(short))["heads"]).toEqual((await json(long))["heads"]);
    for (const body of ["{", "[1]", '{"a":1}', "null", '"text"']) {
      const answers = await Promise.all(
        ["/predict", "/predict?x"].map(async (path) => {
          const response = await server.post(path, body);
          return {
            status: response.status,
            type: response.headers.get("content-type"),
            ...(await json(response)),
            instance: null,
          };
        }),
      );
      expect(answers[0]).toEqual(answers[1]);
    }
  });

  it("keeps the order of many rows, and a bad row does not affect the others", async () => {
    const rows = Array.from({ length: 40 }, (_, i) => (i === 7 ? { a: i, b: "x", c: 0 } : { a: i, b: 0, c: 0 }));
    const answer = await json(await server.post("/models/linear/predict/batch", { rows }));
    expect(answer).toMatchObject({ rows: 40, failed: 1 });
    const predictions = answer["predictions"] as unknown as {
      heads?: { value: { value: number } };
      error?: { status: number; errors: { field: string }[] };
    }[];
    predictions.forEach((one, i) => {
      if (i === 7) expect(one.error).toMatchObject({ status: 422, errors: [{ field: "rows[7].b" }] });
      else expect(one.heads!.value.value).toBe(i + 0.5);
    });
    expect(await json(await server.post("/predict/batch", rows.slice(0, 2)))).toMatchObject({ failed: 0 });
  });

  it("blames the model, not the caller, for numbers that are not finite, and goes on serving", async () => {
    const response = await server.post("/models/logs/predict", { a: -1, b: 1, c: 1 });
    expect(response.status).toBe(500);
    expect(await json(response)).toMatchObject({ code: "output-not-finite" });
  });
});

describe("problems", () => {
  const cases: [what: string, send: () => Promise<Response>, status: number, problem: object][] = [
    [
      "a field of another type",
      () => server.post("/predict", { a: 1, b: "2", c: 3 }),
      422,
      {
        code: "bad-row",
        errors: [{ field: "b", problem: "not a number", expected: "a number", received: '"2"', example: "2" }],
      },
    ],
    [
      "missing fields, all of them",
      () => server.post("/predict", {}),
      422,
      {
        errors: [
          { field: "a", problem: "missing", expected: "a number", received: "nothing", example: "1" },
          { field: "b" },
          { field: "c" },
        ],
      },
    ],
    [
      "a row that is a list",
      () => server.post("/predict", [1]),
      422,
      { code: "bad-row", errors: [{ field: "", problem: "not a row", example: '{"a":1,"b":2,"c":3}' }] },
    ],
    [
      "text that is not JSON",
      () => server.post("/predict", '{"a": 1,, }'),
      400,
      { code: "bad-json", detail: "the body is not JSON at character 8" },
    ],
    [
      "bytes that are not UTF-8",
      () => server.post("/predict", new Uint8Array([0x22, 0xff, 0x22])),
      400,
      { code: "bad-json" },
    ],
    ["no body", () => server.post("/predict", ""), 400, { code: "empty-body" }],
    [
      "another content type",
      () => server.post("/predict", "a=1", { "content-type": "application/x-www-form-urlencoded" }),
      415,
      { code: "media-type" },
    ],
    [
      "a body beyond the limit",
      () => server.post("/predict", { a: "x".repeat(30_000) }),
      413,
      { code: "body-too-large" },
    ],
    [
      "more rows than allowed",
      () => server.post("/predict/batch", { rows: Array.from({ length: 51 }, () => ({})) }),
      413,
      { code: "too-many-rows" },
    ],
    ["no rows", () => server.post("/predict/batch", { rows: [] }), 422, { errors: [{ field: "rows" }] }],
    ["an unknown model", () => server.post("/models/nobody/predict", {}), 404, { code: "unknown-model" }],
    ["a model that is broken", () => server.post("/models/heads/predict", {}), 503, { code: "model-broken" }],
    ["another method", () => server.get("/predict"), 405, { code: "method-not-allowed" }],
    ["another path", () => server.get("/nothing"), 404, { code: "not-found" }],
    [
      "another path, whatever is sent",
      () => server.post("/nothing", "x", { "content-type": "text/plain" }),
      404,
      { code: "not-found" },
    ],
    ["a path that is no path", () => server.get("/models/%ff"), 400, { code: "bad-url" }],
    [
      "a deadline that is not a number",
      () => server.post("/predict", { a: 1, b: 2, c: 3 }, { "x-request-timeout-ms": "soon" }),
      400,
      { errors: [{ field: "x-request-timeout-ms" }] },
    ],
  ];
  it.each(cases)("%s", async (_what, send, status, problem) => {
    const response = await send();
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(response.status).toBe(status);
    const body = await json(response);
    expect(body).toMatchObject({
      status,
      type: expect.stringMatching(/^\/problems\/[a-z-]+$/),
      title: expect.any(String),
      instance: response.headers.get("x-request-id"),
      ...problem,
    });
    expect(JSON.stringify(body)).not.toMatch(/node_modules|at \w+ \(|\.ts:/);
  });

  it("a problem's type leads to its explanation, as JSON and as a page", async () => {
    const { type } = (await json(await server.get("/nothing"))) as unknown as { type: string };
    expect(await json(await server.get(type))).toEqual({
      type: "/problems/not-found",
      code: "not-found",
      means: expect.any(String),
      next: expect.any(String),
    });
    const page = await server.get(type, { accept: "text/html" });
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(await page.text()).toContain("<h1>not-found</h1>");
    const { problems } = (await json(await server.get("/problems"))) as unknown as {
      problems: Record<string, { type: string }>;
    };
    expect(problems["rate-limit"]?.type).toBe("/problems/rate-limit");
    expect((await server.get("/problems/nothing")).status).toBe(404);
  });

  it("names the methods that a path accepts", async () => {
    expect((await server.get("/predict")).headers.get("allow")).toBe("POST");
    expect((await server.get("/models/linear/predict")).status).toBe(405);
    expect((await server.post("/models/linear", {})).headers.get("allow")).toBe("GET, HEAD");
  });
});

describe("what the server says about itself", () => {
  it("lists every model, the broken one with its reason, and stays ready", async () => {
    const list = await json(await server.get("/models"));
    expect(list).toMatchObject({
      default: "linear",
      models: [
        { id: "linear", state: "ready", default: true },
        { id: "heads", state: "broken", error: { code: "artifact-digest" } },
        { id: "logs", state: "ready", version: "2.0.0" },
      ],
    });
    const ready = await server.get("/readyz");
    expect(ready.status).toBe(200);
    expect(await ready.json()).toEqual({
      status: "ready",
      models: { linear: "ready", heads: "broken", logs: "ready" },
    });
  });

  it("shows a model's inputs, digest, engine and the measurement behind its batches", async () => {
    const card = await json(await server.get("/models/linear"));
    expect(card).toMatchObject({
      id: "linear",
      version: "1.0.0",
      backend: "local",
      artifact: { sha256: await digest("linear.onnx") },
      engine: { kind: "main", provider: "cpu" },
      gate: null,
    });
    expect(await json(await server.get("/model/info"))).toMatchObject({ id: "linear" });
    const { batching } = card as unknown as {
      batching: { sweep: { batch: number; rowsPerSecond: number }[]; gain: number };
    };
    // On a busy machine the time may run out before the larger batches are measured.
    expect([1, 4, 8, 16, 32]).toEqual(expect.arrayContaining(batching.sweep.map(({ batch }) => batch)));
    expect(batching.sweep[0]!.batch).toBe(1);
    expect(batching.gain).toBeGreaterThanOrEqual(1);
    const metrics = await (await server.get("/metrics")).text();
    expect(metrics).toContain(
      `model_batch_sweep_rows_per_second{model="linear",batch="${batching.sweep.at(-1)!.batch}",token_budget="none"} ${batching.sweep.at(-1)!.rowsPerSecond}`,
    );
  });

  it("shows what 1,000 answers cost where the price is known, and nothing where it is not", async () => {
    const { cost, batching } = (await json(await server.get("/models/linear"))) as unknown as {
      cost: object;
      batching: { sweep: { rowsPerSecond: number }[] };
    };
    const most = Math.max(...batching.sweep.map(({ rowsPerSecond }) => rowsPerSecond));
    const alwaysBusy = expect.closeTo((1000 * 0.03) / (most * 3600), 15) as number;
    expect(cost).toEqual({ currency: "USD", perHour: 0.03, rowsPerSecond: most, per1000: { alwaysBusy } });
    expect(await json(await server.get("/models/heads"))).not.toHaveProperty("cost");
    expect(answerCost({ currency: "USD", perHour: 0.03 }, [])).toBeNull();
  });

  it("has an OpenAPI document whose row schemas accept the examples, and a page without outside resources", async () => {
    const document = (await json(await server.get("/openapi.json"))) as unknown as {
      openapi: string;
      paths: Record<string, never>;
      components: { schemas: Record<string, object> };
    };
    expect(document.openapi).toBe("3.1.0");
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining([
        "/",
        "/predict",
        "/models/linear/predict",
        "/models/linear/predict/batch",
        "/livez",
        "/readyz",
        "/metrics",
        "/v2",
        "/v2/models/linear/infer",
      ]),
    );
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    const row = ajv.compile(document.components.schemas["Row.linear"]!);
    expect([row({ a: 1, b: 2, c: 3 }), row({ a: 1 })]).toEqual([true, false]);
    ajv.addSchema({ $id: "document", components: document.components });
    const answer = ajv.compile({ $ref: "document#/components/schemas/Prediction" });
    expect(answer(await json(await server.post("/predict", { a: 1, b: 2, c: 3 })))).toBe(true);
    const problem = ajv.compile({ $ref: "document#/components/schemas/Problem" });
    expect(problem(await json(await server.post("/predict", { a: 1 })))).toBe(true);
    const page = await server.get("/docs");
    expect(page.headers.get("content-security-policy")).toContain("default-src 'self'");
    const html = await page.text();
    expect(html.match(/(?:src|href)="[^"]*"/g)).toEqual(['src="/docs/rapidoc.js"']);
    expect((await (await server.get("/docs/rapidoc.js")).text()).length).toBeGreaterThan(500_000);
  });

  it("has at least twenty series of its own, with the values of the requests made", async () => {
    await server.post("/models/logs/predict", { a: 1, b: 1, c: 1 });
    const text = await (await server.get("/metrics")).text();
    const names = [...text.matchAll(/^# TYPE (\S+)/gm)]
      .map((match) => match[1]!)
      .filter((name) => !/^(process|nodejs)_/.test(name));
    expect(names.length).toBeGreaterThanOrEqual(20);
    expect(names).toEqual(
      expect.arrayContaining([
        "http_request_duration_seconds",
        "inference_request_duration_seconds",
        "inference_queue_duration_seconds",
        "inference_batch_size",
        "inference_requests_rejected_total",
        "prediction_score",
        "model_info",
        "model_load_duration_seconds",
        "model_warm_up_duration_seconds",
      ]),
    );
    expect(text).toMatch(/nodejs_eventloop_lag_p99_seconds/);
    expect(text).toMatch(
      /model_info\{model="logs",version="2\.0\.0",sha256="[0-9a-f]{64}",provider="cpu",engine="main"\} 1/,
    );
    expect(text).toMatch(/^http_requests_in_flight 1$/m);
  });
});
