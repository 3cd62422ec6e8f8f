import { fork } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { quantile } from "../eval/stats/quantile.ts";
import { CONTROL_HEADER, controlKey, digestOf } from "../models/core/rollout/plan.ts";
import { rolloutStatus } from "../models/core/rollout/status.ts";

// node scripts/with-node24.mjs bench/rollout-shadow.ts [--model mood] [--rounds 12] [--seconds 3]
//
// What a shadow costs the live version: the same server twice, once with a candidate of the same weights in the shadow
// and once without one, asked in turn at half the rate that the server without one can take, with requests that do not
// wait for each other. Writes bench/results/rollout-shadow.md.

const root = fileURLToPath(new URL("..", import.meta.url));
const key = controlKey("a secret of the bench", "bench");
const agent = new Agent({ keepAlive: true, maxSockets: 256 });

if (process.argv[2] === "serve") {
  const { startServer } = await import("../spaces/server/server.ts");
  const { settingsSchema } = await import("../spaces/server/settings/settings.ts");
  const [, , , dir, file] = process.argv as [string, string, string, string, string?];
  const settings = settingsSchema.parse({
    host: "127.0.0.1",
    port: 0,
    logLevel: "silent",
    watch: false,
    sweepBudgetMs: 0,
    engine: "main",
    ...(file === undefined ? {} : { rolloutFile: file }),
  });
  const server = await startServer([dir], settings, { env: process.env, fetch });
  await server.loaded;
  process.send!(server.address);
  process.on("disconnect", () => process.exit(0));
} else await measure();

function flag(name: string, fallback: string): string {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? fallback : process.argv[at + 1]!;
}

type Served = { address: string; stop: () => void };

async function serve(...args: string[]): Promise<Served> {
  const child = fork(fileURLToPath(import.meta.url), ["serve", ...args], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const address = await new Promise<string>((resolve) => child.once("message", (one) => resolve(String(one))));
  return { address, stop: () => void child.kill() };
}

/** One request. @returns its milliseconds; NaN where it was refused */
function ask(address: string, body: string): Promise<number> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const call = request(
      `${address}/predict`,
      {
        method: "POST",
        agent,
        headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
      },
      (answer) => {
        answer.resume();
        answer.on("end", () =>
          // A server that is overloaded refuses; those are counted apart.
          answer.statusCode === 200 || answer.statusCode === 503
            ? resolve(answer.statusCode === 200 ? performance.now() - began : Number.NaN)
            : reject(new Error(`answered ${answer.statusCode}`)),
        );
      },
    );
    call.on("error", reject);
    call.end(body);
  });
}

/** Requests a second that 16 clients get, each waiting for its answer. */
async function capacity(address: string, bodies: readonly string[], seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1000;
  let answered = 0;
  const client = async () => {
    while (performance.now() < end) await ask(address, bodies[answered++ % bodies.length]!);
  };
  await Promise.all(Array.from({ length: 16 }, client));
  return answered / seconds;
}

/** Latencies at a fixed rate: each request leaves when its time has come, whatever the others do. */
async function atRate(address: string, bodies: readonly string[], rate: number, seconds: number): Promise<number[]> {
  const began = performance.now();
  const count = Math.floor(rate * seconds);
  const asked: Promise<number>[] = [];
  while (asked.length < count) {
    const due = Math.min(count, Math.floor(((performance.now() - began) / 1000) * rate));
    while (asked.length < due) asked.push(ask(address, bodies[asked.length % bodies.length]!));
    await new Promise((resolve) => {
      setTimeout(resolve, 1);
    });
  }
  return Promise.all(asked);
}

async function measure(): Promise<void> {
  const [model, rounds, seconds] = [flag("model", "mood"), Number(flag("rounds", "12")), Number(flag("seconds", "3"))];
  const folder = mkdtempSync(join(tmpdir(), "sluice-shadow-"));
  const source = join(root, "models", model);
  const keep = (path: string) => !/\/(data|train|production)(\/|$)/.test(path.slice(source.length));
  const own = join(folder, "candidate/models", model);
  mkdirSync(join(folder, "candidate/models"), { recursive: true });
  cpSync(source, join(folder, "models", model), { recursive: true, filter: keep });
  cpSync(source, own, { recursive: true, filter: keep });
  const text = readFileSync(join(own, "model.yaml"), "utf8");
  const { version, serving } = parse(text) as { version: string; serving: { examples: object[] } };
  writeFileSync(join(own, "model.yaml"), text.replace(/^version: .*$/m, "version: 99.0.0"));
  const facts = { sha256: "0".repeat(64), commit: null };
  writeFileSync(
    join(folder, "rollout.json"),
    JSON.stringify({
      schemaVersion: 1,
      id: "bench",
      model,
      baseline: { version, ...facts },
      candidate: { version: "99.0.0", ...facts },
      controlSha256: digestOf(key),
      settings: { metrics: { agreement: {} }, cap: { rows: 100_000_000 }, minimum: { recent: 0 } },
    }),
  );
  const loadBefore = loadavg()[0]!;
  const [plain, shadowed] = [
    await serve(join(folder, "models", model)),
    await serve(join(folder, "models", model), join(folder, "rollout.json")),
  ];
  const place = `${shadowed.address}/models/${model}/rollout`;
  const status = async () => rolloutStatus.parse(await (await fetch(place)).json());
  while ((await status()).candidate.state === "loading")
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  const begun = await fetch(place, {
    method: "POST",
    headers: { "content-type": "application/json", [CONTROL_HEADER]: key },
    body: JSON.stringify({ rollout: "bench", from: -1, step: 0 }),
  });
  if (!begun.ok) throw new Error(await begun.text());
  const bodies = serving.examples.map((row) => JSON.stringify(row));
  await capacity(plain.address, bodies, 1);
  await capacity(shadowed.address, bodies, 1);
  const most = await capacity(plain.address, bodies, seconds);
  const times = { plain: [] as number[], shadowed: [] as number[] };
  const refused = { plain: 0, shadowed: 0 };
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const p99: Partial<Record<keyof typeof times, number>> = {};
    for (const which of round % 2 === 0 ? (["plain", "shadowed"] as const) : (["shadowed", "plain"] as const)) {
      const found = await atRate((which === "plain" ? plain : shadowed).address, bodies, most / 2, seconds);
      const answered = found.filter((one) => !Number.isNaN(one));
      refused[which] += found.length - answered.length;
      times[which].push(...answered);
      p99[which] = quantile(answered, 0.99);
    }
    ratios.push(p99.shadowed! / p99.plain!);
  }
  const { shadow } = await status();
  plain.stop();
  shadowed.stop();
  rmSync(folder, { recursive: true, force: true });
  const ms = (of: readonly number[], p: number) => quantile(of, p).toFixed(2);
  const change = 100 * (quantile(times.shadowed, 0.99) / quantile(times.plain, 0.99) - 1);
  const table = [
    "| | p50, ms | p99, ms | answered | refused |",
    "| --- | --- | --- | --- | --- |",
    `| live version alone | ${ms(times.plain, 0.5)} | ${ms(times.plain, 0.99)} | ${times.plain.length} | ${refused.plain} |`,
    `| with a shadow | ${ms(times.shadowed, 0.5)} | ${ms(times.shadowed, 0.99)} | ${times.shadowed.length} | ${refused.shadowed} |`,
  ].join("\n");
  const words = `p99 ${change >= 0 ? "+" : ""}${change.toFixed(1)} % with a shadow (median of ${rounds} rounds: ${(100 * (quantile(ratios, 0.5) - 1)).toFixed(1)} %); ${shadow.compared} rows compared, ${shadow.shed} shed.`;
  process.stdout.write(`${table}\n\n${words}\n`);
  writeFileSync(
    join(root, "bench/results/rollout-shadow.md"),
    `# What a shadow costs the live version

Command: \`node scripts/with-node24.mjs bench/rollout-shadow.ts --model ${model} --rounds ${rounds} --seconds ${seconds}\`. ${cpus().length} cores of ${cpus()[0]?.model.trim() ?? "an unknown processor"}, shared with the clients; load ${loadBefore.toFixed(1)} at the start.

${model} ${version} with a candidate of the same weights, at ${(most / 2).toFixed(0)} requests a second: half of the ${most.toFixed(0)} that the server alone answers to 16 clients. Rounds of ${seconds} s in turn, single rows, requests that do not wait for each other.

${table}

${words}${loadBefore > cpus().length ? `\n\nThe machine was busy with other work (load ${loadBefore.toFixed(1)} on ${cpus().length} cores), so the figures say little; run it again on a quiet one.` : ""}
`,
  );
}
