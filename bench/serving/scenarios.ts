import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { benchModels, mlpRow, peerWeights } from "./models.ts";
import { fire, median, root, serve, start, type Running } from "./processes.ts";

export type Options = { rounds: number; seconds: number; overloadSeconds: number };
/** One figure against its goal; `ratio` is null where the other side could not be measured. */
export type Figure = { what: string; value: number | null; unit: string; goal: string; met: boolean | null; detail: Record<string, number | string | null> };

const body = JSON.stringify(mlpRow);
const PYTHON = "/usr/bin/python3";
const raw = (dir: string, batch: number, seconds: number, rows: object[]) => Number(spawnSync(process.execPath, [join(root, "bench/serving/raw.ts"), dir, String(batch), String(seconds), JSON.stringify(rows)], { encoding: "utf8", timeout: 600_000, maxBuffer: 1e8 }).stdout);
const round = (value: number, digits = 3) => Number(value.toPrecision(digits));
const against = (what: string, value: number | null, goal: number, atLeast: boolean, unit: string, detail: Figure["detail"]): Figure => ({ what, value: value === null ? null : round(value), unit, goal: `${atLeast ? "≥" : "≤"} ${goal}`, met: value === null ? null : atLeast ? value >= goal : value <= goal, detail });

/** Single rows: against a bare echo, FastAPI with torch, an empty FastAPI; and the short way against the framework's. Alternating within every round. */
export async function singleRows({ rounds, seconds }: Options): Promise<Figure[]> {
  const { mlp } = benchModels();
  const ours = await serve([mlp]);
  const echo = (await start(process.execPath, [join(root, "bench/serving/echo.ts"), "{port}"], "/"))!;
  const empty = await start(PYTHON, [join(root, "bench/serving/peer.py"), "{port}", "-"], "/echo");
  const torch = await start(PYTHON, [join(root, "bench/serving/peer.py"), "{port}", peerWeights], "/predict");
  const targets: [name: string, running: Running | null, path: string][] = [["echo", echo, "/"], ["ours", ours, "/predict"], ["framework", ours, "/predict?"], ["empty FastAPI", empty, "/echo"], ["FastAPI + torch", torch, "/predict"]];
  const seen = new Map<string, { requests: number[]; p99: number[] }>(targets.map(([name]) => [name, { requests: [], p99: [] }]));
  for (const [, running, path] of targets) if (running !== null) fire(running.url + path, body, 1);
  for (let i = 0; i < rounds; i++) {
    for (const [name, running, path] of targets) {
      if (running === null) continue;
      const shot = fire(running.url + path, body, seconds);
      seen.get(name)!.requests.push(shot.requestsPerSecond);
      seen.get(name)!.p99.push(shot.p99Ms);
    }
  }
  for (const [, running] of targets) if (running !== ours) await running?.stop();
  await ours.stop();
  const rate = (name: string) => (seen.get(name)!.requests.length === 0 ? null : median(seen.get(name)!.requests));
  const p99 = (name: string) => (seen.get(name)!.p99.length === 0 ? null : median(seen.get(name)!.p99));
  const versus = (name: string) => (rate(name) === null ? null : rate("ours")! / rate(name)!);
  const detail = (name: string) => ({ [`${name}, requests/s`]: rate(name), [`${name}, p99 ms`]: p99(name), "ours, requests/s": rate("ours"), "ours, p99 ms": p99("ours") });
  return [
    against("single rows against a bare node:http JSON echo, 64 connections", versus("echo"), 0.8, true, "×", detail("echo")),
    against("single rows against an empty FastAPI echo", versus("empty FastAPI"), 6, true, "×", detail("empty FastAPI")),
    against("single rows against FastAPI + torch", versus("FastAPI + torch"), 10, true, "×", detail("FastAPI + torch")),
    against("single rows past the framework against through it", versus("framework"), 1, true, "×", detail("framework")),
  ];
}

/** Many rows in one JSON request; tensors in binary against the runtime alone at its best batch. */
export async function batches({ rounds, seconds }: Options): Promise<Figure[]> {
  const { mlp } = benchModels();
  const server = await serve([mlp]);
  const many = JSON.stringify({ rows: Array.from({ length: 1000 }, () => mlpRow) });
  const json: number[] = [];
  const v2: number[] = [];
  const alone: number[] = [];
  const sizes = [128, 512, 2048];
  for (let i = 0; i < rounds; i++) {
    json.push(1000 * fire(`${server.url}/predict/batch`, many, seconds, { connections: 4 }).requestsPerSecond);
    const rates: number[] = [];
    for (const size of sizes) rates.push(size * tensorRate(`${server.url}/v2/models/mlp/infer`, size, seconds));
    v2.push(Math.max(...rates));
    alone.push(Math.max(...sizes.map((batch) => raw(mlp, batch, Math.min(2, seconds), [mlpRow]))));
  }
  await server.stop();
  return [
    against("rows per second in JSON requests of 1,000 rows", median(json), 100_000, true, "rows/s", {}),
    against("v2 with binary tensors against the runtime alone at its best batch", median(v2) / median(alone), 0.6, true, "×", { "v2, rows/s": round(median(v2)), "runtime, rows/s": round(median(alone)), "batches tried": sizes.join(", ") }),
  ];
}

/** autocannon sends text only: requests per second of four connections that send bytes, from a process of its own. */
function tensorRate(url: string, size: number, seconds: number): number {
  const tensor = Buffer.from(Float32Array.from({ length: size * 32 }, (_, i) => mlpRow.features[i % 32]!).buffer);
  const header = Buffer.from(JSON.stringify({ inputs: [{ name: "features", shape: [size, 32], datatype: "FP32", parameters: { binary_data_size: tensor.length } }], parameters: { binary_data_output: true } }));
  const client = spawnSync(process.execPath, [join(root, "bench/serving/binary-client.ts"), url, String(header.length), String(seconds)], { input: Buffer.concat([header, tensor]), encoding: "utf8", timeout: (seconds + 60) * 1000 });
  if (client.status !== 0) throw new Error(client.stderr);
  return Number(client.stdout);
}

/** The encoder at the lengths of real sentences: rows alone, and the batches that the warm-up chose. */
export async function encoder({ rounds, seconds }: Options): Promise<Figure[]> {
  const models = benchModels();
  const rows = models.texts.map((text) => ({ text }));
  const alone: number[] = [];
  const single: number[] = [];
  const batched: number[] = [];
  for (let i = 0; i < rounds; i++) {
    alone.push(raw(models.encoder, 1, seconds, rows));
    for (const [into, flags] of [[single, ["--max-batch", "1"]], [batched, ["--sweep-budget-ms", "20000"]]] as const) {
      const server = await serve([models.encoder], [...flags, "--max-queue-wait-ms", "60000"]);
      into.push(await texts(server, rows, seconds));
      await server.stop();
    }
  }
  return [
    against("encoder, rows one at a time, against a raw loop", median(single) / median(alone), 0.97, true, "×", { "ours, rows/s": round(median(single)), "raw loop, rows/s": round(median(alone)) }),
    against("encoder, length-sorted batches, against the raw loop", median(batched) / median(alone), 1.15, true, "×", { "ours, rows/s": round(median(batched)) }),
  ];
}

/** Whole rounds over the texts from 16 connections. */
async function texts(server: Running, rows: object[], seconds: number): Promise<number> {
  const start = performance.now();
  let done = 0;
  do {
    const left = [...rows];
    await Promise.all(Array.from({ length: 16 }, async () => {
      for (let row = left.pop(); row !== undefined; row = left.pop()) {
        const response = await fetch(`${server.url}/predict`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(row) });
        await response.arrayBuffer();
        if (response.status === 200) done++;
      }
    }));
  } while (performance.now() - start < seconds * 1000);
  return (1000 * done) / (performance.now() - start);
}

/** Process start → /readyz, less the creation of the session, which the model itself costs. `bundle`: folder of the built Space. */
export async function coldStart({ rounds }: Options): Promise<Figure[]> {
  const { mlp } = benchModels();
  const times: number[] = [];
  for (let i = 0; i < rounds + 1; i++) {
    const from = performance.now();
    const server = await serve([mlp]);
    const readyMs = performance.now() - from;
    const card = (await (await fetch(`${server.url}/models/mlp`)).json()) as { loaded: { openMs: number } };
    // The first fills the compile cache.
    if (i > 0) times.push(readyMs - card.loaded.openMs);
    await server.stop();
  }
  return [against("process start → /readyz less opening the model, from source", median(times), 500, false, "ms", {})];
}

/** Open loop at three times the capacity of the encoder: what is answered, what is refused, memory. */
export async function overload({ overloadSeconds }: Options): Promise<Figure[]> {
  const models = benchModels();
  const server = await serve([models.encoder], ["--max-queue-wait-ms", "1000", "--request-timeout-ms", "5000"]);
  const one = JSON.stringify({ text: models.texts[0] });
  const peak = fire(`${server.url}/predict`, one, Math.max(5, overloadSeconds / 6), { connections: 4 }).requestsPerSecond;
  const before = memory(server.pid);
  const shot = fire(`${server.url}/predict`, one, overloadSeconds, { connections: 256, rate: Math.ceil(3 * peak) });
  const after = memory(server.pid);
  const good = (shot.statuses["200"]?.count ?? 0) / overloadSeconds;
  const other = Object.entries(shot.statuses).filter(([status]) => !["200", "429", "503"].includes(status)).reduce((sum, [, { count }]) => sum + count, 0);
  const descriptors = readdirSync(`/proc/${server.pid}/fd`).length;
  await server.stop();
  return [
    against(`3× overload for ${overloadSeconds} s: goodput against peak`, good / peak, 0.9, true, "×", { "peak, requests/s": round(peak), "answered, requests/s": round(good), "other than 200, 429, 503": other, "RSS before, MB": before, "RSS after, MB": after, descriptors }),
    against("3× overload: p99 of all answers", shot.p99Ms, 5000, false, "ms", { errors: shot.errors }),
  ];
}

function memory(pid: number): number {
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024);
}
