import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { ConfigurationError, EvaluationError } from "../../../models/core/errors.ts";
import type { NativePins, PinnedFile } from "./pins.ts";

/** Where the native runtime may be, in search order. */
export type NativePlaces = {
  /** The `ort-dir` input, a directory that the machine's owner provides; null if not given. */
  ortDir: string | null;
  /** The checked-out repository. */
  checkout: string;
  /** native/PLATFORM-ARCH beside the action, present on release commits. */
  vendored: string;
  /** node_modules of the checked-out repository. */
  modules: string;
  /** The runner's tool cache, which a self-hosted machine keeps between jobs; null if the runner has none. */
  toolCache: string | null;
};

type NativeDeps = {
  platform: string;
  arch: string;
  /** Downloads and unpacks the pinned package into a new folder, and verifies it. */
  install: (target: string, files: readonly PinnedFile[]) => Promise<void>;
};

export type NativeRuntime = {
  binding: string;
  source: "ort-dir" | "vendored" | "node_modules" | "tool cache" | "download";
};

/**
 * Finds the native ONNX Runtime: `ort-dir` → vendored → node_modules → tool cache → download into the tool cache.
 *
 * The machine's owner is trusted for `ort-dir` (GPU builds differ from npm's), unless it lies in the checkout. The
 * vendored files are trusted because they are in the same commit as this code. Anything else is used only if its SHA-256 is the one that the action was
 * built against. A pull request may bring its own node_modules, and a shared machine its own cache; neither may replace
 * the runtime that judges the model.
 *
 * @throws ConfigurationError if `ort-dir` holds no runtime; EvaluationError naming every place tried
 */
export async function locateNative(pins: NativePins, places: NativePlaces, deps: NativeDeps): Promise<NativeRuntime> {
  const key = `${deps.platform}-${deps.arch}`;
  const files = pins.platforms[key];
  if (places.ortDir !== null) {
    const binding = await inOrtDir(places.ortDir, pins, deps);
    await requireTrusted(dirname(binding), places, files);
    return { binding, source: "ort-dir" };
  }

  if (files === undefined) {
    throw new EvaluationError({
      code: "native-platform",
      problem: `${pins.package} ${pins.version} has no build for this machine`,
      expected: Object.keys(pins.platforms).join(", "),
      received: key,
      hint: "provide a directory with the runtime through the input ort-dir",
    });
  }
  const tried: string[] = [];
  const inModules = join(places.modules, pins.package, pins.folder, deps.platform, deps.arch);
  const cached = places.toolCache === null ? null : join(places.toolCache, "sluice-onnxruntime", pins.version, key);
  for (const [source, dir] of [
    ["vendored", places.vendored],
    ["node_modules", inModules],
    ["tool cache", cached],
  ] as const) {
    if (dir === null) continue;
    const problem = (await sizesDiffer(dir, files)) ?? (source === "vendored" ? null : await digestsDiffer(dir, files));
    if (problem === null) return { binding: join(dir, pins.binding), source };
    tried.push(`${dir} (${problem})`);
  }
  if (cached === null) {
    tried.push("download into the tool cache (RUNNER_TOOL_CACHE is not set)");
  } else {
    try {
      await deps.install(cached, files);
      return { binding: join(cached, pins.binding), source: "download" };
    } catch (error) {
      tried.push(
        `download of ${pins.package}@${pins.version} (${error instanceof Error ? error.message : String(error)})`,
      );
    }
  }
  throw new EvaluationError({
    code: "native-missing",
    problem: `the native ONNX Runtime ${pins.version} for ${key} is nowhere to be found`,
    expected: "one of these places to hold it",
    received: tried.map((place) => `\n    - ${place}`).join(""),
    hint: `use a release of the action (it carries the runtime), or run \`npm install --no-save ${pins.package}@${pins.version}\` in a step before it, or set ort-dir to a directory that holds ${pins.binding}`,
  });
}

async function inOrtDir(dir: string, pins: NativePins, { platform, arch }: NativeDeps): Promise<string> {
  const candidates = [
    dir,
    join(dir, pins.folder, platform, arch),
    join(dir, "node_modules", pins.package, pins.folder, platform, arch),
  ].map((folder) => join(folder, pins.binding));
  for (const candidate of candidates) if ((await sizeOf(candidate)) !== null) return candidate;
  throw new ConfigurationError({
    code: "ort-dir",
    problem: "ort-dir holds no native ONNX Runtime",
    place: "input ort-dir",
    expected: candidates.join(" or "),
    received: dir,
    example: "ort-dir: /opt/onnxruntime-node",
  });
}

/**
 * A pull request may have put its own library into the checkout, and what is loaded runs.
 * @throws ConfigurationError for a library in the checkout that is not npm's
 */
async function requireTrusted(
  dir: string,
  { checkout, ortDir }: NativePlaces,
  files: readonly PinnedFile[] | undefined,
): Promise<void> {
  const route = relative(await realpath(checkout).catch(() => checkout), await realpath(dir));
  if (route === ".." || route.startsWith(`..${sep}`) || isAbsolute(route)) return;
  const problem =
    files === undefined
      ? "npm has no build for this machine"
      : ((await sizesDiffer(dir, files)) ?? (await digestsDiffer(dir, files)));
  if (problem === null) return;
  throw new ConfigurationError({
    code: "ort-dir-in-checkout",
    problem: `ort-dir lies in the checked-out repository, where a pull request can replace it: ${problem}`,
    place: "input ort-dir",
    expected: "a folder of the machine, outside the checkout, or npm's own files",
    received: ortDir ?? dir,
    example: "ort-dir: /opt/onnxruntime-node",
  });
}

/** Null if every file exists with the pinned length; otherwise a description of the first difference. */
async function sizesDiffer(dir: string, files: readonly PinnedFile[]): Promise<string | null> {
  for (const file of files) {
    const bytes = await sizeOf(join(dir, file.name));
    if (bytes === null) return `${file.name} is not there`;
    if (bytes !== file.bytes) return `${file.name} has ${bytes} bytes, not ${file.bytes}: another version`;
  }
  return null;
}

/**
 * Null if every file has the pinned bytes; otherwise a description of the first difference. Takes 50 to 150 ms for 46
 * MB.
 */
async function digestsDiffer(dir: string, files: readonly PinnedFile[]): Promise<string | null> {
  for (const file of files) {
    const hash = createHash("sha256");
    await pipeline(createReadStream(join(dir, file.name), { highWaterMark: 1 << 20 }), hash);
    if (hash.digest("hex") !== file.sha256) return `${file.name} is not npm's file: its SHA-256 differs`;
  }
  return null;
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : null;
  } catch {
    return null;
  }
}
