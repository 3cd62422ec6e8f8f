/**
 * Tokens per second of the decode loop beside a bare loop over the same ONNX Runtime sessions' settings, in turns of one
 * process: `node scripts/with-node24.mjs bench/generate.ts [--speech DIR] [--rounds 9]`.
 *
 * DIR holds encoder_model.onnx, decoder_model_merged.onnx and wav/*.wav (16 kHz, 16 bit, mono) of Moonshine. Without it
 * only the small graphs of the tests are run, where a step costs so little that the loop's own work shows most.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import * as ort from "onnxruntime-node";
import { fetchArtifact } from "../models/core/artifact/artifact.ts";
import { generateSequences } from "../models/core/generate/generator.ts";
import { planDecoder } from "../models/core/generate/plan.ts";
import { generate, type GenerateSettings } from "../models/core/generate/schema.ts";
import { openSession } from "../models/core/session/session.ts";
import type { GraphTensor } from "../models/core/tensors.ts";
import { samplesOf } from "../tests/models/core/wave-samples.ts";

const { values } = parseArgs({ options: { speech: { type: "string" }, rounds: { type: "string", default: "9" } } });
const rounds = Number(values.rounds);
const deps = { env: process.env, fetch };
const families = join(import.meta.dirname, "../tests/models/core/generate/families");

type Feeds = Record<string, GraphTensor>;
type Case = {
  name: string;
  dir: string;
  encoder: string;
  decoder: string;
  /** Fed to the encoder, run after run. */
  runs: Feeds[];
  settings: GenerateSettings;
  limitOf: (feeds: Feeds) => number;
  /** Seconds of sound in all runs; null for other inputs. */
  seconds: number | null;
};

/** What somebody would write by hand for this one export: greedy, cached, merged decoder. */
async function bareLoop({ dir, encoder, decoder, settings, limitOf }: Case) {
  const [start, end] = [settings.start![0]!, settings.end[0]!];
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: "sequential" as const };
  const first = await ort.InferenceSession.create(join(dir, encoder), options);
  const second = await ort.InferenceSession.create(join(dir, decoder), options);
  const pasts = second.inputMetadata.filter((one) => one.name.startsWith("past_key_values"));
  const masked = second.inputNames.includes("encoder_attention_mask");
  const tensor = ({ dtype, data, dims }: GraphTensor) => new ort.Tensor(dtype as "float32", data as Float32Array, dims);
  const run = async (feeds: Feeds): Promise<number> => {
    const given = Object.fromEntries(Object.entries(feeds).map(([name, one]) => [name, tensor(one)]));
    const { last_hidden_state: hidden } = await first.run(given);
    const rows = hidden!.dims[0]!;
    let cache: Record<string, ort.Tensor> = Object.fromEntries(
      pasts.map((one) => {
        const dims = (one.isTensor ? one.shape : []).map((size, axis) =>
          axis === 0 ? rows : typeof size === "number" ? size : 0,
        );
        return [one.name, new ort.Tensor("float32", new Float32Array(0), dims)];
      }),
    );
    let ids = new Array<number>(rows).fill(start);
    const over = new Array<boolean>(rows).fill(false);
    let tokens = 0;
    const limit = limitOf(feeds);
    for (let step = 0; ; step++) {
      const answers = await second.run({
        input_ids: new ort.Tensor("int64", BigInt64Array.from(ids, BigInt), [rows, 1]),
        ...(second.inputNames.includes("encoder_hidden_states") ? { encoder_hidden_states: hidden! } : {}),
        ...(masked ? { encoder_attention_mask: given["attention_mask"]! } : {}),
        use_cache_branch: new ort.Tensor("bool", Uint8Array.of(step === 0 ? 0 : 1), [1]),
        ...cache,
      });
      cache = Object.fromEntries(
        pasts.map(({ name }) => [
          name,
          step > 0 && name.includes(".encoder.") ? cache[name]! : answers[name.replace("past_key_values", "present")]!,
        ]),
      );
      const { data, dims } = answers["logits"]!;
      const vocabulary = dims[2]!;
      ids = ids.map((_, row) => {
        if (over[row]!) return end;
        tokens++;
        let top = 0;
        const from = row * vocabulary;
        for (let i = 1; i < vocabulary; i++)
          if ((data as Float32Array)[from + i]! > (data as Float32Array)[from + top]!) top = i;
        if (top === end) over[row] = true;
        return top;
      });
      if (over.every(Boolean) || step + 1 >= limit) return tokens;
    }
  };
  return { run, close: async () => void (await Promise.all([first.release(), second.release()])) };
}

const sha256 = (dir: string, path: string) =>
  createHash("sha256")
    .update(readFileSync(join(dir, path)))
    .digest("hex");

async function ownLoop(one: Case) {
  const open = async (path: string) =>
    openSession(await fetchArtifact({ path, sha256: sha256(one.dir, path), externalData: [] }, one.dir, deps), {
      provider: "cpu",
      threads: 1,
    });
  const [main, decoder] = [await open(one.encoder), await open(one.decoder)];
  const plan = planDecoder({ main, decoder }, one.settings, (path) => path.join("."));
  return {
    run: async (feeds: Feeds) => generateSequences(plan, one.settings, feeds),
    close: async () => {
      await decoder.close();
      await main.close();
    },
  };
}

/** The rows of the tests' torch reference, right-padded and masked. */
function toyFeeds(rows: number[][]): Feeds {
  const length = Math.max(...rows.map((row) => row.length));
  const grid = (value: (row: number[], at: number) => number): GraphTensor => ({
    dtype: "int64",
    data: BigInt64Array.from(rows.flatMap((row) => Array.from({ length }, (_, at) => BigInt(value(row, at))))),
    dims: [rows.length, length],
  });
  return { input_ids: grid((row, at) => row[at] ?? 0), attention_mask: grid((row, at) => (at < row.length ? 1 : 0)) };
}

function toys(): Case[] {
  const { families: known } = JSON.parse(readFileSync(join(families, "reference.json"), "utf8")) as {
    families: { t5: { sources: number[][] } };
  };
  const { sources } = known.t5;
  const base = {
    dir: families,
    encoder: "t5-encoder.onnx",
    decoder: "t5-merged.onnx",
    seconds: null,
    limitOf: () => 14,
  };
  const settings = generate.parse({ start: 0, end: 2, maxTokens: 14 });
  return [
    { ...base, name: "a toy, 6 rows singly", runs: sources.map((row) => toyFeeds([row])), settings },
    { ...base, name: "a toy, 6 rows in a batch", runs: [toyFeeds(sources)], settings },
  ];
}

function moonshine(dir: string): Case {
  const sounds = readdirSync(join(dir, "wav"))
    .filter((name) => name.endsWith(".wav"))
    .map((name) => samplesOf(join(dir, "wav", name)));
  const limits = { tokens: 6, input: "input_values", rate: 16_000 };
  return {
    name: `Moonshine tiny int8, ${sounds.length} recordings singly`,
    dir,
    encoder: "encoder_model.onnx",
    decoder: "decoder_model_merged.onnx",
    runs: sounds.map((data) => ({ input_values: { dtype: "float32", data, dims: [1, data.length] } })),
    settings: generate.parse({ start: 1, end: 2, maxTokens: 194, tokensPerSecond: limits }),
    limitOf: ({ input_values: sound }) => Math.ceil((sound!.dims[1]! / limits.rate) * limits.tokens),
    seconds: sounds.reduce((sum, { length }) => sum + length, 0) / limits.rate,
  };
}

const median = (all: readonly number[]) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)]!;

async function measure(one: Case): Promise<string> {
  const [bare, own] = [await bareLoop(one), await ownLoop(one)];
  const none = (): number[] => [];
  const figures = { bare: none(), own: none(), bareCpu: none(), ownCpu: none(), rtf: none(), first: none() };
  // Small runs are repeated, so that a turn is no shorter than the clock can tell.
  const repeats = one.seconds === null ? 40 : 1;
  for (let round = -1; round < rounds; round++) {
    // Who begins takes turns: the machine may slow down within a round.
    for (const who of round % 2 === 0 ? (["bare", "own"] as const) : (["own", "bare"] as const)) {
      let tokens = 0;
      const start = performance.now();
      const used = process.cpuUsage();
      for (let repeat = 0; repeat < repeats; repeat++)
        for (const feeds of one.runs) {
          if (who === "bare") tokens += await bare.run(feeds);
          else {
            const made = await own.run(feeds);
            tokens += made.tokens;
            if (round >= 0) figures.first.push(made.firstTokenMs);
          }
        }
      const seconds = (performance.now() - start) / 1000;
      // The first round warms both up.
      if (round < 0) continue;
      const { user, system } = process.cpuUsage(used);
      figures[who].push(tokens / seconds);
      figures[`${who}Cpu`].push((1e6 * tokens) / (user + system));
      if (who === "own" && one.seconds !== null) figures.rtf.push((user + system) / 1e6 / one.seconds);
    }
  }
  await bare.close();
  await own.close();
  const ratios = figures.ownCpu.map((value, i) => value / figures.bareCpu[i]!);
  return `| ${one.name} | ${median(figures.own).toFixed(0)} | ${median(figures.bare).toFixed(0)} | ${median(ratios).toFixed(3)} (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}) | ${median(figures.first).toFixed(1)} | ${figures.rtf.length === 0 ? "–" : median(figures.rtf).toFixed(3)} |`;
}

const before = loadavg()[0]!;
const lines: string[] = [];
for (const one of [...toys(), ...(values.speech === undefined ? [] : [moonshine(values.speech)])])
  lines.push(await measure(one));
const text = `# The decode loop beside a bare loop

Command: \`node scripts/with-node24.mjs bench/generate.ts --speech DIR\` (DIR: Moonshine's two graphs and \`wav/\`). ${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} cores, Node ${process.versions.node}; load average at the start ${before.toFixed(1)}, at the end ${loadavg()[0]!.toFixed(1)}. One thread, greedy, cached. With a load above the number of cores all times are too long; the two loops take turns in one process, and their ratio is that of tokens per second of processor time, which other programs change least.

The bare loop is what somebody writes by hand for this one export: tensors of ONNX Runtime go round as they are, and nothing is checked. A toy's step costs almost nothing, so it shows the loop's own work. Medians over ${rounds} rounds; of the ratio also the smallest and the largest.

| model | tokens/s | bare loop | ratio by processor time | ms to the first token | processor seconds per second of sound |
| --- | --- | --- | --- | --- | --- |
${lines.join("\n")}
`;
writeFileSync(join(import.meta.dirname, "results/generate.md"), text);
process.stdout.write(text);
