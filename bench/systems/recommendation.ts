import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@redis/client";
import { tableBuilder } from "../../models/core/lookup/encode-table.ts";
import { encodeEvents } from "../../models/core/lookup/remote-value.ts";
import { load, type Load } from "./recommendation/load.ts";
import { columns, readRequests, WIDTH, writeManifest, type Users } from "./recommendation/manifests.ts";
import { withRedis } from "../lookups/redis.ts";
import { start, type Running } from "../serving/processes.ts";

/**
 * npm run bench:recommendation [-- --items 1000000 --users 1000000]
 *
 * Lists of 20 out of a made-up catalogue of 64-number vectors, exact: without a server, over HTTP, with users looked up
 * in an embedded table and in Redis, and while the catalogue is replaced. Needs Debian's python3-numpy, python3-onnx and
 * redis-server, 6 GB of memory and of disk. Writes bench/results/recommendation.md.
 */
const flag = (name: string) => {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? null : Number(process.argv[at + 1]);
};
const [items, users] = [flag("items") ?? 1_000_000, flag("users") ?? 1_000_000];
const folder = mkdtempSync(join(tmpdir(), "sluice-recommendation-"));
const at = (...path: string[]) => join(folder, ...path);
const requestFile = at("requests.jsonl");
const cli = join(import.meta.dirname, "../../cli.ts");
const loads = [loadavg()[0]!];
/** Of the machine, as in the sample models. */
const PER_HOUR = 0.03;
const say = (line: string) => void process.stderr.write(`${line}\n`);

function makeWorld(): void {
  const script = join(import.meta.dirname, "recommendation/world.py");
  const made = spawnSync("/usr/bin/python3", [script, folder, String(items), String(users)], { encoding: "utf8" });
  if (made.status !== 0) throw new Error(made.stderr);
  const raw = readFileSync(at("users.f32"));
  const vectors = new Float32Array(raw.buffer, raw.byteOffset, users * WIDTH);
  const builder = tableBuilder(columns, { timed: false });
  for (let i = 0; i < users; i++)
    builder.add(`user-${i}`, 0, NaN, vectors.subarray(i * WIDTH, (i + 1) * WIDTH), () => `user ${i}`);
  writeFileSync(at("user/users.features"), builder.finish().bytes);
}

function model(name: string, weights: string, lookup: Users | null = null): string {
  const dir = at(name);
  mkdirSync(dir, { recursive: true });
  if (!existsSync(join(dir, "model.onnx"))) linkSync(at(weights, "model.onnx"), join(dir, "model.onnx"));
  linkSync(at("items.csv"), join(dir, "items.csv"));
  writeManifest(dir, "model.onnx", { users: lookup }, readRequests(requestFile).slice(-2));
  return dir;
}

type Part = {
  openSeconds: number;
  p50: number;
  p95: number;
  singleCpuMs: number;
  batchMs: number;
  batchCpuMs: number;
  rssMb: number;
  lists: string[][];
};
function withoutServer(dir: string): Part {
  const script = join(import.meta.dirname, "recommendation/part.ts");
  const options = { encoding: "utf8", timeout: 600_000, maxBuffer: 2 ** 28 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, dir, requestFile], options);
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Part;
}

type Peer = Omit<Part, "openSeconds" | "rssMb">;
function peer(): Peer {
  const script = join(import.meta.dirname, "recommendation/peer.py");
  const options = { encoding: "utf8", env: { ...process.env, OPENBLAS_NUM_THREADS: "2" } } as const;
  const { status, stdout, stderr } = spawnSync("/usr/bin/python3", [script, folder], options);
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Peer;
}

type Served = {
  readySeconds: number;
  single: Load;
  many: Load;
  batches: Load;
  /** Of the server's process, for a user in a request of 64. */
  batchCpuMs: number;
  /** Users in a run, as the server chose. */
  maxBatch: number;
};

/** User and system time of a process, in clock ticks of 10 ms. */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return 10 * (Number(fields[11]) + Number(fields[12]));
}
const requestsFrom = (first: number, count: number) => readRequests(requestFile).slice(first, first + count);
async function serving<T>(
  dir: string,
  env: Record<string, string>,
  measure: (server: Running) => Promise<T>,
): Promise<T> {
  const args = [cli, "serve", dir, "--host", "127.0.0.1", "--port", "{port}", "--log-level", "warn"];
  const server = await start(process.execPath, args, "/readyz", env);
  if (server === null) throw new Error(`the server of ${dir} ended`);
  try {
    return await measure(server);
  } finally {
    await server.stop();
  }
}
async function served(dir: string, env: Record<string, string> = {}): Promise<Served> {
  const began = performance.now();
  return serving(dir, env, async ({ url, pid }) => {
    const readySeconds = (performance.now() - began) / 1000;
    await load(url, requestsFrom(3500, 64), { lanes: 4 });
    const single = await load(url, requestsFrom(0, 200), { lanes: 1 });
    const many = await load(url, requestsFrom(200, 600), { lanes: 16 });
    const cpuBefore = cpuMsOf(pid);
    const batches = await load(url, requestsFrom(800, 1280), { lanes: 2, batch: 64 });
    const batchCpuMs = (cpuMsOf(pid) - cpuBefore) / 1280;
    const card = (await (await fetch(`${url}/models/catalogue`)).json()) as { batching: { maxBatch: number } };
    loads.push(loadavg()[0]!);
    return { readySeconds, single, many, batches, batchCpuMs, maxBatch: card.batching.maxBatch };
  });
}

/** Puts a changed item matrix and a catalogue with another last item beside the old ones, while two clients ask. */
async function updated(dir: string): Promise<{ before: Load; during: Load; seconds: number }> {
  return serving(dir, {}, async ({ url }) => {
    await load(url, requestsFrom(3500, 64), { lanes: 4 });
    const before = await load(url, requestsFrom(0, 200), { lanes: 2 });
    const asking = new AbortController();
    const during = load(url, requestsFrom(200, 400), { lanes: 2, signal: asking.signal });
    copyFileSync(at("update/model.onnx"), join(dir, "model-2.onnx"));
    // The last item leaves, and another one takes its place.
    const renamed = readFileSync(at("items.csv"), "utf8").replace(/item-\d+\n$/, "item-new\n");
    writeFileSync(join(dir, "items-2.csv"), renamed);
    const began = performance.now();
    writeManifest(dir, "model-2.onnx", { version: "2.0.0", items: "items-2.csv" }, requestsFrom(3900, 2));
    for (;;) {
      const { version } = (await (await fetch(`${url}/models/catalogue`)).json()) as { version: string };
      if (version === "2.0.0") break;
      if (performance.now() - began > 300_000) throw new Error("the new catalogue is not served");
      await new Promise((done) => {
        setTimeout(done, 50);
      });
    }
    const seconds = (performance.now() - began) / 1000;
    asking.abort();
    return { before, during: await during, seconds };
  });
}

async function inRedis<T>(measure: (address: string) => Promise<T>): Promise<{ found: T; usedMb: number }> {
  return withRedis(folder, async (port) => {
    const address = `redis://127.0.0.1:${port}`;
    const client = await createClient({ url: address }).connect();
    const raw = readFileSync(at("users.f32"));
    const values = new Float32Array(raw.buffer, raw.byteOffset, users * WIDTH);
    const times = new Float64Array(users);
    for (let first = 0; first < users; first += 1000) {
      const pairs: (string | Buffer)[] = [];
      for (let i = first; i < Math.min(users, first + 1000); i++) {
        const event = { times, values, from: i, to: i + 1 };
        pairs.push(`u:user-${i}`, Buffer.from(encodeEvents(event, WIDTH)));
      }
      await client.sendCommand(["MSET", ...pairs]);
    }
    const usedMb = Number(/used_memory:(\d+)/.exec(await client.info("memory"))![1]) / 1e6;
    client.destroy();
    return { found: await measure(address), usedMb };
  });
}

const ms = (value: number) => value.toFixed(value < 10 ? 1 : 0);
const rate = (value: number) => Math.round(value).toLocaleString("en");
const cells = (name: string, { readySeconds, single, many, batches, batchCpuMs, maxBatch }: Served) =>
  `| ${name} | ${readySeconds.toFixed(1)} | ${ms(single.p50)} / ${ms(single.p95)} | ${rate(many.usersPerSecond)} (${ms(many.p95)}) | ${rate(batches.usersPerSecond)} | ${ms(batchCpuMs)} | ${maxBatch} | ${single.failures + many.failures + batches.failures} |`;
const byCpu = (name: string, { batchCpuMs }: Served) => `${name} ${rate(2000 / batchCpuMs)}`;
const part = (name: string, one: Peer & Partial<Part>, against: Part | null) => {
  const shared = one.lists.map(
    (list, i) => list.filter((id) => (against ?? one).lists[i]!.includes(id)).length / list.length,
  );
  const recall = against === null ? "–" : (shared.reduce((sum, value) => sum + value, 0) / shared.length).toFixed(3);
  return `| ${name} | ${ms(one.p50)} / ${ms(one.p95)} | ${ms(one.singleCpuMs)} | ${rate(32_000 / one.batchMs)} | ${ms(one.batchCpuMs)} | ${recall} | ${one.rssMb === undefined ? "–" : rate(one.rssMb)} | ${one.openSeconds?.toFixed(1) ?? "–"} |`;
};

try {
  say("makes the catalogue and the users");
  makeWorld();
  const [history, int8] = [model("history", "history"), model("int8", "int8")];
  say("without a server");
  const [float, rounded] = [withoutServer(history), withoutServer(int8)];
  const numpy = peer();
  loads.push(loadavg()[0]!);
  say("served");
  const overHttp = [await served(history), await served(int8)] as const;
  say("users by lookup");
  const embedded = await served(model("user", "user", { path: "users.features" }));
  const remote = model("user-redis", "user", { redis: true });
  const redis = await inRedis((address) => served(remote, { SLUICE_FEATURES_REDIS_URL: address }));
  say("a new catalogue");
  const update = await updated(history);
  const text = `# Recommendation out of a million items

Command: \`npm run bench:recommendation\`. ${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model ?? "unknown processor"}, ${availableParallelism()} cores, Node ${process.versions.node}; load average from ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)} while it ran. With a load above the number of cores the times are too long and the rates too low; processor time (CPU) hardly depends on it. Compare lines of this run with each other.

A made-up catalogue of ${items.toLocaleString("en")} items × ${WIDTH}; lists of 20, exact by TopK in the graph over all items, without the 5 to 40 items that a user has seen. Two threads, clients on the same machine, every user asked for once.

## Without a server

| item matrix | ms, one user, p50 / p95 | CPU ms, one user | users/s in batches of 32 | CPU ms a user in batches | share of float32's list | MB resident | seconds to open |
| --- | --- | --- | --- | --- | --- | --- | --- |
${part("float32, 256 MB", float, null)}
${part("int8, a scale per item, 68 MB", rounded, float)}
${part("NumPy: product, argpartition; float32", numpy, float)}

## Over HTTP

| model | seconds from start to ready | ms, one client, p50 / p95 | users/s, 16 clients (p95 ms) | users/s, requests of 64 | CPU ms a user there | users a run | failed |
| --- | --- | --- | --- | --- | --- | --- | --- |
${cells("history, float32", overHttp[0])}
${cells("history, int8", overHttp[1])}
${cells(`vector of ${users.toLocaleString("en")} users in an embedded table`, embedded)}
${cells(`the same in Redis (${rate(redis.usedMb)} MB there)`, redis.found)}

At USD ${PER_HOUR} an hour for the machine, 1,000 lists of float32 in requests of 64 cost USD ${((PER_HOUR / 3600) * (1000 / overHttp[0].batches.usersPerSecond)).toFixed(6)}.

Goals: p95 of one client at most 60 ms; at least 400 users/s in batches. By the processor time of the server alone, two cores that do nothing else give in requests of 64 (2,000 / CPU ms, not measured as such): ${byCpu("float32", overHttp[0])}, ${byCpu("int8", overHttp[1])}, ${byCpu("embedded table", embedded)}, ${byCpu("Redis", redis.found)} users/s.

## A new catalogue while it serves

A new item matrix and catalogue came beside the old ones, then model.yaml was replaced. ${update.seconds.toFixed(1)} s later the server answered from the new ones. Two clients asked all the time: ${update.during.failures} requests failed; p50 / p95 / longest ${ms(update.during.p50)} / ${ms(update.during.p95)} / ${ms(update.during.maxMs)} ms meanwhile, ${ms(update.before.p50)} / ${ms(update.before.p95)} / ${ms(update.before.maxMs)} ms before.
`;
  if (items === 1_000_000) writeFileSync(join(import.meta.dirname, "../results/recommendation.md"), text);
  process.stdout.write(text);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
