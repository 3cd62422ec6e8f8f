import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Agent, request } from "node:http";
import { sluiceCommand } from "../models/core/invocation.ts";

// node scripts/with-node24.mjs bench/watch-overhead.ts [--pairs 5] [--rounds 8] [--seconds 0.25] [--profile FILE]
//
// What counting for the watch costs: the same server with births twice, once with the profile of its gate beside the
// model and once without it, asked in turn in one run (single rows over 64 connections, and batches of 256 rows). What is
// compared is the processor time that a server spends per answered row, because its throughput is one over that, and
// other work on the machine hardly changes it. Writes bench/results/watch-overhead.md.

/** `--feature-share` as it is by default. */
const FEATURES = 0.005;

const root = fileURLToPath(new URL("..", import.meta.url));

if (process.argv[2] === "serve") {
  const { startServer } = await import("../spaces/server/server.ts");
  const { settingsSchema } = await import("../spaces/server/settings/settings.ts");
  const settings = settingsSchema.parse({
    host: "127.0.0.1",
    port: 0,
    logLevel: "silent",
    watch: false,
    // What a server chooses by measuring must not differ between the two.
    engine: "main",
    maxBatch: 32,
    sweepBudgetMs: 0,
  });
  const server = await startServer([process.argv[3]!], settings, { env: process.env, fetch });
  await server.loaded;
  process.send!(server.address);
  process.on("message", () => {
    const { user, system } = process.cpuUsage();
    process.send!((user + system) / 1000);
  });
} else await measure();

type Served = { address: string; cpuMs: () => Promise<number>; stop: () => void };

async function serve(dir: string): Promise<Served> {
  const child = fork(fileURLToPath(import.meta.url), ["serve", dir], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const address = await new Promise<string>((resolve) => child.once("message", (one) => resolve(String(one))));
  const cpuMs = () =>
    new Promise<number>((resolve) => {
      child.once("message", (one) => resolve(Number(one)));
      child.send("cpu");
    });
  return { address, cpuMs, stop: () => void child.kill() };
}

function flag(name: string, fallback: number): number {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? fallback : Number(process.argv[at + 1]);
}

/** Microseconds of the server's processor time per answered row, with closed-loop clients. */
async function load(
  { address, cpuMs }: Served,
  path: string,
  bodies: readonly string[],
  rows: number,
  seconds: number,
  clients: number,
) {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const end = performance.now() + seconds * 1000;
  let answered = 0;
  let next = 0;
  const one = () =>
    new Promise<void>((resolve, reject) => {
      const body = bodies[next++ % bodies.length]!;
      const call = request(
        address + path,
        {
          method: "POST",
          agent,
          headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
        },
        (response) => {
          response.resume();
          response.once("end", () => {
            if (response.statusCode === 200) answered += rows;
            resolve();
          });
        },
      );
      call.once("error", reject);
      call.end(body);
    });
  const before = await cpuMs();
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (performance.now() < end) await one();
    }),
  );
  const cost = (1000 * ((await cpuMs()) - before)) / answered;
  agent.destroy();
  return cost;
}

/** Processor time of some work, in microseconds a call: that of the least disturbed of many runs. */
function costOf(calls: number, work: () => void): number {
  let least = Infinity;
  for (let run = 0; run < 40; run++) {
    const before = process.cpuUsage();
    for (let i = 0; i < calls; i++) work();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / calls);
  }
  return least;
}

/** What is added to the answer of a row, timed by itself; reading features comes on top, with a share of the time. */
async function addedWork(text: string, dir: string): Promise<{ single: number; batch: number }> {
  const { createRecorder } = await import("../spaces/server/watch/recorder.ts");
  const { featureSampler } = await import("../spaces/server/engine/feature-sampler.ts");
  const { loadManifest } = await import("../models/core/predictor/load.ts");
  const { model } = JSON.parse(text) as { model: { id: string; version: string; sha256: string } };
  const recorder = createRecorder(await loadManifest(dir), model, text, { now: Date.now, capacity: 100_000 });
  let now = 0;
  const sample = featureSampler(() => now);
  // Spends what is saved up, so that no row is chosen: what the choice costs is meant.
  const { wants: first, take } = sample(1, FEATURES, () => {});
  if (first(0)) {
    now += 1000;
    take(0, new Float64Array());
  }
  const outcome = (i: number) => ({
    ok: true as const,
    heads: { births: { kind: "regression" as const, value: 7000 + i * 25 } },
  });
  const many = Array.from({ length: 256 }, (_, i) => outcome(i));
  const one = [outcome(100)];
  const choose = (rows: number) => {
    const { wants } = sample(rows, FEATURES, () => {});
    for (let i = 0; i < rows; i++) wants(i);
  };
  return {
    single: costOf(20_000, () => {
      choose(1);
      recorder.record(one);
    }),
    batch:
      costOf(200, () => {
        choose(256);
        recorder.record(many);
      }) / 256,
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

async function measure(): Promise<void> {
  const rounds = flag("rounds", 8);
  const seconds = flag("seconds", 0.25);
  const folder = mkdtempSync(join(tmpdir(), "bench-watch-"));
  const at = process.argv.indexOf("--profile");
  const profile = at === -1 ? join(root, ".sluice/profiles/births.json") : process.argv[at + 1]!;
  const dirs = { with: join(folder, "with/births"), without: join(folder, "without/births") };
  for (const dir of Object.values(dirs))
    cpSync(join(root, "models/births"), dir, {
      recursive: true,
      filter: (path) => !/\/(data|train|production)$/.test(path),
    });
  try {
    copyFileSync(profile, join(dirs.with, "profile.json"));
  } catch {
    throw new Error(
      `no profile at ${profile}: run \`${sluiceCommand()} gate births\` first, or name one with --profile`,
    );
  }
  const rows = readFileSync(join(root, "models/births/data/eval.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => {
      const { date, history } = JSON.parse(line) as { date: string; history: number[] };
      return { date, history };
    });
  const batch = [JSON.stringify({ rows: rows.slice(0, 256) })];
  const cases = [
    {
      what: "single rows, 64 connections",
      path: "/models/births/predict",
      bodies: rows.map((row) => JSON.stringify(row)),
      rows: 1,
      clients: 64,
    },
    {
      what: "batches of 256 rows, 2 connections",
      path: "/models/births/predict/batch",
      bodies: batch,
      rows: 256,
      clients: 2,
    },
  ];
  const pairs = flag("pairs", 5);
  const found = cases.map(() => ({ with: [] as number[], without: [] as number[], ratios: [] as number[] }));
  const startLoad = loadavg()[0]!;
  try {
    for (let pair = 0; pair < pairs; pair++) {
      // A process keeps what its compiler decided early on, so one pair alone would say little.
      const servers = { with: await serve(dirs.with), without: await serve(dirs.without) };
      for (const [c, { path, bodies, rows: each, clients }] of cases.entries()) {
        const costs = { with: [] as number[], without: [] as number[] };
        for (const server of Object.values(servers)) await load(server, path, bodies, each, 1, clients);
        for (let round = 0; round < rounds; round++)
          // Which comes first changes, so that a machine that slows down favours neither.
          for (const kind of round % 2 === 0 ? (["with", "without"] as const) : (["without", "with"] as const))
            costs[kind].push(await load(servers[kind], path, bodies, each, seconds, clients));
        const [one, other] = [median(costs.with), median(costs.without)];
        found[c]!.with.push(one);
        found[c]!.without.push(other);
        found[c]!.ratios.push(other / one);
      }
      for (const { stop } of Object.values(servers)) stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const added = await addedWork(readFileSync(profile, "utf8"), join(root, "models/births"));
  const lines = cases.map(({ what, rows: each }, c) => {
    const { with: one, without, ratios } = found[c]!;
    const own = each === 1 ? added.single : added.batch;
    const share = own / Math.min(...without) + FEATURES;
    const shown = ratios.toSorted((a, b) => a - b).map((ratio) => ratio.toFixed(3));
    return `| ${what} | ${Math.min(...without).toFixed(2)} | ${own.toFixed(3)} | ${(100 * share).toFixed(1)} % | ${median(ratios).toFixed(3)} (${median(without).toFixed(2)} / ${median(one).toFixed(2)} µs) | ${shown.join(", ")} |`;
  });
  console.log(lines.join("\n"));
  const text = `# What the watch costs the server

${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model.trim()}, ${cpus().length} cores, load ${startLoad.toFixed(1)} before. Node ${process.version.slice(1)}, births (67 variables), ${pairs} pairs of servers,
${rounds} alternating rounds of ${seconds} s each. Processor time of
the server per answered row. The added work is timed by itself, in one process, because on a busy machine two servers
differ by more than it; reading features takes half a per cent of the time by its own clock. The ratio of throughputs
is that of the measured times of two servers side by side, and says how far this machine could tell at all. The goal is
at most 2 %.

Command: \`node scripts/with-node24.mjs bench/watch-overhead.ts --pairs ${pairs} --rounds ${rounds} --seconds ${seconds}\`

| what | a row without a profile, µs, least pair | added work, µs | added in all, with 0.5 % for features | ratio of throughputs, median of the pairs | each pair |
| --- | --- | --- | --- | --- | --- |
${lines.join("\n")}
`;
  writeFileSync(join(root, "bench/results/watch-overhead.md"), text);
}
