import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { metricsFor } from "../../eval/metrics/catalog.ts";
import { wilson } from "../../eval/stats/wilson.ts";
import { forget, readUneven, simulateAllUneven, type UnevenResult, type UnevenTally } from "./simulate-uneven.ts";
import { otherCells, unevenCells } from "./uneven-cells.ts";

/**
 * npm run bench:calibration-clusters -- --gates 2000 --close 10000
 *
 * Simulates what bench/results/calibration-clusters.json lacks (an interrupted run continues), then writes the report
 * beside it. `--close`: gates where the first `--gates` show 4 to 8 % wrong passes. `--slow`: gates of the two metrics
 * that are resampled. `--only`: kinds of data and metrics. `--fresh`: forgets what is known of these, as after a change
 * to a formula. `--check`: another seed, and further clusters that no formula was chosen on, into a file of their own.
 * --gates 0 only writes the report.
 */
const { values } = parseArgs({
  options: {
    gates: { type: "string", default: "2000" },
    close: { type: "string", default: "2000" },
    slow: { type: "string", default: "500" },
    only: { type: "string", default: "" },
    fresh: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
    machine: { type: "string", default: "2 cores of an AMD EPYC" },
  },
});
const [gates, close, slow] = [Number(values.gates), Number(values.close), Number(values.slow)];
const resampled = new Set(["tpr_at_fpr", "median_absolute_error"]);
const nearAlpha = ({ gates: done, pass }: UnevenTally): boolean => pass >= 0.04 * done && pass <= 0.08 * done;
const cells = values.check ? [...unevenCells, ...otherCells] : unevenCells;
const seed = values.check ? 2 : 1;
const file = `bench/results/calibration-clusters${values.check ? "-check" : ""}.json`;
const only = new RegExp(values.only);

if (values.fresh) forget(file, seed, only);
simulateAllUneven(
  file,
  cells,
  only,
  (metric, known) =>
    resampled.has(metric)
      ? Math.min(gates, slow)
      : known.gates >= gates && gates > 0 && nearAlpha(known)
        ? Math.max(gates, close)
        : gates,
  seed,
);
writeFileSync(file.replace(".json", ".md"), report(readUneven(file)));

function report(all: readonly UnevenResult[]): string {
  const deciding = all.filter(({ tally }) => tally.refused < tally.gates);
  const above = (count: (tally: UnevenTally) => number) =>
    deciding.filter(({ tally }) => count(tally) > 0.06 * tally.gates);
  const passed = above(({ pass }) => pass);
  const failed = above(({ fail }) => fail);
  const limits = all.filter(({ tally }) => tally.limit > 0.06 * tally.limitGates);
  const counts = all.map(({ tally }) => tally.gates);
  const order = new Map(cells.map(({ id }, i) => [id, i]));
  const sorted = all.toSorted((a, b) => (order.get(a.cell) ?? 0) - (order.get(b.cell) ?? 0));
  const known = new Set(all.map(({ cell, metric }) => `${cell} ${metric}`));
  const missing = cells.flatMap(({ id, task }) =>
    metricsFor(task === "binary" ? "binary-classification" : "regression").flatMap(({ name }) =>
      known.has(`${id} ${name}`) ? [] : [`${name}, ${id}`],
    ),
  );
  const open =
    missing.length === 0 || values.check
      ? ""
      : `\nNot simulated since a formula changed: ${missing.join("; ")}. The same command adds them.\n`;
  const check = values.check
    ? "\n**A check.** Another seed than [calibration-clusters.md](calibration-clusters.md), and clusters whose rows have another correlation (`within`) or whose sizes vary more (`sizes=1.2`). No constant of a formula was chosen on these gates.\n"
    : "";
  return `# Simulated gates with clusters, uneven weights, skew and imbalance${values.check ? ": a check" : ""}

${new Date().toISOString().slice(0, 10)}, ${values.machine}. Command: \`npm run bench:calibration-clusters${values.check ? " -- --check" : ""}\` (seeded; the same numbers on every machine). ${Math.min(...counts).toLocaleString("en")} to ${Math.max(...counts).toLocaleString("en")} gates per line (column "gates"), alpha 0.05.
${check}
**The data.** As in [calibration.md](calibration.md): two models of correlation 0.95, the candidate's AUROC 0.88 against 0.90 with 30 % positives (ECE: log odds shifted by 0.8 against 0.5), or its normal errors 5 % larger, labels 10·exp(0.3 z). \`clusters\`: rows of one cluster have correlation 0.2 (or \`within\`) in everything that is drawn for them. Clusters are of equal size, or (\`sizes=0.7\`) of lognormal sizes with that σ. \`weights\`: lognormal weights with that σ. \`skewed\`: errors exp(z₁), and exp(z₁) + 0.1·exp(z₂) for the candidate, so that the loss per row is lognormal (σ = 1). \`at\` is 0.1.

**The boundary.** The margin is the candidate's true loss: every PASS is wrong, and so is every FAIL. "Superiority" has the models in each other's place; "limit" is a confident limit at the candidate's true value. "Refused": INCONCLUSIVE because of too few clusters (fewer than 5) or because RMSE and R² rest on fewer than 30 rows; those gates count as not passed. A limit is refused with fewer than 20 clusters, or 20 with rows of each class; where it was simulated in other gates than the comparison, their number stands beside it, and – where it was not since its interval changed. "Width": mean half-width over that of the t interval over clusters (jackknife that leaves one cluster out, t with G - 1 degrees), in the first 200 gates (1,000 with uneven sizes); "t alone": wrong passes of that t interval in those gates, where sizes are uneven. That jackknife is not valid for the two metrics whose intervals are resampled (tpr_at_fpr, median_absolute_error).

Wrong passes above 6 % in ${passed.length} of ${all.length} lines${listed(passed)}; wrong FAILs above 6 % in ${failed.length}${listed(failed)}; limits above 6 % in ${limits.length}${listed(limits)}. **Bold**: above 6 %. In brackets the 95 % Wilson interval of the wrong passes. With few gates a rate of 5 % is often seen above 6 %: of 500 in one line of eight.
${open}
| data | metric | gates | refused, % | wrong pass, % | wrong FAIL, % | wrong superiority, % | limit, % | width | t alone, % |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
${sorted.map(line).join("\n")}
`;
}

function listed(some: readonly UnevenResult[]): string {
  return some.length === 0 ? "" : ` (${some.map(({ cell, metric }) => `${metric}, ${cell}`).join("; ")})`;
}

function line({ cell, metric, tally }: UnevenResult): string {
  const percent = (count: number): string => percentOf(count, tally.gates);
  const { low, high } = wilson(tally.pass, tally.gates, 0.95);
  const ofGates = (count: number): string => ((100 * count) / tally.gates).toFixed(count % tally.gates === 0 ? 0 : 1);
  const limit = limitOf(tally);
  const rates =
    tally.refused === tally.gates
      ? "always INCONCLUSIVE | – | – | –"
      : `${percent(tally.pass)} [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}] | ${percent(tally.fail)} | ${percent(tally.superiority)} | ${limit}`;
  const compared = tally.compared > 0 && !resampled.has(metric);
  const width = compared ? (tally.half / tally.reference).toFixed(2) : "–";
  const alone =
    compared && tally.referencePass !== undefined && /sizes=/.test(cell)
      ? ((100 * tally.referencePass) / tally.compared).toFixed(1)
      : "–";
  return `| ${cell} | ${metric} | ${tally.gates} | ${ofGates(tally.refused)} | ${rates} | ${width} | ${alone} |`;
}

function percentOf(count: number, gates: number): string {
  const share = (100 * count) / gates;
  return share > 6 ? `**${share.toFixed(1)}**` : share.toFixed(1);
}

/** Rate of the limit, with its gates where they are not those of the comparison. */
function limitOf({ gates, limit, limitGates, limitRefused, refused }: UnevenTally): string {
  if (limitGates === 0) return "–";
  if (limitRefused === limitGates) return "INCONCLUSIVE";
  const notes = [
    ...(limitRefused > refused ? [`${((100 * limitRefused) / limitGates).toFixed(1)} refused`] : []),
    ...(limitGates === gates ? [] : [`of ${limitGates}`]),
  ];
  return `${percentOf(limit, limitGates)}${notes.length === 0 ? "" : ` (${notes.join(", ")})`}`;
}
