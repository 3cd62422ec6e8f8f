import { writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { wilson } from "../../eval/stats/wilson.ts";
import { type AnswerCell, answerWorld, neighbours, worldTasks } from "./answer-worlds.ts";
import { answerAlpha, type AnswerTally, simulateAnswers } from "./simulate-answers.ts";

/**
 * npm run bench:calibration-answers -- --gates 1000 --uneven 2000 --seed 2026
 *
 * Simulates gates of the metrics of rankings, entities and texts at the exact boundary, and writes
 * bench/results/calibration-answers.md after every kind of data. `--gates` is for independent rows of equal weight, whose
 * intervals are resampled; `--uneven` for clusters and weights, whose intervals are not, so that more of them are cheap.
 * Another seed makes another population. `--only` keeps the kinds of data whose name fits, and `--out` names another file.
 */
const { values } = parseArgs({
  options: {
    gates: { type: "string", default: "1000" },
    uneven: { type: "string", default: "2000" },
    seed: { type: "string", default: "2026" },
    only: { type: "string", default: "" },
    out: { type: "string", default: join(import.meta.dirname, "../results/calibration-answers.md") },
  },
});
const [gates, uneven, seed] = [Number(values.gates), Number(values.uneven), Number(values.seed)];
const clusterSize = 10;
const clusters = (count: number, more: Partial<AnswerCell> = {}): AnswerCell => ({
  rows: count * clusterSize,
  clusterSize,
  weights: 0,
  ...more,
});
const cells: AnswerCell[] = [
  clusters(5),
  clusters(8),
  clusters(12),
  clusters(20),
  clusters(40),
  clusters(20, { sizes: 0.7 }),
  clusters(20, { weights: 0.5 }),
  clusters(40, { weights: 1 }),
  { rows: 200, clusterSize: 1, weights: 0.5 },
  { rows: 200, clusterSize: 1, weights: 1 },
  { rows: 100, clusterSize: 1, weights: 0 },
  { rows: 200, clusterSize: 1, weights: 0 },
];

const named = (cell: AnswerCell): string =>
  [
    `n=${cell.rows}`,
    ...(cell.clusterSize > 1 ? [`clusters=${cell.rows / cell.clusterSize}`] : []),
    ...(cell.sizes === undefined ? [] : [`sizes=${cell.sizes}`]),
    ...(cell.weights === 0 ? [] : [`weights=${cell.weights}`]),
  ].join(" ");

const found: { cell: AnswerCell; metric: string; tally: AnswerTally }[] = [];
for (const cell of cells.filter((one) => new RegExp(values.only).test(named(one))))
  for (const task of worldTasks) {
    const plain = cell.clusterSize === 1 && cell.weights === 0;
    // Texts are texts that are generated, which have the metrics of transcripts and of translations.
    const tallies = simulateAnswers(answerWorld(task, seed), cell, seed, () => (plain ? gates : uneven));
    for (const [metric, tally] of tallies) found.push({ cell, metric, tally });
    process.stderr.write(`${named(cell)} ${task}: ${(process.cpuUsage().user / 1e6).toFixed(0)} s of CPU so far\n`);
    writeFileSync(values.out, report());
  }

function report(): string {
  const percent = (count: number, of: number) => ((100 * count) / of).toFixed(1);
  const bold = (count: number | null, of: number) =>
    count === null ? "refused" : count > 0.06 * of ? `**${percent(count, of)}**` : percent(count, of);
  const deciding = found.filter(({ tally }) => tally.undefined < tally.gates);
  const above = deciding.filter(({ tally }) => tally.pass > 0.06 * tally.gates);
  const lines = found.map(({ cell, metric, tally }) => {
    const { low, high } = wilson(tally.pass, tally.gates, 0.95);
    const wrong = [tally.fail, tally.limit].map((count) => bold(count, tally.gates));
    if (tally.undefined === tally.gates)
      return `| ${named(cell)} | ${metric} | ${tally.gates} | always INCONCLUSIVE: too few clusters | – | – |`;
    return `| ${named(cell)} | ${metric} | ${tally.gates} | ${bold(tally.pass, tally.gates)} [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}] | ${wrong.join(" | ")} |`;
  });
  return `# Simulated gates of rankings, entities and texts

${new Date().toISOString().slice(0, 10)}, ${availableParallelism()} cores of ${cpus()[0]?.model ?? "an unknown processor"}. Command: \`npm run bench:calibration-answers${values.gates === "1000" ? "" : ` -- --gates ${gates}`}\` (seed ${seed}; the same numbers on every machine). Alpha ${answerAlpha}.

**The data.** Rows are drawn from a population of 12,000 with what two models answered on each ([answer-worlds.ts](../stats/answer-worlds.ts)); the candidate is a little worse, and differs from the baseline by chance in a third of its answers. Users have 0 to 4 relevant items, half of the sentences have no entity, lengths and error rates of texts are lognormal. \`clusters\`: ${clusterSize} rows each, in which how hard a row is has correlation 0.3 and the candidate gains or loses together; \`sizes\`: their number is lognormal with that σ, at most ${neighbours}. \`weights\`: lognormal weights of the rows with that σ.

**The boundary.** The margin is the true loss in the population: every PASS is wrong, and so is every FAIL. A wrong FAIL is at once a wrong superiority of the models in each other's place. "Limit" is a confident limit at the candidate's true value, refused below 20 clusters. For coverage_at_k, which grows with the users, the truth is the mean over 1,000 draws.

Wrong passes above 6 % in ${above.length} of ${deciding.length} decided lines. **Bold**: above 6 %. In brackets the 95 % Wilson interval of the wrong passes.

| rows | metric | gates | wrong pass, % | wrong FAIL, % | limit, % |
| --- | --- | --- | --- | --- | --- |
${lines.join("\n")}
`;
}
