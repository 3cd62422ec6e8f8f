import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { valueAxis } from "../../eval/report/plots/chart.ts";
import { palette } from "../../eval/report/plots/palette.ts";
import { drawBinary, separationOf } from "./binormal.ts";
import { standaloneSvg } from "./standalone-svg.ts";

/**
 * npm run bench:speed
 *
 * Measures the goals for speed and memory, each part in its own process. Writes bench/results/speed.{md,svg}.
 */
type Measured = { seconds: number; processorSeconds: number; peakRssBytes: number; answer: unknown };
const million = 1_000_000;
const busy = loadavg()[0] ?? 0;

function part(name: string, rows: number, repeats: number): Measured {
  process.stderr.write(`${name}, ${rows} rows\n`);
  return JSON.parse(
    execFileSync(process.execPath, [join(import.meta.dirname, "speed-part.ts"), name, String(rows), String(repeats)], {
      encoding: "utf8",
      timeout: 1_200_000,
    }),
  ) as Measured;
}

type Theirs = { seconds: number; processorSeconds: number; version: string };
function sklearn(): Theirs {
  const world = {
    share: 0.1,
    correlation: 0.95,
    candidate: { separation: separationOf(0.9), shift: 0 },
    baseline: { separation: separationOf(0.9), shift: 0 },
  };
  const { candidate } = drawBinary(world, million, 1, 0).samples("auroc");
  const folder = mkdtempSync(join(tmpdir(), "speed-"));
  try {
    writeFileSync(
      join(folder, "rows"),
      Buffer.concat([candidate.labels, candidate.scores].map((values) => Buffer.from(values.buffer))),
    );
    return JSON.parse(
      execFileSync(
        "/usr/bin/python3",
        [join(import.meta.dirname, "speed.py"), join(folder, "rows"), String(million), "9"],
        { encoding: "utf8", timeout: 600_000 },
      ),
    ) as Theirs;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// scikit-learn runs between two runs of ours, so that a busy machine favours neither.
const before = part("contrast", million, 9);
const theirs = sklearn();
const after = part("contrast", million, 9);
const contrast = {
  seconds: (before.seconds + after.seconds) / 2,
  processorSeconds: (before.processorSeconds + after.processorSeconds) / 2,
};
const ours = { seconds: contrast.seconds / 2, processorSeconds: contrast.processorSeconds / 2 };
const memory = part("memory", 10 * million, 1);
const two = part("bca-2", million, 1);
const one = part("bca-1", million, 1);
const slices = part("slices", 100_000, 1);
const same = JSON.stringify(one.answer) === JSON.stringify(two.answer);

const seconds = (value: number) => `${value.toFixed(2)} s`;
const both = (one: { seconds: number; processorSeconds: number }) =>
  `${seconds(one.seconds)} [${seconds(one.processorSeconds)}]`;
const lines: [string, string, string, boolean][] = [
  ["AUROC and paired DeLong interval, 1M rows × 2 models", both(contrast), "≤ 1 s", contrast.seconds <= 1],
  [
    `per AUC of that pair, variance and all, against roc_auc_score of scikit-learn ${theirs.version} on the same rows`,
    `${both(ours)} against ${both(theirs)}: ${(theirs.seconds / ours.seconds).toFixed(1)} × (by processor time ${(theirs.processorSeconds / ours.processorSeconds).toFixed(1)} ×)`,
    "≥ 2 ×",
    theirs.processorSeconds >= 2 * ours.processorSeconds,
  ],
  [
    "peak memory of the paired comparison of 10M rows, data included",
    `${(memory.peakRssBytes / 1e9).toFixed(2)} GB in ${seconds(memory.seconds)}`,
    "≤ 1.5 GB",
    memory.peakRssBytes <= 1.5e9,
  ],
  ["BCa, 2,000 resamples of the MAE difference, 1M rows, two worker threads", both(two), "≤ 15 s", two.seconds <= 15],
  [
    "the same in one thread",
    `${both(one)}; the interval is ${same ? "the same" : "ANOTHER"}`,
    "the same interval",
    same,
  ],
  [
    "100k rows × 50 slices × 10 metrics: paired contrasts with intervals",
    `${both(slices)} (${JSON.stringify((slices.answer as { contrasts: number }).contrasts)} intervals)`,
    "≤ 10 s",
    slices.seconds <= 10,
  ],
];
writeFileSync(
  "bench/results/speed.md",
  `# Speed of the statistics

Command: \`npm run bench:speed\`. ${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model ?? ""}, ${availableParallelism()} cores, Node ${process.version.slice(1)}; load average at the start ${busy.toFixed(1)}${busy > 1 ? " (the machine was busy with other work: all times here are upper bounds)" : ""}. Medians by the clock, in brackets of processor time (all threads), which other work changes less; every part in a process of its own.

| what | measured | goal | kept |
| --- | --- | --- | --- |
${lines.map(([what, measured, goal, kept]) => `| ${what} | ${measured} | ${goal} | ${kept ? "yes" : "no"} |`).join("\n")}

![speed](speed.svg)
`,
);
const bars: [string, number, number][] = [
  ["AUROC + DeLong pair, 1M", contrast.seconds, 1],
  ["roc_auc_score, 1M", theirs.seconds, Number.NaN],
  ["AUROC + DeLong, per AUC", ours.seconds, theirs.seconds / 2],
  ["BCa 2,000 × 1M", two.seconds, 15],
  ["100k × 50 × 10", slices.seconds, 10],
];
writeFileSync(
  "bench/results/speed.svg",
  standaloneSvg({
    id: "speed",
    title: "Times and their goals",
    description:
      "Bars: measured seconds on a logarithmic scale; upright marks: the goals (per AUC: half of scikit-learn's time).",
    width: 760,
    height: 260,
    option: {
      grid: { left: 170, right: 24, top: 12, bottom: 48 },
      xAxis: valueAxis("seconds (bar); goal (mark)", { type: "log", min: 0.05, max: 20 }),
      yAxis: {
        type: "category",
        inverse: true,
        data: bars.map(([name]) => name),
        axisLabel: { color: palette.text, fontSize: 12 },
        axisTick: { show: false },
        axisLine: { lineStyle: { color: palette.grid } },
      },
      series: [
        {
          type: "bar",
          silent: true,
          barWidth: 14,
          itemStyle: { color: palette.candidate },
          data: bars.map(([, value]) => value),
        },
        {
          type: "scatter",
          silent: true,
          symbol: "rect",
          symbolSize: [3, 26],
          itemStyle: { color: palette.baseline },
          data: bars.flatMap(([name, , goal]) => (Number.isNaN(goal) ? [] : [[goal, name]])),
        },
      ],
    },
  }),
);
process.stderr.write(
  `${lines.map(([what, measured, goal, kept]) => `${kept ? "kept  " : "MISSED"} ${what}: ${measured} (${goal})`).join("\n")}\n`,
);
