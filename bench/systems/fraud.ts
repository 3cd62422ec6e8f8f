// npm run bench:fraud [-- --quick]
//
// Card payments as JSON rows, with preprocessing, look-ups, windows, trees and rules, against FastAPI with scikit-learn;
// binary tensors; and single rows while the server works at half of its load. Servers alternate within every round.
// Writes bench/results/fraud.md. --quick: one short round, only to see that it runs; nothing is written.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import os from "node:os";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { median, root, runWrk, serve, start, type Running } from "../serving/processes.ts";
import { fraudWorld, run, size, sluice, type FraudWorld } from "./fraud-world.ts";

const quick = process.argv.includes("--quick");
const [rounds, seconds, singleSeconds] = quick ? [1, 2, 4] : [5, 4, 20];
const BATCH = 1000;
const FEATURES = 18;
const python = "/usr/bin/python3";
const peerScript = join(root, "bench/systems/fraud_peer.py");
const loadBefore = os.loadavg()[0]!;

const world = fraudWorld(40_000);
const ours = await serve([world.model], ["--max-batch", "256"]);
const twoThreads = await serve([world.twoThreads], ["--max-batch", "256"]);
const peer = await startPeer(world);
const bodies = Array.from({ length: 20 }, (_, i) =>
  JSON.stringify({ rows: world.rows.slice(i * BATCH, (i + 1) * BATCH) }),
);
const targets: [name: string, running: Running, connections: number][] = [["Sluice", ours, 4]];
if (peer !== null) targets.push(["FastAPI + scikit-learn", peer, 4]);

type Seen = { rows: number[]; p50Ms: number[]; cpuUs: number[] };
const json = new Map<string, Seen>(targets.map(([name]) => [name, { rows: [], p50Ms: [], cpuUs: [] }]));
const v2 = [ours, twoThreads].map((server, i) => ({
  server,
  id: i === 0 ? "fraud" : "fraud-2",
  threads: i + 1,
  sizes: [256, 1024, 4096].map((rows) => ({ rows, rates: [] as number[] })),
}));
for (const [, running] of targets) runWrk(`${running.url}/predict/batch`, bodies, 1, { connections: 4 });
for (let i = 0; i < rounds; i++) {
  for (const [name, running, connections] of targets) {
    const seen = json.get(name)!;
    const before = cpuSeconds(running.pid);
    const shot = runWrk(`${running.url}/predict/batch`, bodies, seconds, { connections });
    seen.rows.push(BATCH * shot.requestsPerSecond);
    seen.p50Ms.push(shot.p50Ms);
    seen.cpuUs.push((1e6 * (cpuSeconds(running.pid) - before)) / (BATCH * shot.requestsPerSecond * seconds));
  }
  for (const { server, id, sizes } of v2)
    for (const { rows, rates } of sizes) rates.push(rows * tensors(`${server.url}/v2/models/${id}/infer`, rows));
}
const batchRate = median(json.get("Sluice")!.rows);
const single = await singlesUnderLoad(ours, batchRate / 2);
const peerSingle =
  peer === null ? null : await singlesUnderLoad(peer, median(json.get("FastAPI + scikit-learn")!.rows) / 2);
await ours.stop();
await twoThreads.stop();
await peer?.stop();
report();

async function startPeer({ folder, model }: FraudWorld): Promise<Running | null> {
  if (!existsSync(join(folder, "peer.pickle"))) {
    const recent = join(folder, "recent.csv");
    const all = join(folder, "payments.csv");
    writeFileSync(recent, run("bash", ["-c", `head -n 1 ${all}; tail -n 120000 ${all}`]));
    const tables = ["card", "terminal"].flatMap((step) => ["--history", `${step}=${join(model, `${step}.features`)}`]);
    sluice("features", "join", model, recent, ...tables, "--out", join(folder, "joined.csv"));
    run(python, [peerScript, "prepare", folder]);
  }
  return start(python, [peerScript, "{port}", folder], "/readyz");
}

/** Requests per second of binary tensors with this many rows of the world's own features. */
function tensors(url: string, rows: number): number {
  const features = Float32Array.from({ length: rows * FEATURES }, (_, i) => ((i * 7919) % 1000) / 10);
  const tensor = Buffer.from(features.buffer);
  const header = Buffer.from(
    JSON.stringify({
      inputs: [
        {
          name: "features",
          shape: [rows, FEATURES],
          datatype: "FP32",
          parameters: { binary_data_size: tensor.length },
        },
      ],
      parameters: { binary_data_output: true },
    }),
  );
  return runWrk(url, Buffer.concat([header, tensor]), 1, {
    connections: 4,
    type: "application/octet-stream",
    header: ["inference-header-content-length", String(header.length)],
  }).requestsPerSecond;
}

/** Single rows, one every 20 ms whether or not the last one is answered, while batches come at this rate. */
async function singlesUnderLoad(server: Running, rowsPerSecond: number): Promise<{ p50Ms: number; p95Ms: number }> {
  const rate = Math.max(1, Math.round(rowsPerSecond / BATCH));
  const load = spawn(
    process.execPath,
    [
      join(root, "node_modules/autocannon/autocannon.js"),
      "-j",
      "-m",
      "POST",
      "-c",
      "4",
      "-d",
      String(singleSeconds + 2),
      "-R",
      String(rate),
      "-H",
      "content-type=application/json",
      "-b",
      bodies[0]!,
      `${server.url}/predict/batch`,
    ],
    { stdio: "ignore" },
  );
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const times: number[] = [];
  const begun = performance.now();
  const waiting: Promise<void>[] = [];
  for (let i = 0; performance.now() - begun < singleSeconds * 1000; i++) {
    const due = begun + i * 20;
    await new Promise((done) => {
      setTimeout(done, Math.max(0, due - performance.now()));
    });
    const body = JSON.stringify(world.rows[i % world.rows.length]);
    // From the moment at which it was due: a client that was held up does not hide it.
    waiting.push(post(`${server.url}/predict`, body, agent).then(() => void times.push(performance.now() - due)));
  }
  await Promise.all(waiting);
  load.kill();
  agent.destroy();
  times.sort((a, b) => a - b);
  return { p50Ms: times[times.length >> 1]!, p95Ms: times[Math.floor(times.length * 0.95)]! };
}

function post(url: string, body: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const sent = request(url, { method: "POST", agent, headers, timeout: 30_000 }, (answer) => {
      answer.resume();
      answer.on("end", resolve);
      if (answer.statusCode !== 200) reject(new Error(`${url} answered ${answer.statusCode}`));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Of a process and its children. */
function cpuSeconds(pid: number): number {
  const of = (one: number) => {
    const fields = readFileSync(`/proc/${one}/stat`, "utf8").split(") ")[1]!.split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  };
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return [pid, ...(children === "" ? [] : children.split(" ").map(Number))].reduce((sum, one) => sum + of(one), 0);
}

function report(): void {
  const whole = (value: number) => Math.round(value).toLocaleString("en");
  const ms = (value: number) => value.toFixed(1);
  const met = (yes: boolean) => (yes ? "yes" : "no");
  const rows = [...json].map(
    ([name, seen]) =>
      `| ${name} | ${whole(median(seen.rows))} | ${median(seen.cpuUs).toFixed(1)} | ${whole(1e6 / median(seen.cpuUs))} | ${ms(median(seen.p50Ms))} |`,
  );
  const tensorLines = v2.map(({ threads, sizes }) => {
    const best = sizes.reduce((most, one) => (median(one.rates) > median(most.rates) ? one : most));
    const rate = median(best.rates);
    return `| v2 binary tensors, rows/s, ${threads === 1 ? "one thread" : "two threads"}, ${best.rows} rows a request | ${whole(rate)} | ≥ 400,000 | ${met(rate >= 400_000)} |`;
  });
  const peerRate = peer === null ? null : median(json.get("FastAPI + scikit-learn")!.rows);
  const text = `# Fraud: speed

Command: \`npm run bench:fraud\`. ${new Date().toISOString().slice(0, 10)}, ${os.cpus()[0]?.model.trim() ?? "unknown processor"}, ${os.cpus().length} cores, Node ${process.versions.node}; load average before ${loadBefore.toFixed(1)}, after ${os.loadavg()[0]!.toFixed(1)}. With a load above the number of cores, servers got only a part of the machine: compare lines of this run with each other, and read the processor's time, which does not count waiting.

models/fraud, served from simulated tables of ${whole(size.customers)} customers over ${size.days} days (${world.tables}). Medians of ${rounds} alternating rounds of ${seconds} s. All payments are simulated.

JSON, ${BATCH} rows a request, 4 connections:

| server | rows/s | processor time, µs a row | rows per second of one core | p50 of a request, ms |
| --- | --- | --- | --- | --- |
${rows.join("\n")}

| what | measured | goal | met |
| --- | --- | --- | --- |
| JSON rows/s in batches of ${BATCH} | ${whole(batchRate)} | ≥ 60,000, better 100,000 | ${met(batchRate >= 60_000)} |
| against FastAPI + scikit-learn | ${peerRate === null ? "not measured" : `${(batchRate / peerRate).toFixed(1)}×`} | shown | – |
${tensorLines.join("\n")}
| a single row while batches come at half of that rate, p50 and p95, ms | ${ms(single.p50Ms)}, ${ms(single.p95Ms)} | p95 ≤ 20 | ${met(single.p95Ms <= 20)} |
| the same of the peer at half of its own rate, ms | ${peerSingle === null ? "not measured" : `${ms(peerSingle.p50Ms)}, ${ms(peerSingle.p95Ms)}`} | shown | – |

The peer takes its features from a dict that holds the newest vector of every key, made beforehand; windows up to the moment of the payment, which Sluice computes, would cost it more. It runs in two processes, Sluice in one.
`;
  process.stdout.write(text);
  if (!quick) writeFileSync(join(root, "bench/results/fraud.md"), text);
}
