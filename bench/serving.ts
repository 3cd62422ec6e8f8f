// node scripts/with-node24.mjs bench/serving.ts [SCENARIO…] [--quick]
//
// Measures serving, on a quiet machine. Scenarios: single, batch, encoder, start, overload, kill; default: all. Medians
// of 5 alternating rounds of 2 seconds; about 8 minutes in all.
// --quick: one short round, only to see that it runs; nothing is written.
import { readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { killAndRestart } from "./serving/kill.ts";
import { root } from "./serving/processes.ts";
import { batches, coldStart, encoder, overload, singleRows, type Figure, type Options } from "./serving/scenarios.ts";

const scenarios: Record<string, (options: Options) => Promise<Figure[]>> = {
  single: singleRows,
  batch: batches,
  encoder,
  start: coldStart,
  overload,
  kill: killAndRestart,
};
const args = process.argv.slice(2);
const quick = args.includes("--quick");
const names = args.filter((one) => !one.startsWith("--"));
const options = quick ? { rounds: 1, seconds: 1, overloadSeconds: 5 } : { rounds: 5, seconds: 2, overloadSeconds: 60 };
const results = join(root, "bench/results");

type Results = {
  schemaVersion: 1;
  date: string;
  machine: string;
  node: string;
  command: string;
  scenarios: Record<string, Figure[]>;
};
let known: Results["scenarios"] = {};
try {
  known = (JSON.parse(readFileSync(join(results, "serving.json"), "utf8")) as Results).scenarios;
} catch {
  // There are no earlier results on the first run.
}
for (const name of names.length === 0 ? Object.keys(scenarios) : names) {
  const scenario = scenarios[name];
  if (scenario === undefined) throw new Error(`no scenario ${name}; there are ${Object.keys(scenarios).join(", ")}`);
  process.stderr.write(`${name}\n`);
  known[name] = await scenario(options);
  for (const figure of known[name]) process.stdout.write(`${line(figure)}\n`);
  if (!quick) write();
}
/** Called after every scenario, so that its figures are kept even if the next one fails. */
function write(): void {
  const cpus = os.cpus();
  const all: Results = {
    schemaVersion: 1,
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus[0]?.model.trim() ?? "unknown"}, ${cpus.length} cores, load ${os.loadavg()[0]!.toFixed(1)}`,
    node: process.version,
    command: `node scripts/with-node24.mjs bench/serving.ts ${names.join(" ")}`.trim(),
    scenarios: known,
  };
  writeFileSync(join(results, "serving.json"), `${JSON.stringify(all, null, 2)}\n`);
  const rows = Object.values(known).flat().map(line);
  writeFileSync(
    join(results, "serving.md"),
    `# Serving\n\n${all.date}, ${all.machine}, Node ${all.node.slice(1)}. Medians of ${options.rounds} alternating rounds. Command: \`${all.command}\`\n\n| what | measured | goal | met | detail |\n| --- | --- | --- | --- | --- |\n${rows.join("\n")}\n`,
  );
}

function line({ what, value, unit, goal, met, detail }: Figure): string {
  const parts = Object.entries(detail).map(([name, one]) => `${name}: ${one ?? "not measured"}`);
  return `| ${what} | ${value === null ? "not measured" : `${value} ${unit}`} | ${goal} | ${met === null ? "–" : met ? "yes" : "no"} | ${parts.join("; ")} |`;
}
