import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import type { Predictions } from "../../eval/predictions/predictions.ts";
import { writePredictions } from "../../eval/predictions/write.ts";
import { debianIfMissing } from "../../scripts/debian.mjs";
import { drawBinary, separationOf } from "../stats/binormal.ts";

/**
 * npm run bench:reading
 *
 * Reads and compares large prediction files, ours beside Debian's pandas and scikit-learn on the same files, each as a
 * whole process and in turn, by processor time and peak memory. Writes bench/results/reading-speed.md.
 */
type Run = { processorSeconds: number; peakRssBytes: number };
const busy = loadavg()[0] ?? 0;
const rounds = 5;
debianIfMissing("bench:reading");

/** A child's processor time and memory are known to its parent alone, and Node does not tell them. */
const watcher =
  "import json,resource,subprocess,sys\nsubprocess.run(sys.argv[1:],check=True,stdout=subprocess.DEVNULL,stderr=subprocess.DEVNULL)\nr=resource.getrusage(resource.RUSAGE_CHILDREN)\nprint(json.dumps({'processorSeconds':r.ru_utime+r.ru_stime,'peakRssBytes':r.ru_maxrss*1024}))";
const measured = (command: string[]): Run =>
  JSON.parse(execFileSync("/usr/bin/python3", ["-c", watcher, ...command], { encoding: "utf8" })) as Run;

function predictions(rows: number, regions: number): { candidate: Predictions; baseline: Predictions } {
  const world = {
    share: 0.1,
    correlation: 0.95,
    candidate: { separation: separationOf(0.87), shift: 0 },
    baseline: { separation: separationOf(0.87), shift: 0 },
  };
  const drawn = drawBinary(world, rows, 1, 0).samples("auroc");
  const ids = Array.from({ length: rows }, (_, i) => `case-${String(i).padStart(7, "0")}`);
  const slices: Record<string, string[]> =
    regions === 0 ? {} : { region: Array.from({ length: rows }, (_, i) => `region-${(i * 7919) % regions}`) };
  const of = ({ labels, scores }: typeof drawn.candidate): Predictions => ({
    head: "score",
    task: "binary-classification",
    ids,
    labels,
    scores: scores.map((score) => 1 / (1 + Math.exp(2 - score))),
    classes: ["0", "1"],
    slices,
    groups: null,
    weights: null,
    datasetDigest: null,
  });
  return { candidate: of(drawn.candidate), baseline: of(drawn.baseline) };
}

/** With optional columns, as pandas writes them. */
function parquet(one: Predictions, id: unknown[], type: "STRING" | "INT64"): Uint8Array {
  return new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: "id", data: id, type },
        { name: "label", data: Int32Array.from(one.labels), type: "INT32" },
        { name: "score", data: one.scores, type: "DOUBLE" },
      ],
      rowGroupSize: 100_000,
    }),
  );
}

const folder = mkdtempSync(join(tmpdir(), "reading-"));
const at = (name: string) => join(folder, name);
const sluice = (...args: string[]) => [
  process.execPath,
  join(import.meta.dirname, "../../cli.ts"),
  ...args,
  "--out",
  at("out"),
];
const compare = (extension: string) =>
  sluice(
    "compare",
    `--baseline=${at(`baseline${extension}`)}`,
    `--candidate=${at(`candidate${extension}`)}`,
    "--task=binary-classification",
    "--metric=auroc",
    "--margin=0.01",
  );
const measure = (file: string) => sluice("measure", "--predictions", at(file), "--task", "binary-classification");
const peer = (...args: string[]) => ["/usr/bin/python3", join(import.meta.dirname, "peers.py"), ...args];

try {
  const million = predictions(1_000_000, 0);
  for (const name of ["candidate", "baseline"] as const) {
    await writePredictions(at(`${name}.csv`), million[name]);
    writeFileSync(at(`${name}.text.parquet`), parquet(million[name], million[name].ids, "STRING"));
    const numbers = million[name].ids.map((_, i) => BigInt(i));
    writeFileSync(at(`${name}.parquet`), parquet(million[name], numbers, "INT64"));
    await writePredictions(at(`${name}.numbers.csv`), { ...million[name], ids: numbers.map(String) });
  }
  await writePredictions(at("slices.csv"), predictions(200_000, 200).candidate);

  const commands = {
    csv: compare(".csv"),
    peer: peer("auroc", at("baseline.csv"), at("candidate.csv")),
    numbersCsv: compare(".numbers.csv"),
    numbersParquet: compare(".parquet"),
    textParquet: compare(".text.parquet"),
    measure: measure("candidate.csv"),
    slices: measure("slices.csv"),
    slicesPeer: peer("slices", at("slices.csv")),
  };
  const runs = new Map<string, Run[]>();
  // In turn, so that a busy machine favours nobody. The first round fills the caches.
  for (let round = 0; round <= rounds; round++)
    for (const [name, command] of Object.entries(commands)) {
      process.stderr.write(`round ${round} of ${rounds}: ${name}\n`);
      const run = measured(command);
      if (round > 0) runs.set(name, [...(runs.get(name) ?? []), run]);
    }
  const median = (name: keyof typeof commands, what: keyof Run): number =>
    (runs.get(name) ?? []).map((run) => run[what]).toSorted((a, b) => a - b)[Math.floor(rounds / 2)] as number;
  const seconds = (name: keyof typeof commands) => median(name, "processorSeconds");
  const text = (name: keyof typeof commands) =>
    `${seconds(name).toFixed(2)} s, ${Math.round(median(name, "peakRssBytes") / 1e6)} MB`;
  const ratio = seconds("csv") / seconds("peer");
  const lines: [what: string, measured: string, goal: string, isKept: boolean | null][] = [
    [
      "`compare --metric auroc` with its interval and report, 2 × 1M rows of CSV",
      `${text("csv")}; ${ratio.toFixed(2)} × the peer`,
      "≤ 1.5 × the peer, ≤ 500 MB",
      ratio <= 1.5 && median("csv", "peakRssBytes") <= 500e6,
    ],
    ["the peer: pandas reads both files, scikit-learn computes two values", text("peer"), "", null],
    ["the same comparison, integers as ids, CSV", text("numbersCsv"), "", null],
    [
      "the same, Parquet",
      text("numbersParquet"),
      "less than from CSV",
      seconds("numbersParquet") < seconds("numbersCsv"),
    ],
    [
      "the same, Parquet, texts as ids",
      text("textParquet"),
      "less than from CSV",
      seconds("textParquet") < seconds("csv"),
    ],
    ["`measure`: every metric and interval, 1M rows of CSV", text("measure"), "≤ 15 s", seconds("measure") <= 15],
    [
      "`measure`: every metric and interval of 200 slices of 200,000 rows",
      text("slices"),
      "≤ 6 s",
      seconds("slices") <= 6,
    ],
    ["the peer: ten values of each of the same slices, no intervals", text("slicesPeer"), "", null],
  ];
  writeFileSync(
    "bench/results/reading-speed.md",
    `# Speed of reading and comparing prediction files

Command: \`npm run bench:reading\`. ${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model ?? ""}, ${availableParallelism()} cores, Node ${process.version.slice(1)}; load average at the start ${busy.toFixed(1)}${busy > 1 ? " (the machine was busy with other work, which makes processor time longer for all)" : ""}. Whole processes, start to end: processor time of all threads, user and system, and peak memory; medians of ${rounds} rounds in which the programs take turns.

| what | measured | goal | kept |
| --- | --- | --- | --- |
${lines.map(([what, value, goal, isKept]) => `| ${what} | ${value} | ${goal} | ${isKept === null ? "" : isKept ? "yes" : "no"} |`).join("\n")}
`,
  );
  process.stderr.write(`${lines.map(([what, value, goal]) => `${what}: ${value} (${goal})`).join("\n")}\n`);
} finally {
  rmSync(folder, { recursive: true });
}
