import { writeFileSync } from "node:fs";
import { RandomStream } from "../../eval/stats/random.ts";
import { type PairedCounts, tango } from "../../eval/stats/tango.ts";
import { wilson } from "../../eval/stats/wilson.ts";
import { newcombe } from "./newcombe.ts";

/**
 * npm run bench:rates
 *
 * Compares Tango's interval with Newcombe's (method 10) for paired rates, at the exact boundary of non-inferiority and
 * without a change. Writes bench/results/calibration-rates.md, which shows why the gate uses Tango's.
 */
const gates = 20_000;
const alpha = 0.05;
const settings = [200, 1_000, 5_000].flatMap((n) =>
  [
    [0.01, 0.01],
    [0.02, 0.02],
    [0.02, 0.1],
    [0.05, 0.05],
  ].map(([margin = 0, churn = 0]) => ({ n, margin, churn })),
);
const methods = { tango, newcombe };

/**
 * Rows on which only the candidate is right with probability `gained`, only the baseline with `lost`, and both on 0.85
 * of the rest.
 */
function draw(random: RandomStream, n: number, gained: number, lost: number): PairedCounts {
  const counts = { both: 0, first: 0, second: 0, neither: 0 };
  for (let i = 0; i < n; i++) {
    const u = random.uniform();
    if (u < gained) counts.first++;
    else if (u < gained + lost) counts.second++;
    else if (u < gained + lost + 0.85 * (1 - gained - lost)) counts.both++;
    else counts.neither++;
  }
  return counts;
}

const rows = settings.map(({ n, margin, churn }, s) => {
  const random = new RandomStream(77, s);
  const passed = { tango: { boundary: 0, noChange: 0 }, newcombe: { boundary: 0, noChange: 0 } };
  for (let gate = 0; gate < gates; gate++) {
    const [boundary, noChange] = [
      draw(random, n, churn / 2, churn / 2 + margin),
      draw(random, n, churn / 2, churn / 2),
    ];
    for (const name of ["tango", "newcombe"] as const) {
      if (methods[name](boundary, 1 - 2 * alpha).low > -margin) passed[name].boundary++;
      if (methods[name](noChange, 1 - 2 * alpha).low > -margin) passed[name].noChange++;
    }
  }
  const percent = (count: number) => ((100 * count) / gates).toFixed(2);
  return {
    wrong: [passed.tango.boundary, passed.newcombe.boundary].map((count) => count / gates),
    line: `| ${n} | ${margin} | ${churn} | ${percent(passed.tango.boundary)} | ${percent(passed.newcombe.boundary)} | ${percent(passed.tango.noChange)} | ${percent(passed.newcombe.noChange)} |`,
  };
});
const error = wilson(alpha * gates, gates, 0.95);
const over = (k: number) => rows.filter(({ wrong }) => (wrong[k] as number) > error.high).length;
writeFileSync(
  "bench/results/calibration-rates.md",
  `# Paired rates: Tango's score interval or Newcombe's method 10

Command: \`npm run bench:rates\`. ${gates.toLocaleString("en")} gates per line, alpha 0.05; a rate of exactly 5 % would be seen between ${(100 * error.low).toFixed(2)} and ${(100 * error.high).toFixed(2)} %. "churn": share of rows on which exactly one of the models is right, before the loss.

| rows | margin | churn | wrong pass, Tango, % | wrong pass, Newcombe, % | unchanged passes, Tango, % | unchanged passes, Newcombe, % |
| --- | --- | --- | --- | --- | --- | --- |
${rows.map(({ line }) => line).join("\n")}

Above 5 % and its Monte-Carlo error: Tango ${over(0)} of ${rows.length} lines, Newcombe ${over(1)}. Mean wrong-pass rate: Tango ${((100 * rows.reduce((sum, { wrong }) => sum + (wrong[0] as number), 0)) / rows.length).toFixed(2)} %, Newcombe ${((100 * rows.reduce((sum, { wrong }) => sum + (wrong[1] as number), 0)) / rows.length).toFixed(2)} %.
`,
);
