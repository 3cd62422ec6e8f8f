import { readFileSync } from "node:fs";
import { catalog, metricsFor, type Sample } from "../../eval/metrics/catalog.ts";

/**
 * many-classes-part.ts FILE ROWS CLASSES
 *
 * Times every metric of a multiclass task on the doubles in a file: labels, then the candidate's and the baseline's
 * probabilities, row by row. In its own process, so that its peak memory is its own. Prints one JSON line.
 */
const [file = "", rows = "0", classes = "0"] = process.argv.slice(2);
const [n, classCount] = [Number(rows), Number(classes)];
const bytes = readFileSync(file);
const values = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
const sampleOf = (from: number): Sample => ({
  labels: values.slice(0, n),
  scores: values.slice(from, from + n * classCount),
  classCount,
  weights: null,
  groups: null,
});
const [candidate, baseline] = [sampleOf(n), sampleOf(n + n * classCount)];
const options = { level: 0.9, seed: 1 };
const timed = <Result>(work: () => Result): { seconds: number; result: Result } => {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return { seconds: (user + system) / 1e6, result };
};
const metrics = metricsFor("multiclass-classification").flatMap((definition) => {
  const value = timed(() => definition.measure(candidate, { ...options, intervals: false }));
  if (value.result.status !== "ok") return [];
  const measured = timed(() => definition.measure(candidate, options));
  const contrast = timed(() => definition.contrast(candidate, baseline, options));
  return [
    {
      name: definition.name,
      value: value.result.value,
      valueSeconds: value.seconds,
      measureSeconds: measured.seconds,
      contrastSeconds: contrast.seconds,
      interval: contrast.result.status === "ok" ? contrast.result.interval : contrast.result.reason,
    },
  ];
});
process.stdout.write(
  `${JSON.stringify({ known: catalog.size, peakRssBytes: process.resourceUsage().maxRSS * 1024, metrics })}\n`,
);
