import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { RandomStream } from "../../eval/stats/random.ts";

/**
 * npm run bench:many-classes
 *
 * Processor time of every metric of 100 classes × 100,000 rows: value, value with interval, and paired contrast with
 * interval, beside scikit-learn, which gives values only. Writes bench/results/many-classes.md.
 */
const [rows, classes] = [100_000, 100];
const folder = mkdtempSync(join(tmpdir(), "many-classes-"));
const file = join(folder, "rows");

function draw(): Buffer[] {
  const random = new RandomStream(1);
  const labels = Float64Array.from({ length: rows }, () => random.below(classes));
  const model = (noise: number): Float64Array => {
    const scores = new Float64Array(rows * classes);
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let c = 0; c < classes; c++) {
        const z = noise * Math.log(1 / random.uniform() - 1) + (labels[row] === c ? 4 : 0);
        sum += scores[row * classes + c] = Math.exp(z);
      }
      for (let c = 0; c < classes; c++) scores[row * classes + c]! /= sum;
    }
    return scores;
  };
  return [labels, model(0.85), model(0.8)].map((values) => Buffer.from(values.buffer));
}

type Ours = {
  peakRssBytes: number;
  metrics: { name: string; value: number; valueSeconds: number; measureSeconds: number; contrastSeconds: number }[];
};
type Theirs = { version: string; metrics: Record<string, { value: number; seconds: number }> };
const run = (program: string, script: string): unknown =>
  JSON.parse(
    execFileSync(program, [join(import.meta.dirname, script), file, String(rows), String(classes)], {
      encoding: "utf8",
      timeout: 1_200_000,
    }),
  );

try {
  writeFileSync(file, Buffer.concat(draw()));
  const busy = loadavg()[0] ?? 0;
  const ours = run(process.execPath, "many-classes-part.ts") as Ours;
  const theirs = run("/usr/bin/python3", "many-classes.py") as Theirs;
  const lines = ours.metrics.map(({ name, value, valueSeconds, measureSeconds, contrastSeconds }) => {
    const other = theirs.metrics[name];
    if (other !== undefined && Math.abs(other.value - value) > 1e-9)
      throw new Error(`${name} is ${value}, and ${other.value} in scikit-learn`);
    const seconds = (of: number | undefined) => (of === undefined ? "–" : `${of.toFixed(2)} s`);
    return `| ${name} | ${seconds(valueSeconds)} | ${seconds(other?.seconds)} | ${seconds(measureSeconds)} | ${seconds(contrastSeconds)} |`;
  });
  const total = ours.metrics.reduce((sum, one) => sum + one.measureSeconds + one.contrastSeconds, 0);
  writeFileSync(
    join(import.meta.dirname, "../results/many-classes.md"),
    `# Many classes

Command: \`npm run bench:many-classes\`. ${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model ?? "unknown processor"}, ${availableParallelism()} cores, Node ${process.versions.node}; load average at the start ${busy.toFixed(1)}.

${rows.toLocaleString("en")} rows, ${classes} classes. Processor time, all threads, first call in a fresh process. scikit-learn ${theirs.version} gives values only, on the same rows in the same run; the values agree to 1e-9. All metrics with interval, of one model and as a contrast of two: ${total.toFixed(1)} s. Peak memory ${(ours.peakRssBytes / 2 ** 30).toFixed(2)} GiB, of which the two models' probabilities are ${((2 * 8 * rows * classes) / 2 ** 30).toFixed(2)} GiB, held twice (the file and the samples).

| metric | value | value in scikit-learn | value and interval | paired contrast and interval |
| --- | --- | --- | --- | --- |
${lines.join("\n")}
`,
  );
} finally {
  rmSync(folder, { recursive: true });
}
