import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fetchArtifact, type ArtifactDeps } from "../../../models/core/artifact/artifact.ts";
import { fixture, refusal, sha256, temporaryFolder } from "./build.ts";

/** A Hub with one repository. `resolve` answers as the real one does, including Range requests, and fails on demand. */
type Fault = "none" | "cut" | "short" | "corrupt" | "busy-once" | "down" | "denied" | "no-repo";
const files: Record<string, Uint8Array> = {
  "onnx/linear.onnx": fixture("linear.onnx"),
  "onnx/external.onnx": fixture("external.onnx"),
  "onnx/external.onnx.data": fixture("external.onnx.data"),
};
let server: Server;
let fault: Fault;
let requests: { url: string; range: string | undefined; authorization: string | undefined }[];
let deps: ArtifactDeps & { cacheDir: string };
let waits: number[];

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push({
      url: request.url ?? "",
      range: request.headers.range,
      authorization: request.headers.authorization,
    });
    const failing = (status: number, headers: Record<string, string> = {}) =>
      response.writeHead(status, headers).end('{"error":"no"}');
    if (fault === "down") return failing(503);
    if (fault === "busy-once" && requests.length === 1) return failing(429, { "Retry-After": "7" });
    if (fault === "denied") return failing(401);
    if (fault === "no-repo") return failing(404, { "X-Error-Code": "RepoNotFound" });
    const path = /^\/org\/repo\/resolve\/v1\/(.*)$/.exec(request.url ?? "")?.[1];
    const whole = path === undefined ? undefined : files[path];
    if (whole === undefined) return failing(404, { "X-Error-Code": "EntryNotFound" });
    const bytes = Buffer.from(whole);
    const etag = { ETag: `"${sha256(bytes)}"` };
    if (request.headers.range === "bytes=0-0")
      return response
        .writeHead(206, { ...etag, "Content-Range": `bytes 0-0/${bytes.length}`, "Content-Length": "1" })
        .end(bytes.subarray(0, 1));
    if (fault === "corrupt") bytes[bytes.length >> 1]! ^= 0xff;
    if (fault === "short")
      return response
        .writeHead(200, { ...etag, "Content-Length": String(bytes.length - 5) })
        .end(bytes.subarray(0, -5));
    response.writeHead(200, { ...etag, "Content-Length": String(bytes.length) });
    if (fault === "cut") return response.write(bytes.subarray(0, 20), () => response.destroy());
    return response.end(bytes);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
});
afterAll(
  () =>
    new Promise((done) => {
      server.closeAllConnections();
      server.close(done);
    }),
);

beforeEach(() => {
  fault = "none";
  requests = [];
  waits = [];
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  deps = {
    env: { HF_ENDPOINT: url, HF_TOKEN: "hf_secret" },
    fetch,
    cacheDir: join(temporaryFolder(), "cache"),
    sleep: async (ms) => {
      waits.push(ms);
    },
  };
});

const artifact = (name = "linear.onnx", externalData: { path: string; sha256: string }[] = []) => ({
  hub: `org/repo@v1/onnx/${name}`,
  sha256: sha256(files[`onnx/${name}`] ?? ""),
  externalData,
});
const get = () => fetchArtifact(artifact(), "/nowhere", deps);
const cached = (digest: string) => join(deps.cacheDir, "sha256", digest.slice(0, 2), digest);

describe("an artifact on the Hub", () => {
  it("is downloaded with the token, verified, and kept by its content", async () => {
    const model = await get();
    expect(Buffer.from(model.bytes).equals(files["onnx/linear.onnx"]!)).toBe(true);
    expect(readFileSync(cached(model.sha256))).toHaveLength(model.bytes.length);
    expect(requests.every(({ authorization }) => authorization === "Bearer hf_secret")).toBe(true);
    const before = requests.length;
    await get();
    expect(requests).toHaveLength(before);
  });

  it("is downloaded together with the external data beside it", async () => {
    const model = await fetchArtifact(
      artifact("external.onnx", [{ path: "external.onnx.data", sha256: sha256(files["onnx/external.onnx.data"]!) }]),
      "/nowhere",
      deps,
    );
    expect(model.externalData[0]!.bytes).toHaveLength(16);
    const error = await refusal(() =>
      fetchArtifact(artifact("external.onnx", [{ path: "../../secret", sha256: "0".repeat(64) }]), "/nowhere", deps),
    );
    expect(error.code).toBe("artifact-outside");
  });

  it("drops a corrupt cache entry and fetches it again", async () => {
    const { sha256: digest } = await get();
    writeFileSync(cached(digest), "rotten");
    const before = requests.length;
    expect((await get()).sha256).toBe(digest);
    expect(requests.length).toBeGreaterThan(before);
    expect(sha256(readFileSync(cached(digest)))).toBe(digest);
  });

  it("waits as long as the Hub asks and tries again", async () => {
    fault = "busy-once";
    await get();
    expect(waits).toEqual([7000]);
  });

  it.each<[Fault, string, RegExp]>([
    ["cut", "artifact-truncated", /expected: 196 bytes/],
    ["short", "artifact-truncated", /received: 191 bytes/],
    ["corrupt", "artifact-digest", /expected: sha256/],
    ["down", "hub-refused", /HTTP 503/],
    ["denied", "hub-denied", /HF_TOKEN/],
    ["no-repo", "hub-missing", /RepoNotFound/],
  ])("%s → %s, and nothing stays in the cache", async (kind, code, message) => {
    fault = kind;
    const error = await refusal(get);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain("hf_secret");
    const left = existsSync(deps.cacheDir)
      ? readdirSync(deps.cacheDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
      : [];
    expect(left).toEqual([]);
  });

  it("names a file that is not there", async () => {
    expect((await refusal(() => fetchArtifact(artifact("none.onnx"), "/nowhere", deps))).code).toBe("hub-missing");
  });

  it("refuses a file above the cap before downloading it", async () => {
    const error = await refusal(() => fetchArtifact(artifact(), "/nowhere", { ...deps, maxBytes: 100 }));
    expect(error.code).toBe("artifact-too-large");
    expect(requests.every(({ range }) => range === "bytes=0-0")).toBe(true);
  });

  it("tells an unreachable Hub from a refusing one", async () => {
    const error = await refusal(() =>
      fetchArtifact(artifact(), "/nowhere", { ...deps, env: { HF_ENDPOINT: "http://127.0.0.1:9" } }),
    );
    expect(error.code).toBe("hub-unreachable");
  });
});
