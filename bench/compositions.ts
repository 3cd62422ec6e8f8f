import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { loadManifest } from "../models/core/predictor/load.ts";
import { openPredictor, type Predictor } from "../models/core/predictor/predictor.ts";

// node scripts/with-node24.mjs bench/compositions.ts [--rounds 15] [--ms 300]
//
// What the graph of a composition costs: rows per second of a sequence of two models beside the same two predictors
// called one after the other in a bare loop, call by call in turn, by processor time. The goal is a ratio of .9 or more. Writes
// bench/results/compositions.md.

const root = fileURLToPath(new URL("..", import.meta.url));
const flag = (name: string, fallback: number) => {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? fallback : Number(process.argv[at + 1]);
};
const rounds = flag("rounds", 15);
const roundMs = flag("ms", 300);
const deps = { env: process.env, fetch };
const dir = mkdtempSync(join(tmpdir(), "sluice-bench-"));
process.on("exit", () => rmSync(dir, { recursive: true, force: true }));

type Row = Record<string, unknown>;
type Case = { name: string; from: readonly [string, string]; task: string; mapped: boolean; rows: Row[] };

const history = (i: number) => Array.from({ length: 28 }, (_, day) => 9000 + ((i * 37 + day * 911) % 4000));
const words = "the food was cold but staff were kind and I will come back for more of this great place".split(" ");
const births = Array.from({ length: 64 }, (_, i) => ({ date: `2003-0${1 + (i % 9)}-1${i % 9}`, history: history(i) }));
const texts = Array.from({ length: 64 }, (_, i) => ({
  text: Array.from({ length: 4 + (i % 20) }, (_unused, k) => words[(i * 7 + k * 3) % words.length]).join(" "),
}));
const cases: Case[] = [
  { name: "births twice", from: ["births", "births"], task: "regression", mapped: false, rows: births },
  { name: "births twice, a field mapped", from: ["births", "births"], task: "regression", mapped: true, rows: births },
  {
    name: "mood in int8, then mood",
    from: ["mood/int8", "mood"],
    task: "binary-classification",
    mapped: false,
    rows: texts,
  },
];

function copy(model: string): string {
  const to = join(dir, model.replace("/", "-"));
  mkdirSync(to, { recursive: true });
  for (const file of ["model.yaml", "model.onnx", "tokenizer.json", "tokenizer_config.json"]) {
    const from = join(root, "models", model, file);
    if (existsSync(from)) cpSync(from, join(to, file));
  }
  return to;
}

async function opened(folder: string): Promise<Predictor> {
  return openPredictor(await loadManifest(folder), {}, deps);
}

/** Microseconds of this thread's processor time, in which the graphs run too. */
function spent(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const load = loadavg()[0]!.toFixed(1);
const lines: string[] = [];
for (const { name, from, task, mapped, rows } of cases) {
  const folders = from.map(copy);
  const ids = await Promise.all(folders.map(async (folder) => (await loadManifest(folder)).manifest.id));
  const own = join(dir, `both-${ids.join("-")}-${mapped}`);
  mkdirSync(own);
  const inputs = mapped ? { inputs: { date: "date" } } : {};
  writeFileSync(
    join(own, "model.yaml"),
    stringify({
      schemaVersion: 1,
      id: "both",
      version: "1.0.0",
      task,
      backend: "graph",
      models: Object.fromEntries(ids.map((id, i) => [id, `../${from[i]!.replace("/", "-")}`])),
      nodes: {
        root: {
          sequence: [
            { name: "first", model: ids[0] },
            { name: "second", model: ids[1], ...inputs },
          ],
        },
      },
    }),
  );
  const [composed, first, second] = [await opened(own), await opened(folders[0]!), await opened(folders[1]!)];
  for (const batch of [1, 32]) {
    const chunks = Array.from({ length: Math.floor(rows.length / batch) }, (_, i) =>
      rows.slice(i * batch, (i + 1) * batch),
    );
    let at = 0;
    const next = () => chunks[at++ % chunks.length]!;
    const graph = async () => void (await composed.predict(next(), { batch }));
    const bare = async () => {
      const some = next();
      await first.predict(some, { batch });
      await second.predict(some, { batch });
    };
    const ratios: number[] = [];
    const rates: { graph: number[]; bare: number[] } = { graph: [], bare: [] };
    for (let i = -1; i < rounds; i++) {
      const cost = { graph: 0, bare: 0 };
      const timed = async (kind: "graph" | "bare", once: () => Promise<void>) => {
        const before = spent();
        await once();
        cost[kind] += spent() - before;
      };
      let calls = 0;
      // In turn, call by call: what other work does to the machine hits both alike.
      for (const end = performance.now() + roundMs; performance.now() < end; calls++) {
        const [one, other] = calls % 2 === 0 ? ([graph, bare] as const) : ([bare, graph] as const);
        await timed(one === graph ? "graph" : "bare", one);
        await timed(other === graph ? "graph" : "bare", other);
      }
      // The first round only warms up.
      if (i < 0) continue;
      const perSecond = (us: number) => (1e6 * calls * batch) / us;
      rates.graph.push(perSecond(cost.graph));
      rates.bare.push(perSecond(cost.bare));
      ratios.push(cost.bare / cost.graph);
    }
    const sorted = ratios.toSorted((a, b) => a - b);
    const line = `| ${name} | ${batch} | ${Math.round(median(rates.graph))} | ${Math.round(median(rates.bare))} | ${median(ratios).toFixed(3)} | ${sorted[0]!.toFixed(2)} – ${sorted.at(-1)!.toFixed(2)} |`;
    lines.push(line);
    console.log(line);
  }
  for (const one of [composed, first, second]) await one.close();
}

writeFileSync(
  join(root, "bench/results/compositions.md"),
  `# What the graph of a composition costs

${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model.trim()}, ${cpus().length} cores, load ${load} before. Node ${process.versions.node},
${rounds} rounds of ${roundMs} ms each, in which the two take turns call by call. A sequence of two models beside the same
two predictors called one after the other, by the processor's time. The goal is a ratio of .9 or more.

Command: \`node scripts/with-node24.mjs bench/compositions.ts --rounds ${rounds} --ms ${roundMs}\`

| models | rows at once | sequence, rows/s | bare loop, rows/s | ratio, median of the rounds | all rounds |
| --- | --- | --- | --- | --- | --- |
${lines.join("\n")}
`,
);
