import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll } from "vitest";
import { stringify } from "yaml";
import type { ManifestInput } from "../../../models/core/manifest/manifest.ts";
import { fixture, linearManifest, sha256 } from "../../models/core/build.ts";

export const root = resolve(import.meta.dirname, "../../..");
const NODE = join(root, "node_modules/node/bin/node");
/** How long anything in these tests may take before it counts as stuck. */
const STUCK_MS = 50_000;

const folders: string[] = [];
const servers: ServerProcess[] = [];
afterAll(async () => {
  for (const server of servers) await server.kill();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-server-"));
  folders.push(folder);
  return folder;
}

/** A folder with a model: its manifest and, by default, the ONNX file that it names. */
export function modelFolder(
  manifest: ManifestInput,
  files: Record<string, Uint8Array | string> = {},
  dir = join(temporaryFolder(), manifest.id),
): string {
  mkdirSync(dir, { recursive: true });
  const path = manifest.artifact.path!;
  if (files[path] === undefined) writeFileSync(join(dir, path), ownFixtures[path] ?? fixture(path));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content);
  writeFileSync(join(dir, "model.yaml"), stringify(manifest));
  return dir;
}

const own = (name: string) => new Uint8Array(readFileSync(join(import.meta.dirname, "fixtures", name)));
const slowModel = own("slow.onnx");
export const pixelsModel = own("pixels.onnx");
const ownFixtures: Record<string, Uint8Array> = { "slow.onnx": slowModel, "pixels.onnx": pixelsModel };

/** prediction = value, after `work` matrix products; about 7,000 of them take a second. */
export function slowManifest(changes: Partial<ManifestInput> = {}): ManifestInput {
  return {
    schemaVersion: 1,
    id: "slow",
    version: "1.0.0",
    task: "regression",
    artifact: { path: "slow.onnx", sha256: sha256(slowModel) },
    preprocess: {
      row: {
        kind: "tabular",
        columns: { work: { type: "number", min: 0 }, value: { type: "number" } },
        features: [
          { column: "work", encode: "number" },
          { column: "value", encode: "number" },
        ],
      },
    },
    inputs: [{ name: "features", dtype: "float32", shape: ["batch", 2], from: "row.features" }],
    outputs: [{ name: "prediction", dtype: "float32", shape: ["batch", 1] }],
    postprocess: [{ name: "value", from: "prediction", kind: "regression" }],
    serving: { examples: [{ work: 20, value: 1 }] },
    ...changes,
  };
}

export const served = (changes: Partial<ManifestInput> = {}) =>
  linearManifest({ serving: { examples: [{ a: 1, b: 2, c: 3 }] }, ...changes });

export type ServerProcess = {
  url: string;
  process: ChildProcess;
  /** Lines of the log so far, parsed. */
  log(): Record<string, unknown>[];
  output(): string;
  /** Resolves with the exit code; null for a signal. */
  exited: Promise<number | null>;
  kill(): Promise<void>;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
};

/** `sluice serve` in a process of its own, listening on a free port of the loopback. */
export async function serve(
  dirs: readonly string[],
  flags: readonly string[] = [],
  options: { ready?: boolean; env?: Record<string, string> } = {},
): Promise<ServerProcess> {
  const child = spawn(
    NODE,
    [join(root, "cli.ts"), "serve", ...dirs, "--host", "127.0.0.1", "--port", "0", "--sweep-budget-ms", "60", ...flags],
    { cwd: root, env: { PATH: process.env["PATH"] ?? "", ...options.env }, stdio: ["ignore", "pipe", "pipe"] },
  );
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk: Buffer) => {
    out += String(chunk);
  });
  child.stderr.on("data", (chunk: Buffer) => {
    err += String(chunk);
  });
  const exited = new Promise<number | null>((done) => {
    child.once("close", (code) => done(code));
  }); // "exit" would be too early: the last log lines may still be in the pipe
  const url = await until(async () => {
    if (child.exitCode !== null) await exited;
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}: ${err}${out}`);
    return / at (http:\S+)/.exec(err)?.[1];
  });
  const call = (path: string, init: RequestInit) =>
    fetch(url + path, { ...init, signal: AbortSignal.timeout(STUCK_MS) });
  const server: ServerProcess = {
    url,
    process: child,
    exited,
    log: () =>
      out
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    output: () => out + err,
    async kill() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await exited;
    },
    get: (path, headers = {}) => call(path, { headers }),
    post: (path, body, headers = {}) =>
      call(path, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" || body instanceof Uint8Array ? (body as never) : JSON.stringify(body),
      }),
  };
  servers.push(server);
  if (options.ready !== false)
    await until(async () => ((await server.get("/readyz")).status === 200 ? true : undefined));
  return server;
}

/** Repeats the request until there is an answer; fails when there is none in time. */
export async function until<T>(ask: () => T | undefined | Promise<T | undefined>, timeoutMs = STUCK_MS): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error("waited in vain");
    await new Promise((done) => {
      setTimeout(done, 15);
    });
  }
}

/** One value of /metrics: the sum over all series of that name whose labels contain `labels`. */
export async function metric(server: ServerProcess, name: string, labels = ""): Promise<number> {
  const text = await (await server.get("/metrics")).text();
  return text
    .split("\n")
    .filter((line) => (line.startsWith(`${name}{`) || line.startsWith(`${name} `)) && line.includes(labels))
    .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

export const json = async (response: Response) => (await response.json()) as Record<string, never>;
