import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");
const STUCK_MS = 120_000;

export type Running = { url: string; pid: number; stop(): Promise<void> };

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => {
    server.listen(0, "127.0.0.1", done);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => {
    server.close(done);
  });
  return port;
}

/**
 * Starts a program and waits until `path` answers 200. `{port}` in the arguments becomes `fixed`, or else a free port.
 * @returns null when the program ends before that
 */
export async function start(
  command: string,
  args: readonly string[],
  path: string,
  env: Record<string, string> = {},
  fixed?: number,
  cwd = root,
): Promise<Running | null> {
  const port = fixed ?? (await freePort());
  const withPort = (text: string) => text.replace("{port}", String(port));
  const child: ChildProcess = spawn(command, args.map(withPort), {
    cwd,
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...Object.fromEntries(Object.entries(env).map(([name, value]) => [name, withPort(value)])) },
  });
  let errors = "";
  child.stderr!.on("data", (chunk: Buffer) => {
    errors = (errors + String(chunk)).slice(-2000);
  });
  const url = `http://127.0.0.1:${port}`;
  const end = Date.now() + STUCK_MS;
  for (;;) {
    if (child.exitCode !== null) {
      process.stderr.write(`not measured: ${[command, ...args].join(" ")} ended: ${errors.split("\n").at(-2) ?? ""}\n`);
      return null;
    }
    const ready = await fetch(
      url + path,
      path === "/readyz" || path === "/livez"
        ? {}
        : {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ features: Array.from({ length: 32 }, () => 0) }),
          },
    ).then(
      ({ status }) => status === 200,
      () => false,
    );
    if (ready) break;
    if (Date.now() > end) throw new Error(`${command} ${args.join(" ")}: not ready`);
    await new Promise((done) => {
      setTimeout(done, 20);
    });
  }
  return {
    url,
    pid: child.pid!,
    async stop() {
      const exited = new Promise((done) => {
        child.once("exit", done);
      });
      child.kill("SIGTERM");
      const force = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await exited;
      clearTimeout(force);
    },
  };
}

export const serve = async (dirs: readonly string[], flags: readonly string[] = [], port?: number) =>
  (await start(
    process.execPath,
    [
      join(root, "cli.ts"),
      "serve",
      ...dirs,
      "--host",
      "127.0.0.1",
      "--port",
      "{port}",
      "--log-level",
      "warn",
      ...flags,
    ],
    "/readyz",
    {},
    port,
  ))!;

export type Load = {
  connections?: number;
  /** Content type; default: JSON. */
  type?: string;
  header?: readonly [name: string, value: string];
};

/**
 * Runs wrk with one thread, as fast as the connections (default: 64) are answered. `body`: what to send, or many
 * one-line bodies that are sent in turn.
 */
export function runWrk(url: string, body: string | Buffer | readonly string[], seconds: number, load: Load = {}): Shot {
  const file = join(tmpdir(), `sluice-bench-body-${process.pid}`);
  const lines = Array.isArray(body);
  writeFileSync(file, lines ? body.join("\n") : (body as string | Buffer));
  const run = spawnSync(
    "wrk",
    [
      "-t1",
      `-c${load.connections ?? 64}`,
      `-d${seconds}s`,
      "--timeout",
      "60s",
      "-s",
      join(import.meta.dirname, "load.lua"),
      url,
      "--",
      file,
      lines ? "lines" : "whole",
      load.type ?? "application/json",
      ...(load.header ?? []),
    ],
    { encoding: "utf8", timeout: (seconds + 90) * 1000 },
  );
  const summary = run.stdout?.split("\n").findLast((line) => line.startsWith("{"));
  if (summary === undefined)
    throw new Error(`wrk (Debian: apt install wrk) is needed: ${run.error?.message ?? run.stderr}`);
  const {
    requests,
    seconds: took,
    non2xx,
    errors,
    p50Ms,
    p99Ms,
  } = JSON.parse(summary) as {
    requests: number;
    seconds: number;
    non2xx: number;
    errors: number;
    p50Ms: number;
    p99Ms: number;
  };
  // Refused requests do not count as served.
  return { requestsPerSecond: (requests - non2xx) / took, p50Ms, p99Ms, errors, non2xx };
}

export type Shot = { requestsPerSecond: number; p50Ms: number; p99Ms: number; errors: number; non2xx: number };
export type OpenShot = { p99Ms: number; errors: number; statuses: Record<string, { count: number }> };

/**
 * Runs autocannon in its own process. `rate`: requests per second over all connections, whether or not they are
 * answered; by default, as many as are answered.
 */
export function runAutocannon(
  url: string,
  body: string,
  seconds: number,
  connections: number,
  rate?: number,
): OpenShot {
  const run = spawnSync(
    process.execPath,
    [
      join(root, "node_modules/autocannon/autocannon.js"),
      "-j",
      "-m",
      "POST",
      "-c",
      String(connections),
      "-d",
      String(seconds),
      "-t",
      "60",
      ...(rate === undefined ? [] : ["-R", String(rate)]),
      "-H",
      "content-type=application/json",
      "-b",
      body,
      url,
    ],
    { encoding: "utf8", maxBuffer: 1e9, timeout: (seconds + 90) * 1000 },
  );
  const result = JSON.parse(run.stdout) as {
    latency: { p99: number };
    errors: number;
    statusCodeStats: OpenShot["statuses"];
  };
  return { p99Ms: result.latency.p99, errors: result.errors, statuses: result.statusCodeStats };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}
