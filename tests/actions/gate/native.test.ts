import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "tar";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { installFromRegistry, registryOf } from "../../../actions/runner/runtime/install.ts";
import { locateNative, type NativePlaces } from "../../../actions/runner/runtime/locate.ts";
import type { NativePins } from "../../../actions/runner/runtime/pins.ts";

const contents = { "libonnxruntime.so.1": "a library", "onnxruntime_binding.node": "a binding" };
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const files = Object.entries(contents).map(([name, text]) => ({ name, bytes: text.length, sha256: sha256(text) }));

let dir: string;
let tarball: Buffer;
let pins: NativePins;
let server: Server;
let registry: string;
let asked: string[];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "sluice-native-"));
  const source = join(dir, "source");
  fill(join(source, "package/bin/napi-v6/linux/x64"));
  fill(join(source, "package/bin/napi-v6/win32/x64"));
  writeFileSync(join(source, "package/package.json"), "{}");
  await create({ gzip: true, cwd: source, file: join(dir, "package.tgz") }, ["package"]);
  tarball = readFileSync(join(dir, "package.tgz"));
  pins = {
    package: "onnxruntime-node",
    version: "9.9.9",
    integrity: `sha512-${createHash("sha512").update(tarball).digest("base64")}`,
    folder: "bin/napi-v6",
    binding: "onnxruntime_binding.node",
    platforms: { "linux-x64": files },
  };
  asked = [];
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    if (request.url === "/onnxruntime-node/-/onnxruntime-node-9.9.9.tgz") response.end(tarball);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.close();
  rmSync(dir, { recursive: true, force: true });
});

function fill(folder: string, change: Partial<typeof contents> = {}): string {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries({ ...contents, ...change })) writeFileSync(join(folder, name), text);
  return folder;
}

function places(given: Partial<NativePlaces> = {}): NativePlaces {
  return {
    ortDir: null,
    checkout: join(dir, "checkout"),
    vendored: join(dir, "vendored"),
    modules: join(dir, "node_modules"),
    toolCache: join(dir, "cache"),
    ...given,
  };
}
const locate = (given: Partial<NativePlaces> = {}) =>
  locateNative(pins, places(given), {
    platform: "linux",
    arch: "x64",
    install: (target, wanted) =>
      installFromRegistry(pins, target, wanted, { fetch, registry, platform: "linux", arch: "x64", timeoutMs: 10_000 }),
  });
const inModules = () => join(dir, "node_modules/onnxruntime-node/bin/napi-v6/linux/x64");
const inCache = () => join(dir, "cache/sluice-onnxruntime/9.9.9/linux-x64");

describe("where the native runtime is looked for", () => {
  it("ort-dir, vendored, node_modules, tool cache, download: the first that has it", async () => {
    expect(await locate()).toEqual({ source: "download", binding: join(inCache(), pins.binding) });
    expect(asked).toHaveLength(1);
    expect((await locate()).source).toBe("tool cache");
    fill(inModules());
    expect((await locate()).source).toBe("node_modules");
    fill(join(dir, "vendored"));
    expect((await locate()).source).toBe("vendored");
    expect(await locate({ ortDir: fill(join(dir, "gpu"), { "onnxruntime_binding.node": "another build" }) })).toEqual({
      source: "ort-dir",
      binding: join(dir, "gpu", pins.binding),
    });
    expect(asked).toHaveLength(1);
  });

  it("ort-dir in the checkout counts only with npm's own bytes, also behind a link", async () => {
    const inside = fill(join(dir, "checkout/ort"));
    expect((await locate({ ortDir: inside })).source).toBe("ort-dir");
    fill(inside, { "onnxruntime_binding.node": "A binding" });
    symlinkSync(inside, join(dir, "link"));
    for (const ortDir of [inside, join(dir, "link")])
      await expect(locate({ ortDir })).rejects.toMatchObject({
        name: "ConfigurationError",
        code: "ort-dir-in-checkout",
      });
  });

  it.each([
    ["node_modules", inModules],
    ["tool cache", inCache],
  ])("in %s only npm's own bytes count", async (name, folder) => {
    fill(folder(), { "libonnxruntime.so.1": "A library" });
    const { source } = await locate(name === "tool cache" ? {} : { toolCache: join(dir, "other") });
    expect(source).toBe("download");
  });

  it("names every place and reason if it is found nowhere", async () => {
    server.close();
    fill(inModules(), { "onnxruntime_binding.node": "an older binding" });
    const error = await locate({ toolCache: null }).catch((thrown: Error) => thrown);
    expect(String(error)).toContain("vendored (libonnxruntime.so.1 is not there)");
    expect(String(error)).toContain("16 bytes, not 9: another version");
    expect(String(error)).toContain("RUNNER_TOOL_CACHE is not set");
  });

  it("names the supported platforms if this one is not supported", async () => {
    await expect(
      locateNative(pins, places(), {
        platform: "aix",
        arch: "ppc64",
        install: () => Promise.reject(new Error("never")),
      }),
    ).rejects.toThrow(/aix-ppc64[\s\S]*ort-dir/);
  });
});

describe("the download", () => {
  const install = () =>
    installFromRegistry(pins, inCache(), files, { fetch, registry, platform: "linux", arch: "x64", timeoutMs: 10_000 });

  it("keeps this platform's files and nothing else", async () => {
    await install();
    expect(readdirSync(inCache()).sort()).toEqual(Object.keys(contents).sort());
    expect(readdirSync(join(dir, "cache/sluice-onnxruntime/9.9.9"))).toEqual(["linux-x64"]);
  });

  it.each([
    [
      "a tarball with another digest",
      () => {
        pins.integrity = "sha512-AAAA";
      },
      "not the package that was pinned",
    ],
    [
      "a tarball cut short",
      () => {
        tarball = tarball.subarray(0, tarball.length - 20);
      },
      /./,
    ],
    [
      "a package without the files",
      () => {
        pins.platforms = {};
        files.push({ name: "extra.so", bytes: 1, sha256: "0".repeat(64) });
      },
      "extra.so",
    ],
    [
      "a registry without the package",
      () => {
        pins.version = "0.0.1";
      },
      "answered 404",
    ],
  ])("refuses %s and leaves nothing behind", async (_name, breakIt, words) => {
    breakIt();
    await expect(install()).rejects.toThrow(words);
    expect(existsSync(inCache())).toBe(false);
    expect(
      existsSync(join(dir, "cache/sluice-onnxruntime/9.9.9"))
        ? readdirSync(join(dir, "cache/sluice-onnxruntime/9.9.9"))
        : [],
    ).toEqual([]);
    if (files.at(-1)?.name === "extra.so") files.pop();
  });

  it("asks the registry that npm would ask", () => {
    expect(registryOf({ npm_config_registry: "https://npm.example.org/" })).toBe("https://npm.example.org");
    expect(registryOf({})).toBe("https://registry.npmjs.org");
  });
});
