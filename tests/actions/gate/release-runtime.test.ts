import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "tar";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installFromRelease } from "../../../actions/runner/runtime/install.ts";
import { runtimeOfRelease } from "../../../actions/runner/runtime/prepare.ts";
import { sluiceVersion } from "../../../models/core/version.ts";

const contents = { "libonnxruntime.so.1": "a library", "onnxruntime_binding.node": "a binding" };
const files = Object.entries(contents).map(([name, text]) => ({
  name,
  bytes: text.length,
  sha256: createHash("sha256").update(text).digest("hex"),
}));
const dir = mkdtempSync(join(tmpdir(), "sluice-release-runtime-"));
let server: Server;
let origin: string;

async function pack(name: string, texts: Record<string, string>): Promise<void> {
  const cwd = join(dir, `${name}-files`);
  mkdirSync(cwd);
  for (const [file, text] of Object.entries(texts)) writeFileSync(join(cwd, file), text);
  await create({ gzip: true, cwd, file: join(dir, `${name}.tgz`) }, Object.keys(texts));
}

beforeAll(async () => {
  await pack("good", contents);
  await pack("forged", { ...contents, "libonnxruntime.so.1": "b library" });
  await pack("short", { "onnxruntime_binding.node": "a binding" });
  await pack("more", { ...contents, "evil.node": "another file" });
  server = createServer((request, response) => {
    const file = join(dir, (request.url ?? "").slice(1));
    if (existsSync(file)) response.end(readFileSync(file));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  rmSync(dir, { recursive: true, force: true });
});

const install = (name: string) =>
  installFromRelease(`${origin}/${name}.tgz`, join(dir, "cache", name), files, { fetch, timeoutMs: 10_000 });

describe("the runtime of a release", () => {
  it("is kept when every file is the one that the bundle was built with, and nothing else of the tarball is", async () => {
    await install("good");
    await install("more");
    for (const name of ["good", "more"])
      expect(readdirSync(join(dir, "cache", name)).toSorted()).toEqual(Object.keys(contents).toSorted());
  });

  it.each([
    ["forged", /is not the pinned file/],
    ["short", /libonnxruntime/],
    ["absent", /answered 404/],
  ])("leaves nothing behind when it is %s", async (name, message) => {
    await expect(install(name)).rejects.toThrow(message);
    expect(existsSync(join(dir, "cache", name))).toBe(false);
    expect(readdirSync(join(dir, "cache")).filter((one) => one.includes("draft"))).toEqual([]);
  });

  it("lies where the action's own repository releases it", () => {
    const file = "onnxruntime-1.0.0-linux-x64.tgz";
    expect(runtimeOfRelease({ GITHUB_ACTION_REPOSITORY: "octo/sluice" }, file)).toBe(
      `https://github.com/octo/sluice/releases/download/v${sluiceVersion}/${file}`,
    );
    expect(runtimeOfRelease({ SLUICE_REPOSITORY: "octo/sluice", GITHUB_SERVER_URL: "https://ghe.example" }, file)).toBe(
      `https://ghe.example/octo/sluice/releases/download/v${sluiceVersion}/${file}`,
    );
    expect(runtimeOfRelease({}, file)).toBeNull();
    expect(runtimeOfRelease({ SLUICE_REPOSITORY: "../x" }, file)).toBeNull();
    expect(runtimeOfRelease({ SLUICE_REPOSITORY: "octo/sluice?x" }, file)).toBeNull();
  });
});
