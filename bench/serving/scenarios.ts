import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { benchModels, mlpRow, peerWeights } from "./models.ts";
import { runWrk, runAutocannon, median, root, serve, start, type Running } from "./processes.ts";
import { spaceTree } from "./space.ts";

export type Options = { rounds: number; seconds: number; overloadSeconds: number };
/** One figure against its goal; `value` is null when one side could not be measured. */
export type Figure = {
  what: string;
  value: number | null;
  unit: string;
  goal: string;
  met: boolean | null;
  detail: Record<string, number | string | null>;
};

const body = JSON.stringify(mlpRow);
const bare = async (dir: string, file: string, input: string) =>
  (await start(process.execPath, [join(root, "bench/serving/bare.ts"), "{port}", join(dir, file), input], "/"))!;
const PYTHON = "/usr/bin/python3";
const raw = (dir: string, batch: number, seconds: number, rows: object[]) =>
  Number(
    spawnSync(
      process.execPath,
      [join(root, "bench/serving/raw.ts"), dir, String(batch), String(seconds), JSON.stringify(rows)],
      { encoding: "utf8", timeout: 600_000, maxBuffer: 1e8 },
    ).stdout,
  );
const whole = (value: number | null) => (value === null ? null : Math.round(value));
const round = (value: number, digits = 3) => Number(value.toPrecision(digits));
const against = (
  what: string,
  value: number | null,
  goal: number,
  atLeast: boolean,
  unit: string,
  detail: Figure["detail"],
): Figure => ({
  what,
  value: value === null ? null : round(value),
  unit,
  goal: `${atLeast ? "≥" : "≤"} ${goal}`,
  met: value === null ? null : atLeast ? value >= goal : value <= goal,
  detail,
});

/**
 * Single rows against a bare echo, FastAPI with torch, and an empty FastAPI; and the fast path against the framework.
 * The targets alternate within every round.
 */
export async function singleRows({ rounds, seconds }: Options): Promise<Figure[]> {
  const { mlp } = benchModels();
  const ours = await serve([mlp]);
  const echo = await bare(mlp, "mlp.onnx", "features");
  const empty = await start(PYTHON, [join(root, "bench/serving/peer.py"), "{port}", "-"], "/echo");
  const torch = await start(PYTHON, [join(root, "bench/serving/peer.py"), "{port}", peerWeights], "/predict");
  const targets: [name: string, running: Running | null, path: string][] = [
    ["echo", echo, "/"],
    ["ours", ours, "/predict"],
    ["framework", ours, "/predict?"],
    ["empty FastAPI", empty, "/echo"],
    ["FastAPI + torch", torch, "/predict"],
  ];
  const seen = new Map<string, { requests: number[]; p99: number[] }>(
    targets.map(([name]) => [name, { requests: [], p99: [] }]),
  );
  for (const [, running, path] of targets) if (running !== null) runWrk(running.url + path, body, 1);
  for (let i = 0; i < rounds; i++) {
    for (const [name, running, path] of targets) {
      if (running === null) continue;
      const shot = runWrk(running.url + path, body, seconds);
      seen.get(name)!.requests.push(shot.requestsPerSecond);
      seen.get(name)!.p99.push(shot.p99Ms);
    }
  }
  for (const [, running] of targets) if (running !== ours) await running?.stop();
  await ours.stop();
  const rate = (name: string) => (seen.get(name)!.requests.length === 0 ? null : median(seen.get(name)!.requests));
  const p99 = (name: string) => (seen.get(name)!.p99.length === 0 ? null : median(seen.get(name)!.p99));
  const versus = (name: string) => (rate(name) === null ? null : rate("ours")! / rate(name)!);
  // The ceiling that no server on node:http can exceed, shown beside what a model server reaches.
  const ceiling = (name: string) =>
    name === "echo" || rate(name) === null ? {} : { "bare echo against it": round(rate("echo")! / rate(name)!) };
  const detail = (name: string) => ({
    [`${name}, requests/s`]: whole(rate(name)),
    [`${name}, p99 ms`]: p99(name),
    "ours, requests/s": whole(rate("ours")),
    "ours, p99 ms": p99("ours"),
    ...ceiling(name),
  });
  return [
    against(
      "single rows against a bare node:http JSON echo, 64 connections",
      versus("echo"),
      0.8,
      true,
      "×",
      detail("echo"),
    ),
    against(
      "single rows against an empty FastAPI echo",
      versus("empty FastAPI"),
      6,
      true,
      "×",
      detail("empty FastAPI"),
    ),
    against("single rows against FastAPI + torch", versus("FastAPI + torch"), 10, true, "×", detail("FastAPI + torch")),
    against(
      "single rows past the framework against through it",
      versus("framework"),
      1,
      true,
      "×",
      detail("framework"),
    ),
  ];
}

/** Many rows in one JSON request, and binary tensors against the runtime alone at its best batch. */
export async function batches({ rounds, seconds: all }: Options): Promise<Figure[]> {
  const seconds = Math.max(1, Math.floor(all / 2));
  const { mlp } = benchModels();
  const births = join(root, "models/births");
  const example = (dir: string) =>
    parse(readFileSync(join(dir, "model.yaml"), "utf8")) as { serving: { examples: object[] } };
  const server = await serve([mlp, births]);
  const json: number[] = [];
  const many = JSON.stringify({ rows: Array.from({ length: 1000 }, () => mlpRow) });
  const v2 = [
    { id: "mlp", dir: mlp, width: 32, row: mlpRow as object, sizes: [512, 2048, 8192] },
    { id: "births", dir: births, width: 72, row: example(births).serving.examples[0]!, sizes: [512, 2048] },
  ].map((one) => ({
    ...one,
    ours: [] as number[],
    alone: [] as number[],
    floor: [] as number[],
    sink: [] as number[],
  }));
  const servers = await Promise.all(
    v2.map(({ id, dir }) => bare(dir, id === "mlp" ? "mlp.onnx" : "model.onnx", "features")),
  );
  for (let i = 0; i < rounds; i++) {
    json.push(1000 * runWrk(`${server.url}/predict/batch`, many, seconds, { connections: 4 }).requestsPerSecond);
    for (const [k, one] of v2.entries()) {
      const best = { ours: 0, alone: 0, floor: 0, sink: 0 };
      for (const size of one.sizes) {
        const { header, tensor } = tensorBody(size, one.width);
        const binary = { connections: 4, type: "application/octet-stream" };
        best.ours = Math.max(
          best.ours,
          size *
            runWrk(`${server.url}/v2/models/${one.id}/infer`, Buffer.concat([header, tensor]), seconds, {
              ...binary,
              header: ["inference-header-content-length", String(header.length)],
            }).requestsPerSecond,
        );
        best.floor = Math.max(
          best.floor,
          size * runWrk(`${servers[k]!.url}/run/${one.width}`, tensor, seconds, binary).requestsPerSecond,
        );
        best.sink = Math.max(
          best.sink,
          size * runWrk(`${servers[k]!.url}/sink`, tensor, seconds, binary).requestsPerSecond,
        );
        best.alone = Math.max(best.alone, raw(one.dir, size, Math.min(1, seconds), [one.row]));
      }
      for (const name of ["ours", "alone", "floor", "sink"] as const) one[name].push(best[name]);
    }
  }
  for (const one of [server, ...servers]) await one.stop();
  return [
    against("rows per second in JSON requests of 1,000 rows", median(json), 100_000, true, "rows/s", {}),
    ...v2.map(({ id, width, sizes, ours, alone, floor, sink }) =>
      against(
        `v2 with binary tensors against the runtime alone, each at its best batch: ${id}, ${4 * width} bytes a row`,
        median(ours) / median(alone),
        0.6,
        true,
        "×",
        {
          "v2, rows/s": round(median(ours)),
          "runtime, rows/s": round(median(alone)),
          "bare node:http that receives and runs, rows/s": round(median(floor)),
          "bare node:http that only receives, rows/s": round(median(sink)),
          "v2 against bare receive and run": round(median(ours) / median(floor)),
          "batches tried": sizes.join(", "),
        },
      ),
    ),
  ];
}

function tensorBody(size: number, width: number): { header: Buffer; tensor: Buffer } {
  const tensor = Buffer.from(Float32Array.from({ length: size * width }, (_, i) => mlpRow.features[i % 32]!).buffer);
  return {
    tensor,
    header: Buffer.from(
      JSON.stringify({
        inputs: [
          { name: "features", shape: [size, width], datatype: "FP32", parameters: { binary_data_size: tensor.length } },
        ],
        parameters: { binary_data_output: true },
      }),
    ),
  };
}

/** The encoder with texts of real lengths: rows alone, and the batches that the warm-up chose. */
export async function encoder({ rounds, seconds }: Options): Promise<Figure[]> {
  const models = benchModels();
  const rows = models.texts.map((text) => ({ text }));
  const bodies = rows.map((row) => JSON.stringify(row));
  const single = await serve([models.encoder], ["--max-batch", "1", "--max-queue-wait-ms", "60000"]);
  const batched = await serve([models.encoder], ["--sweep-budget-ms", "20000", "--max-queue-wait-ms", "60000"]);
  const seen = { alone: [] as number[], single: [] as number[], batched: [] as number[] };
  for (let i = 0; i < rounds; i++) {
    const alone = raw(models.encoder, 1, seconds, rows);
    seen.alone.push(alone);
    // About one round over the texts, so that long and short ones have nearly the same weight as in the raw loop.
    const about = Math.max(seconds, Math.round(rows.length / alone));
    for (const [name, { url }] of [
      ["single", single],
      ["batched", batched],
    ] as const)
      seen[name].push(runWrk(`${url}/predict`, bodies, about, { connections: 16 }).requestsPerSecond);
  }
  await single.stop();
  await batched.stop();
  return [
    against(
      "encoder, rows one at a time, against a raw loop",
      median(seen.single) / median(seen.alone),
      0.97,
      true,
      "×",
      { "ours, rows/s": round(median(seen.single)), "raw loop, rows/s": round(median(seen.alone)) },
    ),
    against(
      "encoder, length-sorted batches, against the raw loop",
      median(seen.batched) / median(seen.alone),
      1.15,
      true,
      "×",
      { "ours, rows/s": round(median(seen.batched)) },
    ),
  ];
}

/**
 * Process start → /readyz of the bundled Space with Node's compile cache, minus the time to open the model, which the
 * model itself costs.
 */
export async function coldStart({ rounds }: Options): Promise<Figure[]> {
  const { mlp } = benchModels();
  const tree = await spaceTree(join(root, ".cache/bench-serving/space"), { mlp });
  const times: number[] = [];
  const opens: number[] = [];
  for (let i = 0; i < rounds + 1; i++) {
    const from = performance.now();
    const server = (await start(
      process.execPath,
      ["server/main.js"],
      "/readyz",
      {
        SLUICE_PORT: "{port}",
        SLUICE_HOST: "127.0.0.1",
        SLUICE_LOG_LEVEL: "warn",
        NODE_COMPILE_CACHE: join(tree, "compile-cache"),
      },
      undefined,
      tree,
    ))!;
    const readyMs = performance.now() - from;
    const card = (await (await fetch(`${server.url}/models/mlp`)).json()) as { loaded: { openMs: number } };
    // The first run fills the compile cache.
    if (i > 0) {
      times.push(readyMs - card.loaded.openMs);
      opens.push(card.loaded.openMs);
    }
    await server.stop();
  }
  return [
    against(
      "process start → /readyz less opening the model, bundled, compile cache filled",
      median(times),
      500,
      false,
      "ms",
      { "opening the model, with the runtime's own loading, ms": round(median(opens)) },
    ),
  ];
}

/** Open loop at three times the capacity of the encoder: answers, refusals, memory. */
export async function overload({ overloadSeconds }: Options): Promise<Figure[]> {
  const models = benchModels();
  const server = await serve([models.encoder], ["--max-queue-wait-ms", "1000", "--request-timeout-ms", "5000"]);
  const one = JSON.stringify({ text: models.texts[0] });
  const peakSeconds = Math.max(5, overloadSeconds / 6);
  const peak = (runAutocannon(`${server.url}/predict`, one, peakSeconds, 4).statuses["200"]?.count ?? 0) / peakSeconds;
  const before = memory(server.pid);
  const shot = runAutocannon(`${server.url}/predict`, one, overloadSeconds, 256, Math.ceil(3 * peak));
  const after = memory(server.pid);
  const good = (shot.statuses["200"]?.count ?? 0) / overloadSeconds;
  const other = Object.entries(shot.statuses)
    .filter(([status]) => !["200", "429", "503"].includes(status))
    .reduce((sum, [, { count }]) => sum + count, 0);
  const descriptors = readdirSync(`/proc/${server.pid}/fd`).length;
  await server.stop();
  return [
    against(`3× overload for ${overloadSeconds} s: goodput against peak`, good / peak, 0.9, true, "×", {
      "peak, requests/s": round(peak),
      "answered, requests/s": round(good),
      "other than 200, 429, 503": other,
      "RSS before, MB": before,
      "RSS after, MB": after,
      descriptors,
    }),
    against("3× overload: p99 of all answers", shot.p99Ms, 5000, false, "ms", { errors: shot.errors }),
  ];
}

function memory(pid: number): number {
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024);
}
