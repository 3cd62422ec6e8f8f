import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fixture, sequenceManifest, sha256, wordTokenizer } from "../../models/core/build.ts";
import { sluice } from "../../cli/sluice.ts";
import { json, metric, modelFolder, root, serve, served, temporaryFolder, until } from "./harness.ts";

const row = { a: 1, b: 2, c: 3 };
function keysFile(): string {
  const file = join(temporaryFolder(), "keys");
  writeFileSync(file, `# people\nada ${sha256("ada's key")}\n\ngrace ${sha256("grace-key")} # second\n`);
  return file;
}

describe("API keys", () => {
  it("are needed only for predictions; the log names the owner, never the key", async () => {
    const server = await serve([modelFolder(served())], ["--keys-file", keysFile()]);
    for (const path of ["/predict", "/models/linear/predict", "/predict/batch", "/v2/models/linear/infer"]) {
      const refused = await server.post(path, row);
      expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    }
    expect(await json(await server.post("/predict", row, { authorization: "Bearer wrong-key-123" }))).toMatchObject({
      code: "api-key",
      detail: "the API key is not known",
    });
    expect((await server.post("/predict", row, { authorization: "Bearer grace-key" })).status).toBe(200);
    expect((await server.post("/predict", row, { "x-api-key": "ada's key" })).status).toBe(200);
    for (const path of ["/", "/livez", "/readyz", "/metrics", "/models", "/v2", "/openapi.json"])
      expect((await server.get(path)).status).toBe(200);
    await server.kill();
    expect(
      server
        .log()
        .filter(({ key }) => key !== undefined)
        .map(({ key }) => key),
    ).toEqual(["grace", "ada"]);
    expect(server.output()).not.toMatch(/grace-key|ada's key|wrong-key-123/);
  });
});

describe("rate limits", () => {
  it("are per key: an exhausted key does not affect another", async () => {
    const server = await serve([modelFolder(served())], ["--keys-file", keysFile(), "--rate-limit", "3"]);
    const ask = (key: string) => server.post("/predict", row, { authorization: `Bearer ${key}` });
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await ask("grace-key")).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
    const refused = await ask("grace-key");
    expect(await json(refused)).toMatchObject({ status: 429, code: "rate-limit" });
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect((await server.post("/predict", row, { "x-api-key": "ada's key" })).status).toBe(200);
    expect(await metric(server, "inference_requests_rejected_total", 'reason="rate-limit"')).toBe(2);
  });

  it("count the rows of a batch and of a tensor, and tell what is left in RateLimit", async () => {
    const server = await serve([modelFolder(served())], ["--rate-limit", "4", "--rate-limit-rows", "5"]);
    const batch = (n: number) => server.post("/predict/batch", { rows: Array.from({ length: n }, () => row) });
    const first = await batch(3);
    expect([first.status, first.headers.get("ratelimit-policy"), first.headers.get("ratelimit")]).toEqual([
      200,
      '"requests";q=4;w=60, "rows";q=5;w=60',
      '"requests";r=3;t=60, "rows";r=2;t=60',
    ]);
    const never = await batch(6);
    expect(await json(never)).toMatchObject({ code: "rate-limit", detail: expect.stringMatching(/6 rows at once/) });
    const refused = await batch(3);
    expect([refused.status, refused.headers.get("ratelimit")]).toEqual([
      429,
      expect.stringMatching(/"rows";r=0;t=\d+$/),
    ]);
    expect((await batch(1)).status).toBe(429);
  });

  it("are per address without keys, and trust X-Forwarded-For only when the settings say so", async () => {
    const statuses = async (flags: string[], forwarded: (i: number) => string) => {
      const server = await serve([modelFolder(served())], ["--rate-limit", "2", ...flags]);
      const seen = [];
      for (let i = 0; i < 4; i++)
        seen.push((await server.post("/predict", row, { "x-forwarded-for": forwarded(i) })).status);
      return seen;
    };
    const limited = [200, 200, 429, 429];
    const clients = (i: number) => `198.51.100.${i}`;
    // What a client writes itself stands to the left of what the proxy adds.
    const forged = (i: number) => `203.0.113.${i}, 198.51.100.1`;
    expect(await statuses([], clients)).toEqual(limited);
    expect(await statuses(["--trust-proxy"], clients)).toEqual([200, 200, 200, 200]);
    expect(await statuses(["--trust-proxy"], forged)).toEqual(limited);
    expect(await statuses(["--trust-proxy", "2"], forged)).toEqual([200, 200, 200, 200]);
    expect(await statuses(["--trust-proxy", "loopback"], forged)).toEqual(limited);
    expect(await statuses(["--trust-proxy", "10.0.0.0/8"], clients)).toEqual(limited);
    expect(await statuses(["--trust-proxy"], (i) => `not an address ${i}`)).toEqual(limited);
  });

  it("refuses a proxy that is neither a number nor an address", async () => {
    const { code, stderr } = await sluice(root, ["serve", modelFolder(served()), "--trust-proxy", "my-proxy"]);
    expect(code).toBe(2);
    expect(stderr).toContain("--trust-proxy (or SLUICE_TRUST_PROXY)");
    expect(stderr).toContain("not a number of proxies, nor addresses or ranges such as 10.0.0.0/8");
  });
});

describe("the response cache", () => {
  it("is off by default; when it is on, the same input is answered without a run until the model is reloaded", async () => {
    const plain = await serve([modelFolder(served())]);
    for (let i = 0; i < 2; i++) expect((await plain.post("/predict", row)).headers.get("x-cache")).toBeNull();
    expect(await metric(plain, "inference_rows_total")).toBe(2);

    const server = await serve([modelFolder(served())], ["--cache-bytes", "100000"]);
    const first = await json(await server.post("/predict", row));
    const again = await server.post("/predict", row);
    expect(again.headers.get("x-cache")).toBe("hit");
    expect((await json(again))["heads"]).toEqual(first["heads"]);
    expect((await server.post("/predict", { ...row, a: 2 })).headers.get("x-cache")).toBeNull();
    expect([
      await metric(server, "response_cache_requests_total", 'result="hit"'),
      await metric(server, "response_cache_requests_total", 'result="miss"'),
      await metric(server, "inference_rows_total"),
    ]).toEqual([1, 2, 2]);
    expect(await metric(server, "response_cache_bytes")).toBeGreaterThan(0);
  });

  it("stays within its size limit", async () => {
    const server = await serve([modelFolder(served())], ["--cache-bytes", "1000"]);
    for (let a = 0; a < 20; a++) await server.post("/predict", { ...row, a });
    expect(await metric(server, "response_cache_entries")).toBeGreaterThan(0);
    expect(await metric(server, "response_cache_bytes")).toBeLessThanOrEqual(1000);
  });
});

describe("CORS", () => {
  it("admits only the named origins, and none by default", async () => {
    const closed = await serve([modelFolder(served())]);
    expect(
      (await closed.post("/predict", row, { origin: "https://a.example" })).headers.get("access-control-allow-origin"),
    ).toBeNull();
    const server = await serve([modelFolder(served())], ["--cors", "https://a.example, https://b.example"]);
    const allowed = async (origin: string) =>
      (await server.post("/predict", row, { origin })).headers.get("access-control-allow-origin");
    expect([await allowed("https://b.example"), await allowed("https://c.example")]).toEqual([
      "https://b.example",
      null,
    ]);
    const preflight = await fetch(`${server.url}/predict`, {
      method: "OPTIONS",
      headers: {
        origin: "https://a.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
      },
    });
    expect([preflight.status, preflight.headers.get("access-control-allow-methods")]).toEqual([
      204,
      "GET, HEAD, POST, PATCH, DELETE, OPTIONS",
    ]);
  });
});

describe("the log", () => {
  const text = () =>
    modelFolder(
      sequenceManifest("sequence.onnx", {
        artifact: { path: "sequence.onnx", sha256: sha256(fixture("sequence.onnx")) },
        serving: { examples: [{ text: "t1" }] },
      }),
      { "tokenizer.json": JSON.stringify(wordTokenizer()) },
    );
  const secret = { text: "t1 mail ada@example.org or +44 20 7946 0958, card 4111 1111 1111 1111" };

  it("has a line per request with its id and trace, and nothing of the input", async () => {
    const server = await serve([text()]);
    const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    const response = await server.post("/predict", secret, {
      "x-request-id": "my-id",
      traceparent: `00-${trace}-00f067aa0ba902b7-01`,
    });
    expect(response.headers.get("x-request-id")).toBe("my-id");
    await server.post(
      "/predict",
      { text: 5, note: "t1 bad row ada@example.org" },
      { "x-request-id": "bad id with spaces" },
    );
    const lines = await until(() => {
      const answered = server.log().filter(({ msg, route }) => msg === "request" && route === "/predict");
      return answered.length === 2 ? answered : undefined;
    });
    await server.kill();
    expect(lines.find(({ requestId }) => requestId === "my-id")).toMatchObject({
      method: "POST",
      route: "/predict",
      status: 200,
      model: "sequence",
      traceId: trace,
      durationMs: expect.any(Number),
    });
    expect(lines.some(({ requestId }) => requestId === "bad id with spaces")).toBe(false);
    expect(server.output()).not.toMatch(/ada@|4111|7946/);
  });

  it("shows inputs only when the settings say so, without addresses, phone and card numbers", async () => {
    const server = await serve([text()], ["--log-inputs"]);
    await server.post("/predict", secret);
    const line = await until(() => server.log().find(({ msg }) => msg === "input"));
    await server.kill();
    expect(line).toMatchObject({
      model: "sequence",
      input: ['{"text":"t1 mail [email] or [phone], card [card]"}'],
    });
    expect(server.output()).not.toMatch(/ada@|4111|7946/);
  });
});
