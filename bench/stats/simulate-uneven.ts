import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { undecidable } from "../../eval/power/undecidable.ts";
import { selectRows } from "../../eval/predictions/select-rows.ts";
import type { MetricDefinition, Sample } from "../../eval/metrics/catalog.ts";
import { decideConfidentLimit, decideNonInferiority, decideSuperiority } from "../../eval/stats/decide.ts";
import { studentQuantile } from "../../eval/stats/student.ts";
import { type PreparedUneven, prepareUneven, type UnevenCell, type UnevenMetric } from "./uneven-cells.ts";

/** Counts of simulated gates of one metric on one kind of data. Counts of several chunks add up. */
export type UnevenTally = {
  gates: number;
  /** Gates that are INCONCLUSIVE because of too few clusters or large errors; they never decide. */
  refused: number;
  /** Gates that tried a confident limit, and of them the refused ones: a limit needs more clusters. */
  limitGates: number;
  limitRefused: number;
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
  /** Wrong passes of that reference. */
  referencePass?: number;
  compared: number;
};
/** Finished gates of one metric of one kind of data, from the first on. */
export type UnevenResult = { cell: string; metric: string; margin: number; tally: UnevenTally };

/** Gates between two writes. */
const chunkGates = 500;
const alpha = 0.05;
const level = 1 - 2 * alpha;
/** So many first gates have the reference, which needs every cluster left out: more where its own level is in doubt. */
const referenceGates = { equal: 200, uneven: 1000 };

const empty = (): UnevenTally => ({
  gates: 0,
  refused: 0,
  limitGates: 0,
  limitRefused: 0,
  undefined: 0,
  pass: 0,
  fail: 0,
  superiority: 0,
  limit: 0,
  half: 0,
  reference: 0,
  referencePass: 0,
  compared: 0,
});

export function addTallies(a: UnevenTally, b: UnevenTally): UnevenTally {
  const sum = { ...a };
  for (const key of Object.keys(sum) as (keyof UnevenTally)[]) sum[key] = (sum[key] ?? 0) + (b[key] ?? 0);
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
  const { name: metric, direction } = definition;
  const asked = { ...options, level, seed: gate + 1 };
  tally.limitGates++;
  if (undecidable({ kind: "limit", metric, confident: true }, [candidate]) !== null) tally.limitRefused++;
  else {
    const own = definition.measure(candidate, asked);
    const [min, max] = direction === "higher" ? [truth, null] : [null, truth];
    if (own.status === "ok" && decideConfidentLimit(own.interval, min, max) === "pass") tally.limit++;
  }
  if (undecidable({ kind: "non-inferiority", metric }, [candidate, baseline]) !== null) {
    tally.refused++;
    return;
  }
  const contrast = definition.contrast(candidate, baseline, asked);
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
  const difference = contrast.candidate - contrast.baseline;
  const ends = { low: difference - reference, high: difference + reference };
  if (decideNonInferiority(ends, margin, direction) === "pass") tally.referencePass = (tally.referencePass ?? 0) + 1;
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

export function readUneven(file: string): UnevenResult[] {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as { results: UnevenResult[] }).results : [];
}

function writeUneven(file: string, seed: number, results: readonly UnevenResult[]): void {
  writeFileSync(file, `${JSON.stringify({ schemaVersion: 1, seed, results })}\n`);
}

/** Drops what is known of some kinds of data and metrics. */
export function forget(file: string, seed: number, only: RegExp): void {
  writeUneven(
    file,
    seed,
    readUneven(file).filter(({ cell, metric }) => !only.test(`${cell} ${metric}`)),
  );
}

/**
 * Simulates the gates that are missing, chunk by chunk over all kinds of data, and writes the file after each. `wanted`
 * says how many gates a metric needs, given what is known of it. An interrupted run continues where it stopped.
 */
export function simulateAllUneven(
  file: string,
  cells: readonly UnevenCell[],
  only: RegExp,
  wanted: (metric: string, known: UnevenTally) => number,
  seed: number,
): void {
  const known = new Map(readUneven(file).map((one) => [`${one.cell} ${one.metric}`, one]));
  const prepared = new Map<string, PreparedUneven>();
  const chunkOf = (cell: UnevenCell, index: number): boolean => {
    const at = prepared.get(cell.id) ?? prepareUneven(cell);
    prepared.set(cell.id, at);
    const tallyOf = (name: string): UnevenTally => known.get(`${cell.id} ${name}`)?.tally ?? empty();
    const todo = at.metrics.filter(
      ({ definition: { name } }) =>
        only.test(`${cell.id} ${name}`) && tallyOf(name).gates < wanted(name, tallyOf(name)),
    );
    const from = Math.min(...todo.map(({ definition: { name } }) => tallyOf(name).gates));
    const now = todo.filter(({ definition: { name } }) => tallyOf(name).gates === from);
    if (now.length === 0) return false;
    const references = cell.sizes > 0 ? referenceGates.uneven : referenceGates.equal;
    const start = performance.now();
    const tallies = simulateUneven(at, now, 1_000_003 * seed + index, from, chunkGates, references);
    for (const { definition, margin } of now) {
      const metric = definition.name;
      const tally = addTallies(tallyOf(metric), tallies.get(metric) as UnevenTally);
      known.set(`${cell.id} ${metric}`, { cell: cell.id, metric, margin, tally });
    }
    writeUneven(file, seed, [...known.values()]);
    process.stderr.write(`${cell.id} from ${from}: ${Math.round((performance.now() - start) / 1000)} s\n`);
    return true;
  };
  for (let busy = true; busy;) {
    busy = false;
    for (const [index, cell] of cells.entries()) busy = chunkOf(cell, index) || busy;
  }
}
