/**
 * Writes bench/results/latency/latency.md and its plots from the files of record-trace.ts, replay.ts and live.ts. The
 * page says what is missing.
 *
 *   node scripts/with-node24.mjs bench/latency/report.ts
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { limits } from "./limits.ts";
import { flags } from "./options.ts";
import { decisionPlot, tailPlot, timePlot, tracePlot } from "./plots.ts";
import { folder, type LiveGate, liveFile, readGates, readReplay, type Replay, replayFile } from "./results.ts";
import { nameOf, percent, range, slowdowns, tally } from "./tally.ts";
import { readTrace, traceFile } from "./trace.ts";

const { out } = flags({ out: folder });
mkdirSync(out, { recursive: true });
const conditions = ["quiet", "busy"].map((condition) => {
  const within = (file: string) => file.replace(folder, out);
  return {
    condition,
    replay: readReplay(within(replayFile(condition))),
    live: readGates(within(liveFile(condition))),
    trace: readTrace(within(traceFile(condition))),
  };
});
const plot = (name: string, svg: string, title: string): string => {
  writeFileSync(join(out, `${name}.svg`), svg);
  return `![${title}](${name}.svg)\n\n`;
};

function replayTable({ results }: Replay): string {
  const others = results[0]?.others.map(({ name }) => name) ?? [];
  return `| | ${results.map(({ slowdown }) => nameOf(slowdown)).join(" | ")} |
| --- |${" --- |".repeat(results.length)}
${[
  ["PASS", ...results.map(({ ours }) => range(ours.pass))],
  ["**FAIL**", ...results.map(({ ours }) => range(ours.fail))],
  ["INCONCLUSIVE", ...results.map(({ ours }) => range(ours.inconclusive))],
  [
    "seconds to the verdict: median, p90, longest",
    ...results.map(
      ({ ours: { seconds } }) => `${seconds.median.toFixed(0)}, ${seconds.p90.toFixed(0)}, ${seconds.max.toFixed(0)}`,
    ),
  ],
  ...[0, 1].map((k) => [
    `p${k === 0 ? 95 : 99}: its interval holds the truth; ± (median)`,
    ...results.map(({ ours }) => {
      const tail = ours.tails[k];
      return tail?.covered == null
        ? "no interval"
        : `${range(tail.covered)}; ${percent(tail.halfWidthMedian ?? Number.NaN, 1)}`;
    }),
  ]),
  ...others.map((name, i) => [
    `alert: ${name}`,
    ...results.map((one) => (one.others[i] === undefined ? "" : range(one.others[i]))),
  ]),
]
  .map((row) => `| ${row.join(" | ")} |`)
  .join("\n")}
`;
}

function liveTable(live: readonly LiveGate[], replay: Replay | null): string {
  const lines = slowdowns.flatMap((slowdown) => {
    const gates = live.filter((gate) => gate.slowdown === slowdown);
    if (gates.length === 0) return [];
    const one = tally(gates, slowdown);
    const drawn = replay?.results.find((result) => result.slowdown === slowdown)?.ours;
    const agree =
      drawn === undefined
        ? ""
        : (["pass", "fail", "inconclusive"] as const).every(
              (kind) => one[kind].low <= drawn[kind].high && drawn[kind].low <= one[kind].high,
            )
          ? "yes"
          : "no";
    return [
      `| ${nameOf(slowdown)} | ${one.gates} | ${range(one.pass)} | ${range(one.fail)} | ${range(one.inconclusive)} | ${one.seconds.median.toFixed(0)}, ${one.seconds.p90.toFixed(0)}, ${one.seconds.max.toFixed(0)} | ${agree} |`,
    ];
  });
  return `| | gates | PASS | FAIL | INCONCLUSIVE | seconds: median, p90, longest | agrees with the replay |
| --- | --- | --- | --- | --- | --- | --- |
${lines.join("\n")}
`;
}

const sections = conditions.map(({ condition, replay, live, trace }) => {
  const rounds = trace.flatMap((one) => one.rounds);
  const heading = `## ${condition === "quiet" ? "A quiet machine" : "A busy neighbour: one process that works through memory without a pause"}\n\n`;
  if (rounds.length === 0 && live.length === 0)
    return `${heading}Nothing is recorded yet: \`bench/latency/record-trace.ts --condition ${condition}\`, then \`replay.ts\` and \`live.ts\`.\n`;
  const machines = [
    ...new Set(
      trace.map(
        ({ sitting }) =>
          `${sitting.cpu}, ${sitting.cores} cores, Node ${sitting.node.slice(1)}, ONNX Runtime ${sitting.onnxruntime}`,
      ),
    ),
  ].join("; ");
  const recorded =
    rounds.length === 0
      ? ""
      : `Recorded: ${rounds.length} rounds in ${(rounds.reduce((sum, one) => sum + one.elapsedMs, 0) / 60_000).toFixed(0)} minutes, ${trace.length} sitting${trace.length === 1 ? "" : "s"} (${machines}).\n\n${plot(`trace-${condition}`, tracePlot(condition, trace), "round by round")}`;
  const replayed =
    replay === null
      ? ""
      : `### Replayed

${replay.results[0]?.ours.gates.toLocaleString("en")} gates for each slow-down, drawn as contiguous stretches of the recording (${Math.floor(replay.seconds / replay.capSeconds)} stretches share nothing, so the intervals, which take gates for independent, are too narrow). Margin ${percent(replay.margin, 1)}, alpha ${replay.alpha}, cap ${replay.capSeconds} s. 95 % Wilson intervals in brackets.

${replayTable(replay)}
${replay.results[0]?.others.length === 0 ? "The rules of other tools want 600 rounds; the recording is shorter.\n\n" : ""}${plot(`decisions-${condition}`, decisionPlot(condition, replay, live), "decisions by slow-down")}${replay.results[0]?.others.length === 0 ? "" : `Filled: replayed, hollow: live. Lines: the other rules in the table's order, each colour's from short dashes to long ones.\n\n`}${plot(`time-${condition}`, timePlot(condition, replay, live), "time to the verdict")}${plot(`tails-${condition}`, tailPlot(condition, replay), "p95 and p99")}${limits(replay)}
`;
  const held =
    live.length === 0
      ? ""
      : `### Live\n\n${live.length} gates on ${[...new Set(live.map((gate) => gate.at.slice(0, 10)))].join(", ")}, load average ${Math.min(...live.map((gate) => gate.loadAverage)).toFixed(1)} to ${Math.max(...live.map((gate) => gate.loadAverage)).toFixed(1)}. "Agrees": the 95 % intervals of all three rates overlap.\n\n${liveTable(live, replay)}`;
  return `${heading}${recorded}${replayed}${held}`;
});

writeFileSync(
  join(out, "latency.md"),
  `# Latency gates: what is found, what is blamed wrongly, how long it takes

Commands: \`node scripts/with-node24.mjs bench/latency/record-trace.ts --condition quiet\` (an hour of raw block timings, resumable, kept in [traces](traces)), \`replay.ts\`, \`live.ts\` (real gates with a calibrated spin added to the candidate, resumable, kept in [live](live)), \`report.ts\` (this page); each with \`--condition busy\` too. Goal: a slow-down of 3 % is FAIL in at least 95 % of gates, no change in at most 0.5 %, half of the verdicts within 60 s, all within 120 s.

${sections.join("\n")}`,
);
if (!conditions.some(({ condition }) => existsSync(traceFile(condition).replace(folder, out))))
  process.stderr.write(`nothing is recorded under ${out}/traces\n`);
