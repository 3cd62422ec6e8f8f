import { spawn, type ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { availableParallelism, cpus, loadavg } from "node:os";
import { join } from "node:path";

/**
 * npm run bench:jobs [-- --rounds 5]
 *
 * What a job costs those who wait: requests that arrive at random (Poisson, 60 a second, one row each) at a server that
 * runs no job, and at the same server while it runs one. In turns, round after round. Once with the share that jobs have
 * by default, and once with all of the time (--jobs-share 1). Writes bench/results/jobs.md.
 */
const root = join(import.meta.dirname, "..");
const flag = process.argv.indexOf("--rounds");
const rounds = flag === -1 ? 5 : Number(process.argv[flag + 1]);
const RATE = 60;
const SECONDS = 5;
const MODEL = "mood";
const row = { text: "The battery lasts two days and the screen is gorgeous, but the speaker is weak." };
const rows = `${JSON.stringify(row)}\n`.repeat(100_000);

type Running = { url: string; child: ChildProcess };

async function start(engine: string, share: string): Promise<Running> {
  const port = await new Promise<number>((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
  const flags = ["--engine", engine, "--jobs-share", share, "--log-level", "error", "--jobs-max-bytes", "4000000000"];
  const child = spawn(
    process.execPath,
    ["cli.ts", "serve", MODEL, "--host", "127.0.0.1", "--port", String(port), ...flags],
    { cwd: root, stdio: "ignore" },
  );
  const url = `http://127.0.0.1:${port}`;
  for (const end = Date.now() + 60_000; ;) {
    if (
      await fetch(`${url}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      return { url, child };
    if (Date.now() > end) throw new Error("the server did not become ready");
    await pause(100);
  }
}

const pause = (ms: number) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, ms);
  });

/** Latencies of requests that arrive whether or not earlier ones are answered. */
async function live(url: string): Promise<number[]> {
  const took: number[] = [];
  const asked: Promise<void>[] = [];
  const began = performance.now();
  for (let at = 0; at < SECONDS * 1000; at += (-Math.log(1 - Math.random()) * 1000) / RATE) {
    const wait = began + at - performance.now();
    if (wait > 0) await pause(wait);
    // From the moment at which it was due: a generator that is late hides nothing.
    const due = began + at;
    asked.push(
      fetch(`${url}/models/${MODEL}/predict`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(row),
      })
        .then((response) => response.arrayBuffer())
        .then(() => void took.push(performance.now() - due)),
    );
  }
  await Promise.all(asked);
  return took;
}

async function withJob<T>(url: string, work: () => Promise<T>): Promise<{ result: T; rowsPerSecond: number }> {
  const made = await fetch(`${url}/models/${MODEL}/jobs`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: rows,
  });
  const { id } = (await made.json()) as { id: string };
  const done = async () =>
    ((await (await fetch(`${url}/jobs/${id}`)).json()) as { progress: { rows: number } }).progress.rows;
  while ((await done()) === 0) await pause(50);
  const [before, began] = [await done(), performance.now()];
  const result = await work();
  const rowsPerSecond = ((await done()) - before) / ((performance.now() - began) / 1000);
  await fetch(`${url}/jobs/${id}`, { method: "DELETE" });
  return { result, rowsPerSecond };
}

const quantile = (values: readonly number[], q: number) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))]!;
const median = (values: readonly number[]) => quantile(values, 0.5);

const before = loadavg()[0]!;
const lines: string[] = [];
for (const engine of ["main", "worker"])
  for (const share of ["0.05", "1"]) {
    const server = await start(engine, share);
    try {
      const alone: number[][] = [];
      const beside: number[][] = [];
      const rates: number[] = [];
      await live(server.url);
      for (let round = 0; round < rounds; round++) {
        alone.push(await live(server.url));
        const { result, rowsPerSecond } = await withJob(server.url, () => live(server.url));
        beside.push(result);
        rates.push(rowsPerSecond);
      }
      const idle = (await withJob(server.url, () => pause(4000).then(() => pause(2000)))).rowsPerSecond;
      const cell = (measured: readonly number[][], q: number) =>
        median(measured.map((one) => quantile(one, q))).toFixed(1);
      lines.push(
        `| ${engine} | ${share} | ${cell(alone, 0.5)} / ${cell(beside, 0.5)} | ${cell(alone, 0.99)} / ${cell(beside, 0.99)} | ${Math.round(median(rates))} | ${Math.round(idle)} |`,
      );
    } finally {
      server.child.kill("SIGKILL");
    }
  }
const text = `# Requests beside a job

Command: \`npm run bench:jobs\`. ${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model ?? "unknown processor"}, ${availableParallelism()} cores, Node ${process.versions.node}; load average at the start ${before.toFixed(1)}, at the end ${loadavg()[0]!.toFixed(1)}. With a load above the number of cores the times are too long; compare the two figures of a cell with each other.

One row of \`${MODEL}\` per request, ${RATE} requests a second at random moments for ${SECONDS} s, ${rounds} rounds with a job and ${rounds} without, in turns. A cell has the median over the rounds: without a job / beside one.

| engine | \`--jobs-share\` | p50 ms | p99 ms | rows/s of the job meanwhile | rows/s of the job alone |
| --- | --- | --- | --- | --- | --- |
${lines.join("\n")}

\`--jobs-share 1\` is what a job costs without its manners: it only waits until no request is waiting or running.
`;
if (flag === -1) writeFileSync(join(import.meta.dirname, "results/jobs.md"), text);
process.stdout.write(text);
