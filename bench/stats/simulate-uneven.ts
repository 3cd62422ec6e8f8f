import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fewClusters } from "../../eval/judge/few-clusters.ts";
import { fewLargeErrors } from "../../eval/judge/small-sample.ts";
import { selectRows } from "../../eval/metrics/rows.ts";
import type { MetricDefinition, Sample } from "../../eval/metrics/catalog.ts";
import { decideConfidentLimit, decideNonInferiority, decideSuperiority } from "../../eval/stats/decide.ts";
import { studentQuantile } from "../../eval/stats/student.ts";
import { type PreparedUneven, prepareUneven, type UnevenCell, unevenCells, type UnevenMetric } from "./uneven-cells.ts";

/** Counts of simulated gates of one metric on one kind of data. Counts of several chunks add up. */
export type UnevenTally = {
  gates: number;
  /** Gates that are INCONCLUSIVE because of too few clusters or large errors; they never decide. */
  refused: number;
  /** Gates without a figure or an interval. They never pass. */
  undefined: number;
  /** Non-inferiority at the exact boundary. */
  pass: number;
  fail: number;
  /** Superiority by exactly the margin, with the models in each other's place. */
  superiority: number;
  /** A confident limit at the candidate's true value. */
  limit: number;
  /** Σ half-width, and Σ half-width of the t interval over clusters, over the gates that had both. */
  half: number;
  reference: number;
  compared: number;
};
export type UnevenChunk = {
  cell: string;
  metric: string;
  chunk: number;
  seconds: number;
  tally: UnevenTally;
};

export const unevenFile = ".cache/bench/calibration-clusters.jsonl";
export const chunkGates = 1_000;
const alpha = 0.05;
const level = 1 - 2 * alpha;
/** Gates of a cell's first chunk for which the reference is computed: it needs every cluster left out. */
const referenceGates = 200;

const empty = (): UnevenTally => ({
  gates: 0,
  refused: 0,
  undefined: 0,
  pass: 0,
  fail: 0,
  superiority: 0,
  limit: 0,
  half: 0,
  reference: 0,
  compared: 0,
});

export function addTallies(a: UnevenTally, b: UnevenTally): UnevenTally {
  const sum = { ...a };
  for (const key of Object.keys(sum) as (keyof UnevenTally)[]) sum[key] += b[key];
  return sum;
}

/** Simulates `gates` gates of some metrics of a cell. Gate i draws its data from stream `from + i`. */
export function simulateUneven(
  prepared: PreparedUneven,
  metrics: readonly UnevenMetric[],
  seed: number,
  from: number,
  gates: number,
  references: number,
): Map<string, UnevenTally> {
  const tallies = new Map(metrics.map(({ definition }) => [definition.name as string, empty()]));
  for (let gate = from; gate < from + gates; gate++) {
    const samples = prepared.draw(seed, gate);
    for (const metric of metrics) {
      const { candidate, baseline } = samples(metric.definition.name);
      count(tallies.get(metric.definition.name) as UnevenTally, metric, candidate, baseline, gate, gate < references);
    }
  }
  return tallies;
}

function count(
  tally: UnevenTally,
  { definition, margin, candidate: truth, options }: UnevenMetric,
  candidate: Sample,
  baseline: Sample,
  gate: number,
  compare: boolean,
): void {
  tally.gates++;
  const { name } = definition;
  if (fewClusters(name, candidate) !== null || fewLargeErrors(name, [candidate, baseline]) !== null) {
    tally.refused++;
    return;
  }
  const asked = { ...options, level, seed: gate + 1 };
  const contrast = definition.contrast(candidate, baseline, asked);
  const own = definition.measure(candidate, asked);
  const { direction } = definition;
  if (own.status === "ok") {
    const [min, max] = direction === "higher" ? [truth, null] : [null, truth];
    if (decideConfidentLimit(own.interval, min, max) === "pass") tally.limit++;
  }
  if (contrast.status === "undefined") {
    tally.undefined++;
    return;
  }
  const { low, high } = contrast.interval;
  const outcome = decideNonInferiority({ low, high }, margin, direction);
  if (outcome === "pass") tally.pass++;
  if (outcome === "fail") tally.fail++;
  if (decideSuperiority({ low: -high, high: -low }, margin, direction) === "pass") tally.superiority++;
  if (!compare || candidate.groups === null) return;
  const reference = clusterHalfWidth(definition, candidate, baseline, asked);
  if (!(reference > 0)) return;
  tally.half += (high - low) / 2;
  tally.reference += reference;
  tally.compared++;
}

/** Half-width of the t interval over clusters: the jackknife of the difference that leaves one cluster out, G - 1. */
function clusterHalfWidth(
  definition: MetricDefinition,
  candidate: Sample,
  baseline: Sample,
  options: { level: number; seed: number },
): number {
  const groups = candidate.groups as string[];
  const names = [...new Set(groups)];
  const values = names.map((name) => {
    const rows = Int32Array.from(groups.keys()).filter((i) => groups[i] !== name);
    const [one, two] = [candidate, baseline].map((sample) =>
      definition.measure(selectRows(sample, rows), { ...options, intervals: false }),
    );
    return one?.status === "ok" && two?.status === "ok" ? one.value - two.value : Number.NaN;
  });
  const units = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / units;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return studentQuantile(0.5 + options.level / 2, units - 1) * Math.sqrt((squares * (units - 1)) / units);
}

export function readUneven(file: string): UnevenChunk[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
  const chunks = lines.map((line) => JSON.parse(line) as UnevenChunk);
  return [...new Map(chunks.map((one) => [`${one.cell} ${one.metric} ${one.chunk}`, one])).values()];
}

/**
 * Simulates the chunks that are missing and appends each. `gatesOf` says how many gates a metric of a cell needs, given
 * what is known of it.
 */
export function simulateAllUneven(
  file: string,
  only: RegExp,
  gatesOf: (cell: UnevenCell, metric: string) => number,
  seed = 1,
): void {
  mkdirSync(dirname(file), { recursive: true });
  const done = new Set(readUneven(file).map(({ cell, metric, chunk }) => `${cell} ${metric} ${chunk}`));
  unevenCells.forEach((cell, index) => {
    const named = (metric: string) => only.test(`${cell.id} ${metric}`);
    let prepared: PreparedUneven | undefined;
    for (let chunk = 0; chunk < 100; chunk++) {
      prepared ??= prepareUneven(cell);
      const wanted = prepared.metrics.filter(
        ({ definition: { name } }) =>
          named(name) && chunk * chunkGates < gatesOf(cell, name) && !done.has(`${cell.id} ${name} ${chunk}`),
      );
      if (wanted.length === 0) continue;
      const start = performance.now();
      const tallies = simulateUneven(
        prepared,
        wanted,
        seed * 1_000_003 + index,
        chunk * chunkGates,
        chunkGates,
        referenceGates,
      );
      const seconds = Math.round(performance.now() - start) / 1000;
      for (const [metric, tally] of tallies) {
        const line: UnevenChunk = { cell: cell.id, metric, chunk, seconds, tally };
        appendFileSync(file, `${JSON.stringify(line)}\n`);
      }
      process.stderr.write(`${cell.id} #${chunk}: ${seconds} s\n`);
    }
  });
}
