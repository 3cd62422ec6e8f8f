import { connect } from "node:net";
import fc from "fast-check";

export type Oddity = {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | Uint8Array | null;
};

const PATHS = [
  "/predict",
  "/predict/batch",
  "/models",
  "/model/info",
  "/livez",
  "/readyz",
  "/metrics",
  "/openapi.json",
  "/docs",
  "/",
  "/v2",
  "/v2/health/ready",
];
const fields = fc.constantFrom(
  "a",
  "b",
  "c",
  "date",
  "history",
  "text",
  "rows",
  "inputs",
  "outputs",
  "id",
  "__proto__",
  "constructor",
  "toString",
  "",
);
const leaf = fc.oneof(
  fc.double({ noNaN: true }),
  fc.integer(),
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom("2003-12-25", "2003-02-30", "t1", 1e308, -1e308, 1e-320, Number.MAX_SAFE_INTEGER),
);
const value = fc.letrec((tie) => ({
  node: fc.oneof(
    { depthSize: "small", maxDepth: 4 },
    leaf,
    fc.array(tie("node"), { maxLength: 30 }),
    fc.dictionary(fields, tie("node"), { maxKeys: 6 }),
  ),
})).node;

/** Something close to an inference request of the v2 protocol, with arbitrary values for its parts. */
const inference = fc.record(
  {
    id: fc.option(value, { nil: undefined }),
    inputs: fc.array(
      fc.record(
        {
          name: fc.constantFrom("features", "input_ids", "attention_mask", "x"),
          datatype: fc.constantFrom("FP32", "INT64", "BYTES", "FP16", "BOOL", "?"),
          shape: fc.array(fc.integer({ min: -2, max: 80 }), { maxLength: 4 }),
          data: fc.oneof(fc.array(fc.double({ noNaN: true }), { maxLength: 80 }), value),
          parameters: fc.option(fc.dictionary(fc.constantFrom("binary_data_size", "binary_data"), leaf), {
            nil: undefined,
          }),
        },
        { requiredKeys: ["name", "shape", "datatype"] },
      ),
      { maxLength: 3 },
    ),
  },
  { requiredKeys: ["inputs"] },
);

const births = fc.record({
  date: fc.oneof(fc.constantFrom("2003-12-25", "2000-02-29"), leaf),
  history: fc.array(fc.oneof(fc.double({ noNaN: true }), fc.constantFrom(0, 10_000, 1e300)), {
    minLength: 27,
    maxLength: 29,
  }),
});
const text = fc.record({ text: fc.string({ unit: "binary", maxLength: 400 }) });
const number = fc.oneof(fc.double({ noNaN: true }), fc.integer());
const linear = fc.record({ a: number, b: number, c: number });

/** Requests close to valid ones: the right paths with wrong bodies, headers or methods. */
export function malformedRequest(models: readonly string[]): fc.Arbitrary<Oddity> {
  const path = fc.oneof(
    fc.constantFrom(
      ...PATHS,
      ...models.flatMap((id) => [
        `/models/${id}`,
        `/models/${id}/predict`,
        `/models/${id}/predict/batch`,
        `/v2/models/${id}`,
        `/v2/models/${id}/infer`,
        `/v2/models/${id}/versions/1/infer`,
      ]),
    ),
    fc.webPath(),
    fc.string({ unit: "grapheme-ascii", maxLength: 60 }).map((one) => `/${one.replaceAll(/[\s#]/g, "")}`),
  );
  const payload = fc.oneof(
    {
      weight: 4,
      arbitrary: fc
        .oneof(
          value,
          inference,
          births,
          text,
          linear,
          fc.record({ rows: fc.array(fc.oneof(value, births, text, linear), { maxLength: 5 }) }),
        )
        .map((one) => JSON.stringify(one) ?? ""),
    },
    { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 200 }) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 30_000 }).map((depth) => "[".repeat(depth) + "]".repeat(depth)) },
  );
  const headers = fc.record(
    {
      "content-type": fc.constantFrom(
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=latin1",
        "application/octet-stream",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/json/",
        "",
      ),
      accept: fc.constantFrom("*/*", "text/html", "application/json;q=x", ";;;"),
      "x-request-timeout-ms": fc.constantFrom("100", "0", "-1", "1e9", "999999999999", "NaN", ""),
      "inference-header-content-length": fc.constantFrom("0", "1", "20", "99999", "-1", "x"),
      "content-encoding": fc.constantFrom("gzip", "identity"),
      "x-request-id": fc.string({ unit: fc.constantFrom("a", "/", '"', " ", "é"), maxLength: 40 }),
      traceparent: fc.constantFrom("00-0-0-0", "x"),
      authorization: fc.constantFrom("Bearer", "Basic eDp5"),
      "if-none-match": fc.constantFrom("*", '"x"', ","),
    },
    { requiredKeys: [] },
  );
  return fc
    .record({
      method: fc.constantFrom("POST", "POST", "POST", "POST", "GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"),
      path,
      headers,
      body: fc.option(payload, { nil: null }),
    })
    .map((one) => (one.method === "GET" || one.method === "HEAD" ? { ...one, body: null } : one));
}

/**
 * Sends a request.
 *
 * @returns what is wrong with the response; null when it is one that a server may give.
 */
export async function oddities(base: string, { method, path, headers, body }: Oddity): Promise<string | null> {
  let response: Response;
  try {
    const clean = Object.fromEntries(
      Object.entries(headers).map(([name, text]) => [name, text.replaceAll(/[^\x20-\x7e]/g, "")]),
    );
    response = await fetch(base + path, {
      method,
      headers: clean,
      body: body as never,
      redirect: "manual",
      signal: AbortSignal.timeout(15_000),
    });
  } catch (error) {
    if (error instanceof TypeError && (error as { code?: string }).code === "ERR_INVALID_URL") return null;
    return `${method} ${path}: no answer: ${String((error as Error).cause ?? error)}`;
  }
  const text = await response.text();
  // A model whose numbers are not finite for absurd input is not the caller's fault, and no crash either.
  const crashed = response.status === 500 && !text.includes("output-not-finite") && !text.includes("not finite");
  if (crashed || response.status > 504) return `${method} ${path}: ${response.status} ${text.slice(0, 300)}`;
  if (response.status >= 400 && method !== "HEAD") {
    const isV2 = /^\/v2(\/|$)/.test(path);
    const type = response.headers.get("content-type");
    if (type !== "application/problem+json" && !(isV2 && type === "application/json") && response.status !== 503)
      return `${method} ${path}: ${response.status} as ${type}: ${text.slice(0, 200)}`;
    JSON.parse(text);
  }
  // The API page's own code contains such words.
  if (!path.startsWith("/docs") && /node_modules|at \S+ \(\S+:\d+:\d+\)|file:\/\//.test(text))
    return `${method} ${path}: a stack trace: ${text.slice(0, 300)}`;
  return null;
}

/** Bytes that a socket may receive: halves of requests, wrong lengths, smuggling, noise. */
export function brokenBytes(): fc.Arbitrary<Uint8Array> {
  const body = '{"a":1,"b":2,"c":3}';
  const head = "POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
  return fc.oneof(
    fc.uint8Array({ maxLength: 500 }),
    fc.string({ unit: "binary", maxLength: 300 }).map((one) => new TextEncoder().encode(one)),
    fc
      .record({ cut: fc.integer({ min: 1, max: head.length + 40 }) })
      .map(({ cut }) => new TextEncoder().encode(`${head}content-length: ${body.length}\r\n\r\n${body}`.slice(0, cut))),
    fc
      .constantFrom(
        `${head}content-length: -1\r\n\r\n${body}`,
        `${head}content-length: 5\r\ncontent-length: 6\r\n\r\n${body}`,
        `${head}content-length: 99999999999999999999\r\n\r\n`,
        `${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
        `${head}transfer-encoding: chunked\r\n\r\nZZ\r\n${body}\r\n0\r\n\r\n`,
        `${head}transfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n`,
        `${head}expect: 100-continue\r\ncontent-length: ${body.length}\r\n\r\n`,
        `${head}expect: nonsense\r\ncontent-length: 2\r\n\r\n{}`,
        `GET / HTTP/1.1\r\nhost: x\r\nbig: ${"x".repeat(40_000)}\r\n\r\n`,
        "GET / HTTP/9.9\r\n\r\n",
        "GET /\r\n\r\n",
        "GET http://other/ HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET * HTTP/1.1\r\nhost: x\r\n\r\n",
        "CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        `${head}content-length: ${body.length}\r\n\r\n${body}GET /livez HTTP/1.1\r\nhost: x\r\n\r\nGARBAGE\r\n\r\n`,
        "\0\0\0\0",
        "\r\n\r\n\r\n",
      )
      .map((one) => new TextEncoder().encode(one)),
  );
}

/**
 * Writes the bytes and half-closes the socket.
 *
 * @returns what came until the server closed it too, or fell silent.
 */
export function askRaw(port: number, bytes: Uint8Array): Promise<string> {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    const end = () => {
      socket.destroy();
      done(answer);
    };
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
    });
    socket.on("error", end);
    socket.on("close", end);
    // Half a request stays open until the client gives up, which is allowed.
    socket.setTimeout(250, end);
    socket.end(bytes);
  });
}
