import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import {
  fewCarryingMean,
  fewCarryingSquares,
  fewForAveragePrecision,
  fewOfAClass,
} from "../../eval/judge/small-sample.ts";
import { exceeds, type MetricResult, type Rate, readCommitted, results, resultsFile } from "./calibration-results.ts";
import { powerPlot, wrongPassPlot } from "./calibration-plots.ts";
import { gatesFile, readChunks } from "./chunks.ts";
import { simulateAll } from "./simulate-all.ts";

/**
 * npm run bench:calibration -- --gates 2000
 *
 * Simulates what bench/results/calibration.json and the chunks beside it lack (about an hour; an interrupted run
 * continues where it stopped), then writes bench/results/calibration.{md,json,svg} and power.svg. --gates 0 only writes
 * the report. After a change to a formula, use --fresh, which ignores the committed gates, and delete the chunks.
 */
const { values } = parseArgs({
  options: {
    gates: { type: "string", default: "2000" },
    seed: { type: "string", default: "1" },
    only: { type: "string", default: "" },
    fresh: { type: "boolean", default: false },
  },
});
const seed = Number(values.seed);
const committed = readCommitted(seed, values.fresh);
simulateAll({
  file: gatesFile,
  gates: Number(values.gates),
  seed,
  only: new RegExp(values.only),
  doneBefore: committed.gatesOf,
  onChunk: ({ cell, chunk, seconds }) => process.stderr.write(`${cell} #${chunk}: ${seconds} s\n`),
});

const found = results(committed, readChunks(gatesFile));
const folder = "bench/results";
writeFileSync(
  resultsFile,
  `${JSON.stringify({ schemaVersion: 1, seed, alpha: 0.05, node: process.version, cpu: cpus()[0]?.model ?? "", results: found }, rounded)}\n`,
);
writeFileSync(`${folder}/calibration.svg`, wrongPassPlot(found));
writeFileSync(`${folder}/power.svg`, powerPlot(found));
writeFileSync(`${folder}/calibration.md`, report(found));
const docs = "docs/statistics.md";
writeFileSync(
  docs,
  readFileSync(docs, "utf8").replace(
    /(<!-- rates -->)[\s\S]*(<!-- \/rates -->)/,
    (_, open: string, close: string) => `${open}\n${summary(found)}\n${close}`,
  ),
);

function rounded(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
}

function report(all: readonly MetricResult[]): string {
  const least = Math.min(...all.map((one) => one.gates));
  const rates = all.flatMap((one) => Object.values(one.wrongPass));
  const high = all.filter((one) =>
    [
      one.wrongPass.nonInferiority,
      one.wrongPass.equivalence,
      one.wrongPass.superiority,
      one.wrongPass.confidentLimit,
    ].some(exceeds),
  );
  return `# Simulated gates: wrong passes, false reds, power

Command: \`npm run bench:calibration\` (seeded; the same numbers on every machine). At least ${least} gates per rule, metric, kind of data and world; ${rates.reduce((sum, one) => sum + one.of, 0).toLocaleString("en")} decisions at a boundary in all. alpha 0.05, intervals of level 0.9.

**The data.** Classification: rows are positive with probability 2, 10 or 50 % (and 25 and 5 %, for what lies between 30 and 100 positives); each model's latent score is d·y + ε with standard normal ε, of correlation 0.95 between the two models (binormal). The baseline's AUROC is 0.90, the worse candidate's 0.88; probabilities are the exact posteriors, decisions are made where the baseline predicts as many positives as there are. For ECE both models are as good but shift their log odds by 0.5 and 0.8. Regression: errors are normal, or heavy-tailed (each row has its own scale, log-normal with σ = 0.8), of correlation 0.95; the worse candidate's are 5 % larger.

**The boundary.** The margin is the candidate's true loss, computed without sampling from the models above: in closed form (AUROC, accuracy, F1, MAE, RMSE, R²) or by Simpson's rule over the latent score on 20,000 panels (average precision, log loss, Brier; ECE on 400 panels in each bin). A gate that passes there is wrong. Superiority is tried with the two models in each other's place, so that the candidate is better by exactly the margin; a confident limit stands at the candidate's true value. The point rule of a limit (\`confident: false\`) promises nothing at its boundary and is not listed: it passes about half the time there.

![wrong passes](calibration.svg)

## Wrong passes at the boundary, %

95 % Wilson intervals in brackets. **Bold**: above alpha by more than the Monte-Carlo error of as many gates (one-sided 95 %). ⚠: the gate carries the small-sample warning on such data.

| metric | rows | positives / errors | margin | non-inferiority | equivalence | superiority by the margin | superiority by 0 | confident limit |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
${all.map((one) => `| ${one.metric} | ${one.n} | ${kind(one)} | ${Number(one.margin.toPrecision(3))} | ${cell(one.wrongPass.nonInferiority)} | ${cell(one.wrongPass.equivalence)} | ${cell(one.wrongPass.superiority)} | ${cell(one.wrongPass.superiorityAtZero)} | ${cell(one.wrongPass.confidentLimit)} |`).join("\n")}

${high.length} of ${all.length} lines have a rate above alpha and its Monte-Carlo error; ${high.filter(warned).length} of them carry the warning (fewer than ${fewOfAClass} rows of the rarer class, ${fewForAveragePrecision.toLocaleString("en")} for average precision; RMSE and R² with fewer than ${fewCarryingSquares} effective rows, MAE with fewer than ${fewCarryingMean}). Lines without it: ${
    high
      .filter((one) => !warned(one))
      .map((one) => `${one.metric} ${one.n} ${kind(one)}`)
      .join(", ") || "none"
  }. With ${4 * all.length} rates tested at 5 %, about ${Math.round(0.05 * 4 * all.filter((one) => !warned(one)).length)} of the unwarned ones would be bold by chance if every one of them were exactly at alpha.

The default \`minimumPerClass: 30\` makes checks on fewer rows of a class INCONCLUSIVE, whatever their interval: of the lines above, those with 2 % positives of 200 and 1,000 rows, and 10 % of 200, would hardly ever be decided.

## Nothing changed: false reds and false FAILs, %

Non-inferiority with the margin above, two models of the same true quality. A false red is anything but PASS, mostly INCONCLUSIVE: the price of few rows, which \`sluice plan\` foretells.

| metric | rows | positives / errors | false red | false FAIL | undefined data |
| --- | --- | --- | --- | --- | --- |
${all.map((one) => `| ${one.metric} | ${one.n} | ${kind(one)} | ${formatRate(one.falseRed)} | ${formatRate(one.wrongFail.noChange)} | ${one.undefined} |`).join("\n")}

## Power

How often an unchanged candidate passes, by margin: dotted 200, dashed 1,000, solid 10,000 rows.

![power](power.svg)
`;
}

/** The range of rates per metric, for data with and without the warning. */
function summary(all: readonly MetricResult[]): string {
  const range = (rates: readonly Rate[]) =>
    rates.length === 0
      ? ""
      : `${(100 * Math.min(...rates.map(({ rate }) => rate))).toFixed(1)} to ${(100 * Math.max(...rates.map(({ rate }) => rate))).toFixed(1)}`;
  const lines = [...new Set(all.map(({ metric }) => metric))].map((metric) => {
    const [plain, small] = [false, true].map((which) =>
      all.filter((one) => one.metric === metric && warned(one) === which),
    ) as [MetricResult[], MetricResult[]];
    const rates = (some: readonly MetricResult[], rule: "nonInferiority" | "superiority" | "confidentLimit") =>
      range(some.map((one) => one.wrongPass[rule]));
    return `| ${metric} | ${rates(plain, "nonInferiority")} | ${rates(plain, "superiority")} | ${rates(plain, "confidentLimit")} | ${rates(small, "nonInferiority")} | ${rates(small, "confidentLimit")} |`;
  });
  const least = Math.min(...all.map((one) => one.gates));
  return `| wrong passes, % (alpha 5) | non-inferiority | superiority | confident limit | warned: non-inferiority | warned: confident limit |
| --- | --- | --- | --- | --- | --- |
${lines.join("\n")}

Ranges over ${all.length} kinds of data (200 to 10,000 rows, 2 to 50 % positives, normal and heavy-tailed errors), at least ${least.toLocaleString("en")} gates each: with so many, a rate of exactly 5 % is seen between ${(100 * (0.05 - 1.96 * Math.sqrt(0.0475 / least))).toFixed(1)} and ${(100 * (0.05 + 1.96 * Math.sqrt(0.0475 / least))).toFixed(1)} %, and the largest of many rates somewhat above. "Warned": data that get the small-sample warning below.`;
}

/**
 * Whether data of this kind gets the warning of eval/judge/small-sample.ts, because its expected counts are below the
 * thresholds. Effective rows: n over the kurtosis of the errors, or of the differences of absolute errors, which is
 * 3.15 for normal errors of this correlation.
 */
function warned({ metric, n, share, spread }: MetricResult): boolean {
  if (metric === "accuracy" || metric === "ece") return false;
  if (share !== null)
    return n * Math.min(share, 1 - share) < (metric === "average_precision" ? fewForAveragePrecision : fewOfAClass) + 1;
  const tails = Math.exp(4 * (spread ?? 0) ** 2);
  return metric === "mae" ? n / (3.15 * tails) < fewCarryingMean : n / (3 * tails) < fewCarryingSquares;
}

function kind({ share, spread, ...one }: MetricResult): string {
  return `${share === null ? (spread === 0 ? "normal" : "heavy tails") : `${100 * share} %`}${warned({ share, spread, ...one }) ? " ⚠" : ""}`;
}

function formatRate({ rate, low, high }: Rate): string {
  return `${(100 * rate).toFixed(1)} [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`;
}

function cell(rate: Rate): string {
  return exceeds(rate)
    ? `**${(100 * rate.rate).toFixed(1)}** [${(100 * rate.low).toFixed(1)}, ${(100 * rate.high).toFixed(1)}]`
    : formatRate(rate);
}
