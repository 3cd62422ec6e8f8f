import { writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { catalog, type Sample } from "../../eval/metrics/catalog.ts";
import type { MetricName } from "../../models/core/manifest/gates.ts";
import { fewClusters } from "../../eval/power/few-clusters.ts";
import { wilson } from "../../eval/stats/wilson.ts";
import { drawSeries, horizon, type SeriesWorld } from "./series-world.ts";

/**
 * npm run bench:calibration-series -- --gates 4000 --seed 11
 *
 * Gates on forecasts at the exact boundary: the candidate is worse by exactly the margin (as 400,000 series have it), so
 * that every PASS and every FAIL is wrong. Writes bench/results/calibration-series.md, or the file that `--out` names.
 */
const { values } = parseArgs({
  options: {
    gates: { type: "string", default: "4000" },
    seed: { type: "string", default: "11" },
    out: { type: "string", default: join(import.meta.dirname, "../results/calibration-series.md") },
  },
});
const [gates, seed] = [Number(values.gates), Number(values.seed)];
const alpha = 0.05;
const names = ["mae", "mase", "smape", "owa", "quantile_loss", "interval_coverage"] as const satisfies MetricName[];
const worlds: SeriesWorld[] = [
  { series: 4, spread: 0.5 },
  { series: 5, spread: 0.5 },
  { series: 8, spread: 0.5 },
  { series: 12, spread: 0.5 },
  { series: 40, spread: 0.5 },
  { series: 200, spread: 0.5 },
  { series: 40, spread: 1.2 },
  { series: 40, spread: 0.5, weights: 1 },
  { series: 40, spread: 0.5, skewed: true },
  { series: 200, spread: 0.5, skewed: true },
];

function valueOf(name: MetricName, sample: Sample): number {
  const found = catalog.get(name)?.measure(sample, { level: 0.9, seed: 1, intervals: false });
  if (found?.status !== "ok") throw new Error(`${name} has no value`);
  return found.value;
}

/** The mean over draws of 4,000 series each. Their rows weigh as in the gates. */
function truthOf(world: SeriesWorld): Map<MetricName, number> {
  const draws = 100;
  const sums = new Map<MetricName, number>(names.map((name) => [name, 0]));
  for (let i = 0; i < draws; i++) {
    const { candidate, baseline } = drawSeries({ ...world, series: 4_000 }, seed + 979, i);
    for (const name of names)
      sums.set(name, (sums.get(name) as number) + (valueOf(name, candidate) - valueOf(name, baseline)) / draws);
  }
  return sums;
}

const rate = (count: number): string => {
  const { low, high } = wilson(count, gates, 0.95);
  const text = ((100 * count) / gates).toFixed(1);
  return `${count / gates > 0.06 ? `**${text}**` : text} [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`;
};

let [deciding, above] = [0, 0];
const lines = worlds.flatMap((world) => {
  const named = `series=${world.series} sizes=${world.spread}${world.weights === undefined ? "" : ` weights=${world.weights}`}${world.skewed === true ? " skewed" : ""}`;
  process.stderr.write(`${named}\n`);
  const truth = truthOf(world);
  const counts = new Map(names.map((name) => [name, { refused: 0, better: 0, worse: 0 }]));
  for (let gate = 0; gate < gates; gate++) {
    const { candidate, baseline } = drawSeries(world, seed, gate);
    for (const name of names) {
      const count = counts.get(name)!;
      if (fewClusters(name, candidate, false) !== null) {
        count.refused++;
        continue;
      }
      const result = catalog.get(name)!.contrast(candidate, baseline, { level: 1 - 2 * alpha, seed: gate });
      if (result.status !== "ok") throw new Error(result.reason);
      const difference = truth.get(name) as number;
      // What the two ends of the interval exclude: at the boundary each may be wrong in alpha of the gates.
      if (result.interval.high < difference) count.better++;
      if (result.interval.low > difference) count.worse++;
    }
  }
  return names.map((name) => {
    const { refused, better, worse } = counts.get(name)!;
    if (refused < gates) deciding++;
    if (better > 0.06 * gates) above++;
    return refused === gates
      ? `| ${named} | ${name} | 100 | always INCONCLUSIVE | – |`
      : `| ${named} | ${name} | ${(100 * refused) / gates} | ${rate(better)} | ${rate(worse)} |`;
  });
});
writeFileSync(
  values.out,
  `# Simulated gates on forecasts

${new Date().toISOString().slice(0, 10)}, ${availableParallelism()} cores of ${cpus()[0]?.model ?? "an unknown processor"}. Command: \`npm run bench:calibration-series\` (seed ${seed}; the same numbers on every machine). ${gates.toLocaleString("en")} gates per line, alpha 0.05; in brackets the 95 % Wilson interval.

**The data.** Series of ${horizon} steps, which share half of their error's variance; sizes are lognormal with the σ given. The candidate keeps 0.95 of the baseline's error and adds 0.45 of its own. \`weights\`: lognormal weights of the series with that σ. \`skewed\`: errors ± (exp|z| − 1). Clusters are the series. \`mae\` is in the label's unit, so that large series carry it.

**The boundary.** The margin is the candidate's true loss, computed from 400,000 series: every PASS ("wrong pass": the interval's upper end is below it, for lower-is-better metrics) and every FAIL is wrong. For \`interval_coverage\`, which has no better side, the two columns are the two ends of the interval of the difference, as equivalence reads them. **Bold**: above 6 %.

Wrong passes ("below the truth") above 6 % in ${above} of ${deciding} decided lines.

| data | metric | refused, % | below the truth, % | above the truth, % |
| --- | --- | --- | --- | --- |
${lines.join("\n")}
`,
);
