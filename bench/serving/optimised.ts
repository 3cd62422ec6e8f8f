// node scripts/with-node24.mjs bench/serving/optimised.ts [--quick]
//
// Measures whether pre-optimised models with external weights pay. Each opening is a process of its own; ways alternate
// within a round. Writes bench/results/serving-optimised.md.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import { dirname, join } from "node:path";
import ort from "onnxruntime-node";
import { benchModels } from "./models.ts";
import { median, root } from "./processes.ts";

const rounds = process.argv.includes("--quick") ? 1 : 5;
const folder = join(root, ".cache/bench-serving/optimised");
type Feed = { name: string; type: "int64" | "float32"; dims: number[]; values: number[] };
type Opened = { openMs: number; firstMs: number; runMs: number; rssMb: number; answer: string };

const tokens = (length: number): Feed[] => [
  {
    name: "input_ids",
    type: "int64",
    dims: [1, length],
    values: Array.from({ length }, (_, i) => 1 + ((i * 7919) % 2000)),
  },
  { name: "attention_mask", type: "int64", dims: [1, length], values: Array.from({ length }, () => 1) },
];
const models: { name: string; file: string; feeds: Feed[] }[] = [
  { name: "births", file: join(root, "models/births/model.onnx"), feeds: [] },
  { name: "mood", file: join(root, "models/mood/model.onnx"), feeds: tokens(32) },
  { name: "encoder, the size of DistilBERT", file: join(benchModels().encoder, "encoder.onnx"), feeds: tokens(32) },
];
const ways = ["bytes, as served", "path", "optimised, external weights", "optimised, external weights, no prepacking"];

const rows: string[] = [];
for (const { name, file, feeds } of models) {
  const own = join(folder, name.split(",")[0]!);
  rmSync(own, { recursive: true, force: true });
  mkdirSync(own, { recursive: true });
  const optimised = join(own, "optimised.onnx");
  // "extended" is the highest level that does not depend on the processor.
  const session = await ort.InferenceSession.create(file, {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "extended",
    optimizedModelFilePath: optimised,
    extra: {
      session: {
        optimized_model_external_initializers_file_name: "optimised.onnx.data",
        optimized_model_external_initializers_min_size_in_bytes: "1024",
      },
    },
  });
  const facts =
    feeds.length > 0
      ? feeds
      : session.inputMetadata.map((input): Feed => {
          const dims = "shape" in input ? input.shape.map((size) => (typeof size === "number" ? size : 1)) : [1];
          return {
            name: input.name,
            type: "float32",
            dims,
            values: Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i)),
          };
        });
  await session.release();
  const feedsFile = join(own, "feeds.json");
  writeFileSync(feedsFile, JSON.stringify(facts));
  const external = existsSync(`${optimised}.data`);
  if (!external) writeFileSync(`${optimised}.data`, "");
  const seen = new Map<string, Opened[]>(ways.map((way) => [way, []]));
  for (let i = 0; i < rounds; i++) {
    for (const way of ways) {
      const child = spawnSync(
        process.execPath,
        [
          join(import.meta.dirname, "optimised-open.ts"),
          way.startsWith("optimised") ? optimised : file,
          way,
          feedsFile,
        ],
        { encoding: "utf8", timeout: 300_000, cwd: dirname(file) },
      );
      if (child.status !== 0) throw new Error(`${name}, ${way}: ${child.stderr}`);
      seen.get(way)!.push(JSON.parse(child.stdout) as Opened);
    }
  }
  const answer = seen.get(ways[0]!)![0]!.answer;
  for (const way of ways) {
    const all = seen.get(way)!;
    const of = (read: (one: Opened) => number) => Number(median(all.map(read)).toPrecision(3));
    rows.push(
      `| ${name} (${(statSync(file).size / 1e6).toFixed(1)} MB) | ${way} | ${of((one) => one.openMs)} | ${of((one) => one.firstMs)} | ${of((one) => one.runMs)} | ${of((one) => one.rssMb)} | ${all.every((one) => one.answer === answer) ? "bit for bit" : "no"} |`,
    );
    process.stdout.write(`${rows.at(-1)}\n`);
  }
}
if (rounds > 1) {
  const cpu = os.cpus();
  writeFileSync(
    join(root, "bench/results/serving-optimised.md"),
    `# Pre-optimised models with external weights\n\n${new Date().toISOString().slice(0, 10)}, ${cpu[0]?.model.trim() ?? "unknown"}, ${cpu.length} cores, load ${os.loadavg()[0]!.toFixed(1)}, Node ${process.version.slice(1)}. Medians of ${rounds} openings, each in a process of its own, ways alternating. Opening includes reading and digesting every byte. One thread; texts of 32 tokens.\nCommand: \`node scripts/with-node24.mjs bench/serving/optimised.ts\`\n\n| model | way | open, ms | first run, ms | further runs, ms | memory, MB | answers equal |\n| --- | --- | --- | --- | --- | --- | --- |\n${rows.join("\n")}\n`,
  );
}
