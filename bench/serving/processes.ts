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
  await new Promise<void>((done) => { server.listen(0, "127.0.0.1", done); });
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => { server.close(done); });
  return port;
}

/** Starts a program and waits until `path` answers 200. `{port}` in the arguments is a free one, or the one that is fixed. @returns null when it ends before that. */
export async function start(command: string, args: readonly string[], path: string, env: Record<string, string> = {}, fixed?: number): Promise<Running | null> {
  const port = fixed ?? await freePort();
  const child: ChildProcess = spawn(command, args.map((one) => one.replace("{port}", String(port))), { cwd: root, stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, ...env } });
  let errors = "";
  child.stderr!.on("data", (chunk: Buffer) => { errors = (errors + String(chunk)).slice(-2000); });
  const url = `http://127.0.0.1:${port}`;
  const end = Date.now() + STUCK_MS;
  for (;;) {
    if (child.exitCode !== null) {
      process.stderr.write(`not measured: ${[command, ...args].join(" ")} ended: ${errors.split("\n").at(-2) ?? ""}\n`);
      return null;
    }
    const ready = await fetch(url + path, path === "/readyz" || path === "/livez" ? {} : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ features: Array.from({ length: 32 }, () => 0) }) }).then(({ status }) => status === 200, () => false);
    if (ready) break;
    if (Date.now() > end) throw new Error(`${command} ${args.join(" ")}: not ready`);
    await new Promise((done) => { setTimeout(done, 20); });
  }
  return {
    url, pid: child.pid!,
    async stop() {
      const gone = new Promise((done) => { child.once("exit", done); });
      child.kill("SIGTERM");
      const force = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await gone;
      clearTimeout(force);
    },
  };
}

export const serve = async (dirs: readonly string[], flags: readonly string[] = [], port?: number) => (await start(process.execPath, [join(root, "cli.ts"), "serve", ...dirs, "--host", "127.0.0.1", "--port", "{port}", "--log-level", "warn", ...flags], "/readyz", {}, port))!;

export type Shot = { requestsPerSecond: number; p50Ms: number; p99Ms: number; errors: number; non2xx: number; statuses: Record<string, { count: number }> };

/** autocannon in a process of its own. `rate`: requests a second, all connections together; as many as possible unless told. */
export function fire(url: string, body: string, seconds: number, options: { connections?: number; rate?: number; headers?: Record<string, string> } = {}): Shot {
  const headers = Object.entries({ "content-type": "application/json", ...options.headers }).flatMap(([name, value]) => ["-H", `${name}=${value}`]);
  // As a file: a large body does not fit on a command line.
  const file = join(tmpdir(), `sluice-bench-body-${process.pid}`);
  writeFileSync(file, body);
  const run = spawnSync(process.execPath, [join(root, "node_modules/autocannon/autocannon.js"), "-j", "-m", "POST", "-c", String(options.connections ?? 64), "-d", String(seconds), "-t", "60", ...(options.rate === undefined ? [] : ["-R", String(options.rate)]), ...headers, "-i", file, url], { encoding: "utf8", maxBuffer: 1e9, timeout: (seconds + 90) * 1000 });
  const result = JSON.parse(run.stdout) as { requests: { average: number; total: number }; latency: { p50: number; p99: number }; errors: number; non2xx: number; statusCodeStats: Shot["statuses"] };
  // What was refused is not served.
  const answered = result.requests.total === 0 ? 0 : (result.statusCodeStats["200"]?.count ?? 0) / result.requests.total;
  return { requestsPerSecond: answered * result.requests.average, p50Ms: result.latency.p50, p99Ms: result.latency.p99, errors: result.errors, non2xx: result.non2xx, statuses: result.statusCodeStats };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}
