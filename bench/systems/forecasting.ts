import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { parse } from "csv-parse/sync";
import type { SeriesResult } from "../../models/core/postprocess/result.ts";
import { loadManifest } from "../../models/core/predictor/load.ts";
import { openPredictor, type Predictor } from "../../models/core/predictor/predictor.ts";
import { median, root, serve } from "../serving/processes.ts";
import { resultsPage, type Measured } from "./forecasting/page.ts";

/**
 * npm run bench:forecasting [-- --m3 m3.csv.gz]
 *
 * models/forecasting: its gate's figures computed again by R's forecast package, R and statsmodels on the same origins,
 * M3 where the file is there (default: ../shared/data/timeseries/m3.csv.gz), and its speed in this process and over
 * HTTP. Needs R with forecast and Python with statsmodels (Debian: r-cran-forecast, python3-statsmodels). Writes
 * bench/results/forecasting.md.
 */
const HORIZON = 18;
const MANY = 100_000;
const flag = process.argv.indexOf("--m3");
const m3File = flag === -1 ? join(root, "../shared/data/timeseries/m3.csv.gz") : process.argv[flag + 1]!;
const folder = mkdtempSync(join(tmpdir(), "bench-forecasting-"));

type EvalRow = { id: string; history: number[]; actual: number[] };
const rows = readFileSync(join(root, "models/forecasting/data/eval.jsonl"), "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as EvalRow);

function run(command: string, args: readonly string[], accepted: readonly number[] = [0]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1e9,
    timeout: 1_800_000,
  });
  if (!accepted.includes(status ?? -1)) throw new Error(`${command} ${args[0]}: ${error?.message ?? stderr}`);
  return stdout;
}

/** The gate without its timings, which leave its latency check without a verdict (exit code 4). */
function gated(): { figures: Map<string, number>; predictions: string } {
  const config = ["--config", "models/forecasting/sluice.yaml", "--baseline", "models/forecasting/production"];
  const out = join(folder, "gate");
  run(process.execPath, ["cli.ts", "gate", ...config, "--no-performance", "--out", out], [0, 3, 4]);
  const { models } = JSON.parse(readFileSync(join(out, "verdict.json"), "utf8")) as {
    models: { checks: { id: string; slice: string; observed: number | null }[] }[];
  };
  // A check's id begins with its metric and options, e.g. interval_coverage(at=0.95)/limit#7.
  const figures = new Map<string, number>();
  for (const { id, slice, observed } of models[0]!.checks)
    if (slice === "all" && observed !== null) figures.set(id.split("/")[0]!, observed);
  return { figures, predictions: join(out, "predictions/forecasting/months.candidate.csv") };
}

/** Name → its numbers, as the R script prints them. */
function judged(histories: string, predictions: string): Map<string, string[]> {
  const said = run("Rscript", ["bench/systems/forecasting/judge.R", histories, predictions]);
  return new Map(
    said
      .trim()
      .split("\n")
      .map((line) => line.split("\t"))
      .map(([name, ...values]) => [name!, values]),
  );
}

const offline = { fetch: globalThis.fetch, env: {}, cacheDir: join(folder, "cache") };
const open = async (threads: number): Promise<Predictor> =>
  openPredictor(await loadManifest(join(root, "models/forecasting")), { threads }, offline);

const point = (answer: unknown) => (answer as { months: SeriesResult }).months;

function smape(actual: readonly number[], forecast: readonly number[]): number {
  const errors = actual.map((y, t) => (200 * Math.abs(y - forecast[t]!)) / (Math.abs(y) + Math.abs(forecast[t]!)));
  return errors.reduce((sum, one) => sum + one, 0) / errors.length;
}

/** Mean sMAPE, 0 to 200, of the monthly series of M3; null where the file is not there. */
async function onM3(predictor: Predictor): Promise<{ series: number; smape: number; covered: number } | null> {
  if (!existsSync(m3File)) return null;
  type Line = { sn: string; period: string; split: string; values: string };
  const lines = parse(gunzipSync(readFileSync(m3File)), { columns: true }) as Line[];
  const monthly = lines.filter(({ period }) => period.toUpperCase() === "MONTHLY");
  const valuesOf = (split: string) =>
    new Map(monthly.filter((one) => one.split === split).map(({ sn, values }) => [sn, values.split(";").map(Number)]));
  const [past, future] = [valuesOf("train"), valuesOf("test")];
  const answers = await predictor.predict([...past.values()].map((history) => ({ history })));
  let [sum, inside] = [0, 0];
  [...past.keys()].forEach((name, i) => {
    const answer = answers[i]!;
    if (!answer.ok) throw answer.error;
    const { values, quantiles } = point(answer.heads);
    const actual = future.get(name)!;
    sum += smape(actual, values);
    const [low, high] = [0.025, 0.975].map((level) => quantiles!.find((one) => one.level === level)!.values);
    inside += actual.filter((y, t) => y >= low![t]! && y <= high![t]!).length / HORIZON;
  });
  return { series: past.size, smape: sum / past.size, covered: inside / past.size };
}

/** Rows that differ, from the histories that there are. */
const manyRows = Array.from({ length: MANY }, (_, i) => {
  const { history } = rows[i % rows.length]!;
  const scale = 1 + i / MANY;
  return { history: history.map((value) => value * scale) };
});

/** Two sessions of one thread, each with half of the rows: the answers' count and the seconds. */
async function fleet(): Promise<{ seconds: number; peakRssBytes: number }> {
  const pair = [await open(1), await open(1)];
  try {
    for (const one of pair) await one.predict(manyRows.slice(0, 512));
    const CHUNK = 2048;
    const started = performance.now();
    let next = 0;
    let steps = 0;
    await Promise.all(
      pair.map(async (one) => {
        while (next < MANY) {
          const from = next;
          next += CHUNK;
          for (const answer of await one.predict(manyRows.slice(from, from + CHUNK))) {
            if (!answer.ok) throw answer.error;
            steps += point(answer.heads).values.length;
          }
        }
      }),
    );
    const seconds = (performance.now() - started) / 1000;
    if (steps !== MANY * HORIZON) throw new Error(`${steps} steps were forecast`);
    return { seconds, peakRssBytes: process.resourceUsage().maxRSS * 1024 };
  } finally {
    await Promise.all(pair.map(async (one) => one.close()));
  }
}

const quantile = (values: readonly number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))]!;

async function overHttp(): Promise<Measured["http"]> {
  const colds: number[] = [];
  for (let i = 0; i < 3; i++) {
    const begun = performance.now();
    const probe = await serve([join(root, "models/forecasting")]);
    colds.push((performance.now() - begun) / 1000);
    await probe.stop();
  }
  const server = await serve([join(root, "models/forecasting")]);
  try {
    const post = async (path: string, body: unknown) => {
      const response = await fetch(`${server.url}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return (await response.json()) as { predictions?: unknown[] };
    };
    const single: number[] = [];
    for (let i = 0; i < 1100; i++) {
      const begun = performance.now();
      await post("/predict", manyRows[i]!);
      if (i >= 100) single.push(performance.now() - begun);
    }
    const batch = 256;
    const sent = 40;
    const begun = performance.now();
    let at = 0;
    let answered = 0;
    await Promise.all(
      [0, 1].map(async () => {
        while (at < sent) {
          const from = batch * at++;
          answered += (await post("/models/forecasting/predict/batch", { rows: manyRows.slice(from, from + batch) }))
            .predictions!.length;
        }
      }),
    );
    const rowsPerSecond = answered / ((performance.now() - begun) / 1000);
    return { coldSeconds: median(colds), p50Ms: quantile(single, 0.5), p95Ms: quantile(single, 0.95), rowsPerSecond };
  } finally {
    await server.stop();
  }
}

try {
  const before = loadavg()[0]!;
  const histories = join(folder, "histories.csv");
  writeFileSync(histories, `id,values\n${rows.map(({ id, history }) => `${id},${history.join(";")}\n`).join("")}`);
  const many = await fleet();
  const http = await overHttp();
  const one = await open(1);
  const m3 = await onM3(one);
  await one.close();
  const { figures, predictions } = gated();
  const r = judged(histories, predictions);
  const peer = JSON.parse(run("/usr/bin/python3", ["bench/systems/forecasting/peer.py", histories])) as Record<
    "theta" | "winters",
    { every: number; seconds: number; forecasts: (number[] | null)[] }
  > & { versions: string };
  const peers = (["theta", "winters"] as const).map((name) => {
    const { every, seconds, forecasts } = peer[name];
    const asked = rows.filter((_, i) => i % every === 0);
    const found = asked.flatMap(({ actual }, i) => (forecasts[i] === null ? [] : [smape(actual, forecasts[i]!)]));
    return {
      name,
      asked: asked.length,
      seconds,
      failed: asked.length - found.length,
      smape: found.reduce((a, b) => a + b, 0) / found.length,
    };
  });
  const text = resultsPage({
    machine: `${cpus()[0]?.model ?? "unknown processor"}, ${availableParallelism()} cores, Node ${process.versions.node}`,
    load: [before, loadavg()[0]!],
    date: new Date().toISOString().slice(0, 10),
    origins: rows.length,
    many: { series: MANY, ...many },
    http,
    m3,
    gate: figures,
    r,
    peers,
    peerVersions: peer.versions,
  });
  writeFileSync(join(root, "bench/results/forecasting.md"), text);
  process.stdout.write(text);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
