import { request } from "node:http";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { modelFolder, serve, served, type ServerProcess } from "./harness.ts";

let server: ServerProcess;
beforeAll(async () => {
  server = await serve([modelFolder(served())], ["--max-body-bytes", "100000"]);
});

type Answer = { status: number; body: Record<string, unknown>; headers: NodeJS.Dict<string | string[]> };

/** Sends exactly these headers: `fetch` would add a Content-Type. */
function send(path: string, body: Buffer, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${server.url}${path}`,
      {
        method: "POST",
        headers: "transfer-encoding" in headers ? headers : { "content-length": String(body.length), ...headers },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          const json = text.slice(0, Number(response.headers["inference-header-content-length"] ?? text.length));
          resolve({
            status: response.statusCode ?? 0,
            body: JSON.parse(json) as Record<string, unknown>,
            headers: response.headers,
          });
        });
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

const row = Buffer.from(JSON.stringify({ a: 1, b: 2, c: 3 }));
const inference = Buffer.from(
  JSON.stringify({ inputs: [{ name: "features", datatype: "FP32", shape: [1, 3], data: [1, 2, 3] }] }),
);
const json = { "content-type": "application/json" };

describe("a body without a Content-Type", () => {
  it("is JSON for the inference protocol", async () => {
    expect((await send("/v2/models/linear/infer", inference)).status).toBe(200);
  });

  it("is JSON and tensors for the inference protocol when a header says so", async () => {
    const head = Buffer.from(
      JSON.stringify({
        inputs: [{ name: "features", datatype: "FP32", shape: [1, 3], parameters: { binary_data_size: 12 } }],
      }),
    );
    const body = Buffer.concat([head, Buffer.from(Float32Array.of(1, 2, 3).buffer)]);
    const { status } = await send("/v2/models/linear/infer", body, {
      "inference-header-content-length": String(head.length),
    });
    expect(status).toBe(200);
  });

  it("is refused elsewhere, with what is expected", async () => {
    const { status, body } = await send("/predict", row);
    expect([status, body["code"], body["detail"]]).toEqual([
      415,
      "media-type",
      "no Content-Type; expected application/json",
    ]);
  });
});

describe("a compressed body", () => {
  it.each([
    ["gzip", gzipSync(row)],
    ["deflate", deflateSync(row)],
    ["br", brotliCompressSync(row)],
  ])("of %s is decoded", async (encoding, body) => {
    expect((await send("/predict", body, { ...json, "content-encoding": encoding })).status).toBe(200);
  });

  it("is decoded for the inference protocol", async () => {
    const { status } = await send("/v2/models/linear/infer", gzipSync(inference), { "content-encoding": "gzip" });
    expect(status).toBe(200);
  });

  it("that is not what it says is refused", async () => {
    for (const encoding of ["gzip", "deflate", "br"]) {
      const { status, body } = await send("/predict", row, { ...json, "content-encoding": encoding });
      expect([status, body["code"]], encoding).toEqual([400, "content-encoding"]);
    }
  });

  it("of another encoding is refused, with those that are decoded", async () => {
    const { status, headers } = await send("/predict", row, { ...json, "content-encoding": "zstd" });
    expect([status, headers["accept-encoding"]]).toEqual([415, "gzip, x-gzip, deflate, br"]);
  });

  it("that unpacks to more than the limit is refused", async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000, " "));
    const { status, body } = await send("/predict", bomb, { ...json, "content-encoding": "gzip" });
    expect([status, body["code"]]).toEqual([413, "body-too-large"]);
    expect((await send("/predict", row, json)).status).toBe(200);
  });
});

describe("JSON", () => {
  it("may begin with a byte order mark, and is UTF-8 whatever it says", async () => {
    expect((await send("/predict", Buffer.concat([Buffer.from("\uFEFF"), row]), json)).status).toBe(200);
    const type = (charset: string) => ({ "content-type": `application/json; charset=${charset}` });
    expect((await send("/predict", row, type("UTF8"))).status).toBe(200);
    expect((await send("/predict", row, type("latin1"))).status).toBe(415);
  });
});

describe("a body that is too large", () => {
  it("gets its 413, never a broken pipe, with a length and without one", async () => {
    const large = Buffer.alloc(12_000_000, " ");
    for (const headers of [json, { ...json, "transfer-encoding": "chunked" }])
      for (let i = 0; i < 5; i++) {
        const { status, body } = await send("/predict", large, headers);
        expect([status, body["code"]]).toEqual([413, "body-too-large"]);
      }
  });
});

it("readiness is said in the words of the protocol and of KServe's client", async () => {
  expect(await (await server.get("/v2/health/ready")).json()).toEqual({ live: true, ready: true });
});
