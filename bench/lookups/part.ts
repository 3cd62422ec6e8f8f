import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createClient } from "@redis/client";
import { redisStore } from "../../models/core/feature-store/redis.ts";
import { readTable, type MemoryStore } from "../../models/core/lookup/read-table.ts";
import { encodeEvents } from "../../models/core/lookup/remote-value.ts";
import { RandomStream } from "../../eval/stats/random.ts";

/** One store of bench/lookups.ts: KIND FOLDER KEYS PORT → JSON on stdout. */
const [kind, folder, keyCount, port] = process.argv.slice(2) as [string, string, string, string];
const keys = Number(keyCount);
const REDIS_LOOKUPS = 20_000;
/** Look-ups that are timed together. */
const PART = 1000;
const WIDTH = 20;
const BATCH = 256;
/** Other processes' turns make single parts long, and the median hardly. */
const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

const random = new RandomStream(1);
const asked = Array.from({ length: 200_000 }, () => `card-${random.below(Math.ceil(keys / 0.9))}`);
const residentBytes = () => {
  (globalThis as { gc?: () => void }).gc!();
  return process.memoryUsage().rss;
};
const seconds = () => performance.now() / 1000;
const loadTable = (): Promise<MemoryStore> => {
  const bytes = new Uint8Array(readFileSync(join(folder, "table.features")));
  return readTable(bytes, "table", createHash("sha256").update(bytes).digest("hex"), () => Promise.resolve());
};
/** The numbers of one event, summed: nobody can leave out reading them. */
const sumOf = (values: Float32Array, from: number) => {
  let sum = 0;
  for (let i = from; i < from + WIDTH; i++) sum += values[i]!;
  return sum;
};
type Find = (key: string) => number;

const done = (result: { readySeconds: number; bytes: number; single: number; batch: number | null; sum: number }) =>
  process.stdout.write(JSON.stringify(result));

function timed(find: Find): { single: number; sum: number } {
  // Also to compare what the stores give: Redis is asked for these alone.
  let sum = 0;
  for (const key of asked.slice(0, REDIS_LOOKUPS)) sum += find(key);
  const parts: number[] = [];
  let check = 0;
  for (let i = 0; i < asked.length; i += PART) {
    const began = seconds();
    for (let j = i; j < i + PART; j++) check += find(asked[j]!);
    parts.push(seconds() - began);
  }
  if (!Number.isFinite(check)) throw new Error("a value is no number");
  return { single: (median(parts) / PART) * 1e6, sum };
}

async function table(): Promise<void> {
  const before = residentBytes();
  const began = seconds();
  const store = await loadTable();
  const readySeconds = seconds() - began;
  const measured = timed((key) => {
    const found = store.find(key);
    return found === null ? 0 : sumOf(found.values, found.from * WIDTH);
  });
  done({ readySeconds, bytes: residentBytes() - before, batch: null, ...measured });
}

async function map(): Promise<void> {
  const values = new Map<string, Float32Array>();
  const before = residentBytes();
  const began = seconds();
  await (async () => {
    const store = await loadTable();
    for (const key of store.keys()) {
      const { from, values: all } = store.find(key)!;
      values.set(key, all.slice(from * WIDTH, (from + 1) * WIDTH));
    }
  })();
  const readySeconds = seconds() - began;
  const measured = timed((key) => {
    const found = values.get(key);
    return found === undefined ? 0 : sumOf(found, 0);
  });
  done({ readySeconds, bytes: residentBytes() - before, batch: null, ...measured });
}

async function sqlite(): Promise<void> {
  const file = join(folder, "features.db");
  await (async () => {
    const store = await loadTable();
    const db = new DatabaseSync(file);
    db.exec("PRAGMA page_size = 4096; CREATE TABLE f (key TEXT PRIMARY KEY, v BLOB) WITHOUT ROWID; BEGIN");
    const insert = db.prepare("INSERT INTO f VALUES (?, ?)");
    for (const key of store.keys()) {
      const { from, values } = store.find(key)!;
      insert.run(key, new Uint8Array(values.slice(from * WIDTH, (from + 1) * WIDTH).buffer));
    }
    db.exec("COMMIT");
    db.close();
  })();
  const before = residentBytes();
  const began = seconds();
  const db = new DatabaseSync(file, { readOnly: true });
  db.exec("PRAGMA mmap_size = 2000000000");
  const get = db.prepare("SELECT v FROM f WHERE key = ?");
  get.get("card-0");
  const readySeconds = seconds() - began;
  const measured = timed((key) => {
    const found = get.get(key);
    if (found === undefined) return 0;
    const { buffer, byteOffset } = found["v"] as Uint8Array;
    return sumOf(new Float32Array(buffer as ArrayBuffer, byteOffset, WIDTH), 0);
  });
  const bytes = Math.max(0, residentBytes() - before) + statSync(file).size;
  done({ readySeconds, bytes, batch: null, ...measured });
}

async function redis(): Promise<void> {
  const address = `redis://127.0.0.1:${port}`;
  const filler = await createClient({ url: address }).connect();
  const filled = await loadTable();
  let pairs: (string | Buffer)[] = [];
  const flush = () => filler.sendCommand(["MSET", ...pairs]);
  for (const key of filled.keys()) {
    pairs.push(key, Buffer.from(encodeEvents(filled.find(key)!, WIDTH)));
    if (pairs.length < 2000) continue;
    await flush();
    pairs = [];
  }
  if (pairs.length > 0) await flush();
  const bytes = Number(/used_memory:(\d+)/.exec(await filler.info("memory"))![1]);
  filler.destroy();

  const columns = filled.columns.slice();
  const began = seconds();
  const store = redisStore({ env: "ADDRESS", prefix: "", columns, timeoutMs: 10_000 }, { ADDRESS: address });
  if (store.kind !== "remote") throw new Error("not over a network");
  await store.findMany(["card-0"]);
  const readySeconds = seconds() - began;
  const total = async (some: readonly string[]) => {
    let sum = 0;
    for (const found of await store.findMany(some)) if (found !== null) sum += sumOf(found.values, found.from * WIDTH);
    return sum;
  };
  for (const key of asked.slice(0, 2000)) await total([key]);
  let sum = 0;
  const [single, batch]: [number[], number[]] = [[], []];
  for (let i = 0; i < REDIS_LOOKUPS; i += PART) {
    const start = seconds();
    for (let j = i; j < i + PART; j++) sum += await total([asked[j]!]);
    single.push(seconds() - start);
  }
  for (let i = 0; i + BATCH <= asked.length; i += BATCH) {
    const start = seconds();
    await total(asked.slice(i, i + BATCH));
    batch.push(seconds() - start);
  }
  await store.close();
  done({
    readySeconds,
    bytes,
    single: (median(single) / PART) * 1e6,
    batch: (median(batch) / BATCH) * 1e6,
    sum,
  });
}

await { table, map, sqlite, redis }[kind]!();
