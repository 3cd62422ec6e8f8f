import { writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { normalQuantile } from "../eval/stats/normal.ts";
import { quantile } from "../eval/stats/quantile.ts";
import { RandomStream } from "../eval/stats/random.ts";
import { decideCanary } from "../eval/stats/sequential/canary-decision.ts";
import {
  type CanaryEvidence,
  observeDifference,
  provesBad,
  provesGood,
  startCanaryEvidence,
} from "../eval/stats/sequential/canary-evidence.ts";
import { observeArm, startUnpairedBlocks } from "../eval/stats/sequential/unpaired-blocks.ts";
import { wilson } from "../eval/stats/wilson.ts";

/**
 * npm run bench:rollouts [-- --runs 2000]
 *
 * How often a roll-out promotes or ends wrongly when it is looked at after every label, and how many labels it needs,
 * beside a test of fixed size. Writes bench/results/rollouts.md.
 */
const at = process.argv.indexOf("--runs");
const runs = at === -1 ? 2000 : Number(process.argv[at + 1]);
const alpha = 0.05;
const margin = 0.02;
const accuracy = 0.9;
const cap = 6000;

/** Differences of one run, one per candidate label, for as long as they are asked for. */
type Draw = (random: RandomStream) => () => number;

/** Paired: gained and lost rows, so that their difference is the true one; 3 % of rows discordant where that fits. */
function discordant(difference: number): { gained: number; lost: number } {
  const gained = Math.max(0.005, 0.015 + difference / 2);
  return { gained, lost: gained - difference };
}
const pairOf = (random: RandomStream, { gained, lost }: { gained: number; lost: number }): number => {
  const u = random.uniform();
  return u < lost ? -1 : u < lost + gained ? 1 : 0;
};
const shadow =
  (difference: number): Draw =>
  (random) =>
  () =>
    pairOf(random, discordant(difference));

/** The true difference moves to and fro between -margin and -margin - 3 points, every 500 labels. */
const drifting: Draw = (random) => {
  let row = 0;
  return () => pairOf(random, discordant(-margin - 0.015 + 0.015 * Math.cos((2 * Math.PI * row++) / 500)));
};

const canary =
  (difference: number, ratio: number): Draw =>
  (random) => {
    const blocks = startUnpairedBlocks(ratio);
    return () => {
      for (let i = 0; i < ratio; i++) observeArm(blocks, "baseline", random.uniform() < accuracy ? 1 : 0);
      return observeArm(blocks, "candidate", random.uniform() < accuracy + difference ? 1 : 0) as number;
    };
  };

type Cell = { design: string; difference: string; draw: Draw; metrics: number; fixed: number | null };

/** Labels of a test of fixed size at the same alpha with 80 % power, per arm where rows are not paired. */
function fixedSize(variance: number, difference: number): number | null {
  const gap = margin + difference;
  if (gap === 0) return null;
  return Math.ceil(((normalQuantile(1 - alpha) + normalQuantile(0.8)) ** 2 * variance) / (gap * gap));
}
const cells: Cell[] = [0, -0.01, -margin, -0.04].flatMap((difference): Cell[] => {
  const { gained, lost } = discordant(difference);
  const other = accuracy + difference;
  const unpaired = accuracy * (1 - accuracy) + other * (1 - other);
  const shown = String(difference);
  return [
    {
      design: "shadow",
      difference: shown,
      draw: shadow(difference),
      metrics: 1,
      fixed: fixedSize(gained + lost - difference ** 2, difference),
    },
    { design: "canary 9:1", difference: shown, draw: canary(difference, 9), metrics: 1, fixed: null },
    {
      design: "canary 1:1",
      difference: shown,
      draw: canary(difference, 1),
      metrics: 1,
      fixed: fixedSize(unpaired, difference),
    },
  ];
});
cells.push(
  { design: "shadow, 3 metrics, all", difference: String(-margin), draw: shadow(-margin), metrics: 3, fixed: null },
  { design: "shadow, 3 metrics, all", difference: "0", draw: shadow(0), metrics: 3, fixed: null },
  { design: "shadow", difference: "-0.02 to -0.05 and back", draw: drifting, metrics: 1, fixed: null },
);

function play({ draw, metrics }: Cell, seed: number): { promoted: number; aborted: number; rows: number[] } {
  const result = { promoted: 0, aborted: 0, rows: [] as number[] };
  for (let run = 0; run < runs; run++) {
    const random = new RandomStream(seed, run);
    const evidence: CanaryEvidence[] = [];
    const streams: (() => number)[] = [];
    for (let k = 0; k < metrics; k++) {
      evidence.push(startCanaryEvidence(`metric ${k}`, margin, alpha));
      streams.push(draw(random));
    }
    let row = 0;
    let action = "CONTINUE";
    while (row < cap && action === "CONTINUE") {
      row++;
      evidence.forEach((one, k) => observeDifference(one, (streams[k] as () => number)()));
      // The words are asked for where there is something to say; asking costs more than a bet.
      const any =
        evidence.some((one) => provesBad(one, alpha / metrics)) || evidence.every((one) => provesGood(one, alpha));
      if (any) action = decideCanary(evidence, { alpha }).action;
    }
    if (action === "PROMOTE") result.promoted++;
    if (action === "ABORT") result.aborted++;
    result.rows.push(action === "CONTINUE" ? cap + 1 : row);
  }
  return result;
}

const started = Date.now();
const loadBefore = loadavg()[0] as number;
const played = cells.map((cell, i) => ({ cell, result: play(cell, 300 + i) }));
const percent = (count: number): string => ((100 * count) / runs).toFixed(2);
const rows = played.map(({ cell, result }) => {
  const median = quantile(result.rows, 0.5);
  return `| ${cell.design} | ${cell.difference} | ${percent(result.promoted)} | ${percent(result.aborted)} | ${percent(runs - result.promoted - result.aborted)} | ${median <= cap ? median.toFixed(0) : "–"} | ${cell.fixed ?? ""} |`;
});
const boundary = played.filter(({ cell }) => cell.difference.startsWith("-0.02"));
const worst = (key: "promoted" | "aborted", among: typeof played): string =>
  percent(Math.max(...among.map(({ result }) => result[key])));
const allowed = wilson(alpha * runs, runs, 0.95);
writeFileSync(
  "bench/results/rollouts.md",
  `# Roll-outs that are looked at after every label

Command: \`npm run bench:rollouts -- --runs ${runs}\`. ${((Date.now() - started) / 1000).toFixed(0)} s on ${cpus().length} cores of ${cpus()[0]?.model.trim() ?? "an unknown processor"}; load ${loadBefore.toFixed(1)} at the start, ${(loadavg()[0] as number).toFixed(1)} at the end. The load changes the time, not the figures: all draws are seeded.

Accuracy ${accuracy} of the baseline, margin ${margin}, alpha ${alpha}; ${runs.toLocaleString("en")} runs a line, each decided after every label, ended at ${cap.toLocaleString("en")} labels of the candidate. Shadow: both answer the same rows, 3 % of which only one gets right (5 % at -0.04). Canary: each candidate row is held against the mean of 9 fresh baseline rows, or of 1. "Fixed size": labels of a test that looks once, at the same alpha with 80 % power, per arm where unpaired.

| design | true difference | promoted, % | ended, % | open, % | median labels | fixed size |
| --- | --- | --- | --- | --- | --- | --- |
${rows.join("\n")}

On the margin a promotion is wrong, and so is an end. The most in any line there: promoted ${worst("promoted", boundary)} %, ended ${worst(
    "aborted",
    boundary.filter(({ cell }) => cell.draw !== drifting),
  )} % (a rate of exactly ${100 * alpha} % is seen between ${(100 * allowed.low).toFixed(1)} and ${(100 * allowed.high).toFixed(1)} %). In the last line the difference is below the margin almost always, so that only its promotions are wrong.
`,
);
console.log("bench/results/rollouts.md");
