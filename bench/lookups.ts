import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { withRedis } from "./lookups/redis.ts";
import { tableBuilder } from "../models/core/lookup/encode-table.ts";

/**
 * npm run bench:lookups [-- --keys 1000000]
 *
 * Features of one key as float32: the embedded table, a Map of one Float32Array per key, node:sqlite and Redis. Each is
 * filled and asked in a process of its own (bench/lookups/part.ts), one after the other. Writes
 * bench/results/lookups.md.
 */
const flag = process.argv.indexOf("--keys");
const keys = flag === -1 ? 1_000_000 : Number(process.argv[flag + 1]);
const WIDTH = 20;
const folder = mkdtempSync(join(tmpdir(), "bench-lookups-"));

type Part = { readySeconds: number; bytes: number; single: number; batch: number | null; sum: number };

function makeTable(): void {
  const columns = Array.from({ length: WIDTH }, (_, i) => `f${i}`);
  const builder = tableBuilder(columns, { timed: true });
  const values = new Float32Array(WIDTH);
  for (let key = 0; key < keys; key++) {
    for (let i = 0; i < WIDTH; i++) values[i] = (key * 31 + i) % 1000;
    builder.add(`card-${key}`, Date.UTC(2026, 0, 1), NaN, values, () => `event ${key}`);
  }
  writeFileSync(join(folder, "table.features"), builder.finish().bytes);
}

function part(kind: string, port = 0): Part {
  const script = join(import.meta.dirname, "lookups/part.ts");
  const args = [
    "--expose-gc",
    "--disable-warning=ExperimentalWarning",
    script,
    kind,
    folder,
    String(keys),
    String(port),
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 600_000 });
  if (status !== 0) throw new Error(`${kind}: ${stderr}`);
  return JSON.parse(stdout) as Part;
}

try {
  const before = loadavg()[0]!;
  makeTable();
  const rows: [string, Part][] = [
    ["feature table, embedded", part("table")],
    ["`Map` of a Float32Array per key", part("map")],
    ["`node:sqlite`, a blob per key", part("sqlite")],
    // With the server's memory and without the client's, which holds no features.
    ["Redis on the same machine", await withRedis(folder, (port) => part("redis", port))],
  ];
  const table = rows[0]![1];
  for (const [name, { sum }] of rows) if (sum !== table.sum) throw new Error(`${name} gave other numbers`);
  const us = (value: number) => (value < 10 ? value.toFixed(2) : value.toFixed(0));
  const lines = rows.map(
    ([name, one]) =>
      `| ${name} | ${us(one.single)} (${(one.single / table.single).toFixed(1)}×) | ${one.batch === null ? "–" : us(one.batch)} | ${(one.bytes / 1e6).toFixed(0)} | ${one.readySeconds.toFixed(1)} |`,
  );
  const text = `# Look-ups by key

Command: \`npm run bench:lookups\`. ${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model ?? "unknown processor"}, ${availableParallelism()} cores, Node ${process.versions.node}; load average at the start ${before.toFixed(1)}, at the end ${loadavg()[0]!.toFixed(1)}. With a load above the number of cores the times are too long; compare lines of this run with each other.

${keys.toLocaleString("en")} keys of one event with ${WIDTH} float32 each. Keys are asked for in a pseudo-random order, and one in ten is not there. Times are medians over parts of 1,000 look-ups, 200 parts (Redis: 20), and over 781 batches; the values of all stores were added up and are equal.

| store | µs per look-up | µs per key in batches of 256 | MB | seconds until ready |
| --- | --- | --- | --- | --- |
${lines.join("\n")}

MB: growth of the process's resident memory from before the store was opened until after the look-ups; of SQLite, the size of its file and this growth; of Redis, \`used_memory\` of the server. Ready: reading and checking the whole table (embedded); filling the Map from it; opening the file of SQLite, which a server would find filled; connecting to a Redis that is filled.
`;
  if (flag === -1) writeFileSync(join(import.meta.dirname, "results/lookups.md"), text);
  process.stdout.write(text);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
