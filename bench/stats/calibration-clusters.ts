import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { wilson } from "../../eval/stats/wilson.ts";
import { readUneven, simulateAllUneven, unevenFile, type UnevenResult, type UnevenTally } from "./simulate-uneven.ts";
import { unevenCells } from "./uneven-cells.ts";

/**
 * npm run bench:calibration-clusters -- --gates 2000 --close 10000
 *
 * Simulates what bench/results/calibration-clusters.json lacks (an interrupted run continues), then writes the report
 * beside it. `--close`: gates where the first `--gates` show 4 to 8 % wrong passes. `--slow`: gates of the two metrics
 * that are resampled. --gates 0 only writes the report. After a change to a formula, delete the JSON file.
 */
const { values } = parseArgs({
  options: {
    gates: { type: "string", default: "2000" },
    close: { type: "string", default: "2000" },
    slow: { type: "string", default: "500" },
    only: { type: "string", default: "" },
    machine: { type: "string", default: "2 cores of an AMD EPYC" },
  },
});
const [gates, close, slow] = [Number(values.gates), Number(values.close), Number(values.slow)];
const resampled = new Set(["tpr_at_fpr", "median_absolute_error"]);
const nearAlpha = ({ gates: done, pass }: UnevenTally): boolean => pass >= 0.04 * done && pass <= 0.08 * done;

simulateAllUneven(
  unevenFile,
  new RegExp(values.only),
  (metric, known) =>
    resampled.has(metric)
      ? Math.min(gates, slow)
      : known.gates >= gates && gates > 0 && nearAlpha(known)
        ? Math.max(gates, close)
        : gates,
  1,
);
writeFileSync(unevenFile.replace(".json", ".md"), report(readUneven(unevenFile)));

function report(all: readonly UnevenResult[]): string {
  const deciding = all.filter(({ tally }) => tally.refused < tally.gates);
  const above = (count: (tally: UnevenTally) => number) =>
    deciding.filter(({ tally }) => count(tally) > 0.06 * tally.gates);
  const passed = above(({ pass }) => pass);
  const failed = above(({ fail }) => fail);
  const counts = all.map(({ tally }) => tally.gates);
  const order = new Map(unevenCells.map(({ id }, i) => [id, i]));
  const sorted = all.toSorted((a, b) => (order.get(a.cell) ?? 0) - (order.get(b.cell) ?? 0));
  return `# Simulated gates with clusters, uneven weights, skew and imbalance

${new Date().toISOString().slice(0, 10)}, ${values.machine}. Command: \`npm run bench:calibration-clusters\` (seeded; the same numbers on every machine). ${Math.min(...counts).toLocaleString("en")} to ${Math.max(...counts).toLocaleString("en")} gates per line (column "gates"), alpha 0.05.

**The data.** As in [calibration.md](calibration.md): two models of correlation 0.95, the candidate's AUROC 0.88 against 0.90 with 30 % positives (ECE: log odds shifted by 0.8 against 0.5), or its normal errors 5 % larger, labels 10·exp(0.3 z). \`clusters\`: rows of one cluster have correlation 0.2 in everything that is drawn for them. Clusters are of equal size, or (\`sizes=0.7\`) of lognormal sizes with that σ. \`weights\`: lognormal weights with that σ. \`skewed\`: errors exp(z₁), and exp(z₁) + 0.1·exp(z₂) for the candidate, so that the loss per row is lognormal (σ = 1). \`at\` is 0.1.

**The boundary.** The margin is the candidate's true loss: every PASS is wrong, and so is every FAIL. "Superiority" has the models in each other's place; "limit" is a confident limit at the candidate's true value. "Refused": INCONCLUSIVE because of too few clusters (fewer than 5) or because RMSE and R² rest on fewer than 30 rows; those gates count as not passed. "Width": mean half-width over that of the t interval over clusters (jackknife that leaves one cluster out, t with G - 1 degrees), in the first 200 gates; that jackknife is not valid for the two metrics whose intervals are resampled (tpr_at_fpr, median_absolute_error), and its t does not hold its level for uneven sizes.

Wrong passes above 6 % in ${passed.length} of ${all.length} lines${listed(passed)}; wrong FAILs above 6 % in ${failed.length}${listed(failed)}. **Bold**: above 6 %. In brackets the 95 % Wilson interval of the wrong passes.

| data | metric | gates | refused, % | wrong pass, % | wrong FAIL, % | wrong superiority, % | limit, % | width |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
${sorted.map(line).join("\n")}
`;
}

function listed(some: readonly UnevenResult[]): string {
  return some.length === 0 ? "" : ` (${some.map(({ cell, metric }) => `${metric}, ${cell}`).join("; ")})`;
}

function line({ cell, metric, tally }: UnevenResult): string {
  const percent = (count: number): string => {
    const share = (100 * count) / tally.gates;
    return share > 6 ? `**${share.toFixed(1)}**` : share.toFixed(1);
  };
  const { low, high } = wilson(tally.pass, tally.gates, 0.95);
  const refused = ((100 * tally.refused) / tally.gates).toFixed(tally.refused % tally.gates === 0 ? 0 : 1);
  const rates =
    tally.refused === tally.gates
      ? "always INCONCLUSIVE | – | – | –"
      : `${percent(tally.pass)} [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}] | ${percent(tally.fail)} | ${percent(tally.superiority)} | ${percent(tally.limit)}`;
  const width = tally.compared === 0 || resampled.has(metric) ? "–" : (tally.half / tally.reference).toFixed(2);
  return `| ${cell} | ${metric} | ${tally.gates} | ${refused} | ${rates} | ${width} |`;
}
