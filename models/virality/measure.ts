// Measures what README.md says about serving virality: cold start, warm latency of single requests, and 50 rows with
// pictures through `sluice predict`. From the repository's root: node scripts/with-node24.mjs models/virality/measure.ts
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { parse } from "yaml";

const STARTS = 5;
const REQUESTS = 300;
const root = join(import.meta.dirname, "../..");
const example = (
  parse(readFileSync(join(import.meta.dirname, "model.yaml"), "utf8")) as {
    serving: { examples: Record<string, unknown>[] };
  }
).serving.examples[0]!;
const rows = readFileSync(join(import.meta.dirname, "data/eval.jsonl"), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Record<string, unknown>);

const node = (args: readonly string[]) =>
  spawn(process.execPath, [join(root, "cli.ts"), ...args], { cwd: root, stdio: ["ignore", "ignore", "pipe"] });

/** Starts a server. `firstAnswerMs` is the time from the start of the process to its first prediction. */
async function serve(): Promise<{ child: ChildProcess; url: string; firstAnswerMs: number }> {
  const began = performance.now();
  const child = node(["serve", "virality", "--host", "127.0.0.1", "--port", "0"]);
  const url = await new Promise<string>((done, fail) => {
    let said = "";
    child.stderr!.on("data", (chunk: Buffer) => {
      said += String(chunk);
      const found = / at (http:\S+)/.exec(said)?.[1];
      if (found !== undefined) done(found);
    });
    child.once("close", () => {
      fail(new Error(said));
    });
  });
  for (;;) {
    const answer = await ask(url, example);
    if (answer.ok) return { child, url, firstAnswerMs: performance.now() - began };
    await new Promise((again) => {
      setTimeout(again, 5);
    });
  }
}

async function ask(url: string, row: object): Promise<{ ok: boolean; ms: number }> {
  const began = performance.now();
  const answer = await fetch(`${url}/predict`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(row),
  });
  await answer.arrayBuffer();
  return { ok: answer.ok, ms: performance.now() - began };
}

const quantile = (values: readonly number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))]!;
const shown = (values: readonly number[]) =>
  `p50 ${quantile(values, 0.5).toFixed(1)} ms, p99 ${quantile(values, 0.99).toFixed(1)} ms`;

const starts: number[] = [];
for (let i = 0; i < STARTS; i++) {
  const { child, firstAnswerMs } = await serve();
  starts.push(firstAnswerMs);
  child.kill();
  await new Promise((done) => {
    child.once("close", done);
  });
}
console.log(
  `process start to first answer, ${STARTS} starts: median ${quantile(starts, 0.5).toFixed(0)} ms, slowest ${Math.max(...starts).toFixed(0)} ms`,
);

const noise = Buffer.from(
  Array.from({ length: 1280 * 720 * 3 }, (_, i) => (((i * 2_654_435_761) >>> 8) % 64) + (((i / 3840) | 0) % 192)),
);
const photo = await sharp(noise, { raw: { width: 1280, height: 720, channels: 3 } })
  .jpeg({ quality: 70 })
  .toBuffer();
const { child, url } = await serve();
for (const [name, row] of [
  ["a 32×32 PNG as data: URL", example],
  [
    `a 1280×720 JPEG of ${Math.round(photo.length / 1000)} kB as data: URL`,
    { ...example, thumbnail_url: `data:image/jpeg;base64,${photo.toString("base64")}` },
  ],
  ["no thumbnail", { ...example, thumbnail_url: null }],
] as const) {
  for (let i = 0; i < 30; i++) await ask(url, row);
  const times: number[] = [];
  for (let i = 0; i < REQUESTS; i++) times.push((await ask(url, row)).ms);
  console.log(`one request after another, ${name}: ${shown(times)}`);
}

const folder = mkdtempSync(join(tmpdir(), "sluice-virality-"));
writeFileSync(
  join(folder, "rows.jsonl"),
  rows
    .filter((row) => row["thumbnail_url"] !== undefined)
    .slice(0, 50)
    .map((row) => `${JSON.stringify(row)}\n`)
    .join(""),
);
for (const [name, where] of [
  ["a server that runs", url],
  ["--url local, its start included", "local"],
] as const) {
  const times: number[] = [];
  for (let i = 0; i < 3; i++) {
    const began = performance.now();
    const client = node([
      "predict",
      "virality",
      "--input",
      join(folder, "rows.jsonl"),
      "--url",
      where,
      "--output",
      join(folder, `${where === "local"}-${i}.csv`),
    ]);
    client.stderr!.resume();
    const code = await new Promise((done) => {
      client.once("close", done);
    });
    if (code !== 0) throw new Error(`sluice predict ended with ${String(code)}`);
    times.push(performance.now() - began);
  }
  console.log(
    `sluice predict, 50 rows with pictures, ${name}: median of 3 runs ${(quantile(times, 0.5) / 1000).toFixed(2)} s, the client's start included`,
  );
}
rmSync(folder, { recursive: true, force: true });
child.kill();
