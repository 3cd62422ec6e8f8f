import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { wilson } from "../../eval/stats/wilson.ts";
import { type AnswerCell, answerWorld, worldTasks } from "./answer-worlds.ts";
import { type AnswerTally, simulateAnswers } from "./simulate-answers.ts";

/**
 * npm run bench:calibration-answers -- --gates 1000
 *
 * Simulates gates of the metrics of rankings, entities and texts at the exact boundary, and writes
 * bench/results/calibration-answers.md after every cell.
 */
const { values } = parseArgs({
  options: {
    gates: { type: "string", default: "1000" },
    rows: { type: "string", default: "200,1000" },
    machine: { type: "string", default: "2 cores of an AMD EPYC" },
  },
});
const gates = Number(values.gates);
const seed = 2026;
const cells = values.rows.split(",").flatMap((rows): AnswerCell[] => [
  { rows: Number(rows), clusterSize: 1, weighted: false },
  { rows: Number(rows), clusterSize: 1, weighted: true },
  { rows: Number(rows), clusterSize: 10, weighted: false },
  { rows: Number(rows), clusterSize: 10, weighted: true },
]);

const found: { cell: AnswerCell; metric: string; tally: AnswerTally }[] = [];
for (const cell of cells)
  for (const task of worldTasks) {
    const started = performance.now();
    for (const [metric, tally] of simulateAnswers(answerWorld(task, seed), cell, seed, () => gates)) {
      // Texts are measured as texts that are generated, which have the metrics of transcripts and of translations.
      found.push({ cell, metric, tally });
    }
    console.error(`${JSON.stringify(cell)} ${task}: ${((performance.now() - started) / 1000).toFixed(0)} s`);
    writeFileSync("bench/results/calibration-answers.md", report());
  }

function report(): string {
  const percent = (count: number, of: number) => (of === 0 ? "" : ((100 * count) / of).toFixed(1));
  const bold = (count: number, of: number) => (count > 0.06 * of ? `**${percent(count, of)}**` : percent(count, of));
  const above = found.filter(({ tally }) => tally.pass > 0.06 * tally.gates);
  return `# Simulated gates of rankings, entities and texts

${new Date().toISOString().slice(0, 10)}, ${values.machine}. Command: \`npm run bench:calibration-answers -- --gates ${gates} --rows ${values.rows}\` (seeded). ${gates.toLocaleString("en")} gates per line, alpha 0.05.

**The data.** Rows are drawn from a population of 12,000 with what two models answered on each ([answer-worlds.ts](../stats/answer-worlds.ts)); the candidate is a little worse, and differs from the baseline by chance in a third of its answers. Users have 0 to 4 relevant items, half of the sentences have no entity, lengths and error rates of texts are lognormal. \`clusters\`: whole clusters of 10 rows, in which how hard a row is has correlation 0.3. \`weights\`: lognormal, σ 0.5.

**The boundary.** The margin is the true loss in the population: every PASS is wrong, and so is every FAIL. "Superiority" has the models in each other's place; "limit" is a confident limit at the candidate's true value. For coverage_at_k, which grows with the users, the truth is the mean over 1,000 draws.

Wrong passes above 6 % in ${above.length} of ${found.length} lines. **Bold**: above 6 %. In brackets the 95 % Wilson interval of the wrong passes.

| rows | metric | gates | wrong pass, % | wrong FAIL, % | wrong superiority, % | limit, % |
| --- | --- | --- | --- | --- | --- | --- |
${found
  .map(({ cell, metric, tally }) => {
    const { low, high } = wilson(tally.pass, tally.gates, 0.95);
    const kind = `${cell.rows}${cell.clusterSize > 1 ? `, clusters of ${cell.clusterSize}` : ""}${cell.weighted ? ", weights" : ""}`;
    return `| ${kind} | ${metric} | ${tally.gates} | ${bold(tally.pass, tally.gates)} [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}] | ${bold(tally.fail, tally.gates)} | ${bold(tally.superiority, tally.gates)} | ${bold(tally.limit, tally.gates)} |`;
  })
  .join("\n")}
`;
}
