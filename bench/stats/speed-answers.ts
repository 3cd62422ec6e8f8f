import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { metricsFor } from "../../eval/metrics/catalog.ts";
import { measurerOf } from "../../eval/metrics/measure.ts";
import type { Answers, Predictions } from "../../eval/predictions/predictions.ts";
import { answerCount } from "../../eval/predictions/row-count.ts";
import { RandomStream } from "../../eval/stats/random.ts";
import type { Task } from "../../models/core/manifest/manifest.ts";

/**
 * npm run bench:speed-answers
 *
 * Seconds of processor time that the metrics of rankings and texts take with their paired intervals, at two sizes each,
 * so that what grows faster than the rows shows. Writes bench/results/speed-answers.md.
 */
const { values } = parseArgs({ options: { machine: { type: "string", default: "2 cores of an AMD EPYC" } } });

function rankings(users: number, seed: number, shift: number): Answers {
  const random = new RandomStream(seed, 1);
  const own = new RandomStream(seed, 2 + shift);
  const relevant: string[][] = [];
  const ranked: string[][] = [];
  for (let user = 0; user < users; user++) {
    relevant.push([...new Set(Array.from({ length: 5 }, () => `item-${random.below(10_000)}`))]);
    const list = Array.from({ length: 20 }, () => `item-${own.below(10_000)}`);
    if (own.below(2) === 0) list[own.below(20)] = relevant[user]![0]!;
    ranked.push([...new Set(list)]);
  }
  return { kind: "ranking", relevant, ranked, gains: null, catalogueSize: 10_000 };
}

function texts(rows: number, seed: number, shift: number): Answers {
  const random = new RandomStream(seed, 1);
  const own = new RandomStream(seed, 2 + shift);
  const word = (from: RandomStream) => `word${Math.floor(5000 * from.uniform() ** 3)}`;
  const references: string[][] = [];
  const hypotheses: string[] = [];
  for (let row = 0; row < rows; row++) {
    const words = Array.from({ length: 15 + random.below(20) }, () => word(random));
    references.push([words.join(" ")]);
    hypotheses.push(words.map((one) => (own.below(5) === 0 ? word(own) : one)).join(" "));
  }
  return { kind: "text", references, hypotheses, audioSeconds: null };
}

const predictionsOf = (task: Task, answers: Answers): Predictions => ({
  head: "score",
  task,
  ids: Array.from({ length: answerCount(answers) }, (_, i) => String(i)),
  labels: new Float64Array(),
  scores: new Float64Array(),
  classes: [],
  slices: {},
  groups: null,
  weights: null,
  answers,
  datasetDigest: null,
});

const lines: string[] = [];
for (const [task, make, sizes] of [
  ["ranking", rankings, [50_000, 100_000]],
  ["text-generation", texts, [5_000, 10_000]],
] as const)
  for (const rows of sizes) {
    const [candidate, baseline] = [1, 0].map((shift) =>
      measurerOf(predictionsOf(task, make(rows, 11, shift)), 1).sample("all"),
    );
    if (candidate == null || baseline == null) throw new Error("there are no rows");
    for (const metric of metricsFor(task)) {
      const before = process.cpuUsage();
      metric.measure(candidate, { level: 0.9, seed: 1 });
      const contrast = metric.contrast(candidate, baseline, { level: 0.9, seed: 1 });
      const { user, system } = process.cpuUsage(before);
      const line = `| ${metric.name} | ${rows.toLocaleString("en")} | ${((user + system) / 1e6).toFixed(2)} | ${contrast.status === "ok" ? contrast.interval.method : contrast.reason} |`;
      console.log(line);
      lines.push(line);
    }
  }
writeFileSync(
  "bench/results/speed-answers.md",
  `# Speed of the metrics of rankings and texts

${new Date().toISOString().slice(0, 10)}, ${values.machine}. Command: \`npm run bench:speed-answers\`. Seconds of processor time of one thread: the candidate's value with its interval, and the paired comparison. Lists of 20 of 10,000 items and 5 relevant ones a user; texts of 15 to 34 words. The first metric of a kind also finds the hits of both models that the others use, and \`bleu\`, \`chrf\`, \`wer\` and \`cer\` each count their own n-grams or errors.

| metric | rows | seconds | interval of the difference |
| --- | --- | --- | --- |
${lines.join("\n")}
`,
);
