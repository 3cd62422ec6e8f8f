import type { Ends } from "./bca.ts";
import { eachDraw } from "./draws.ts";
import { RandomStream } from "./random.ts";
import { studentQuantile } from "./student.ts";

/**
 * A statistic that needs the whole sample in order (average precision, partial AUROC, a median …), as a function of row
 * weights. Each call is one O(n) pass over orders that were sorted once. NaN where undefined.
 */
export type WeightedStatistic = {
  rows: number;
  /** Row weights of the data; null: all 1. */
  base: Float64Array | null;
  /** Cluster of each row, 0 … groupCount - 1; null: every row is its own unit. */
  groups: Uint32Array | null;
  groupCount: number;
  value(weights: Float64Array): number;
};

function units({ groups, groupCount, rows }: WeightedStatistic): number {
  return groups === null ? rows : groupCount;
}

function spread({ base, groups }: WeightedStatistic, multiplicity: Float64Array, into: Float64Array): void {
  for (let i = 0; i < into.length; i++) {
    const times = multiplicity[groups === null ? i : (groups[i] as number)] as number;
    into[i] = base === null ? times : times * (base[i] as number);
  }
}

export function fullWeights({ base, rows }: WeightedStatistic): Float64Array {
  return base ?? new Float64Array(rows).fill(1);
}

/** Bootstrap replicates over rows or whole clusters; resample r uses stream r of `seed`. */
export function weightedReplicates(statistic: WeightedStatistic, seed: number, resamples: number): Float64Array {
  const count = units(statistic);
  const multiplicity = new Float64Array(count);
  const direct = statistic.groups === null && statistic.base === null;
  const weights = direct ? multiplicity : new Float64Array(statistic.rows);
  const replicates = new Float64Array(resamples);
  // Counted in bytes, of which more fit into a cache. No unit is drawn 256 times: the chance is below 10^-500.
  const counts = new Uint8Array(count);
  const tally = (drawn: Uint32Array, drawnCount: number) => {
    for (let i = 0; i < drawnCount; i++) (counts[drawn[i] as number] as number)++;
  };
  for (let r = 0; r < resamples; r++) {
    counts.fill(0);
    eachDraw(seed, r, count, tally);
    multiplicity.set(counts);
    if (!direct) spread(statistic, multiplicity, weights);
    replicates[r] = statistic.value(weights);
  }
  return replicates;
}

/**
 * The statistic with each of `blocks` random groups of units left out (one unit per block when there are no more units
 * than blocks). The assignment uses stream 2^32 of `seed`, which no resample uses.
 */
export function leaveBlocksOut(statistic: WeightedStatistic, seed: number, blocks: number): Float64Array {
  const count = units(statistic);
  const parts = Math.min(blocks, count);
  const shuffled = Uint32Array.from({ length: count }, (_, i) => i);
  if (parts < count) new RandomStream(seed, 2 ** 32).shuffle(shuffled);
  const multiplicity = new Float64Array(count).fill(1);
  const direct = statistic.groups === null && statistic.base === null;
  const weights = direct ? multiplicity : new Float64Array(statistic.rows);
  const values = new Float64Array(parts);
  for (let part = 0; part < parts; part++) {
    const from = Math.floor((part * count) / parts);
    const to = Math.floor(((part + 1) * count) / parts);
    for (let i = from; i < to; i++) multiplicity[shuffled[i] as number] = 0;
    if (!direct) spread(statistic, multiplicity, weights);
    values[part] = statistic.value(weights);
    for (let i = from; i < to; i++) multiplicity[shuffled[i] as number] = 1;
  }
  return values;
}

/**
 * Delete-a-group jackknife interval: estimate ± t_{G-1} √((G-1)/G Σ(value - mean)²) (P. Kott, J. Official Statist. 17,
 * 2001). For smooth statistics of large samples. Null when a value is undefined; of width 0 when nothing varies.
 */
export function jackknifeInterval(leftOut: Float64Array, estimate: number, level: number): Ends | null {
  const parts = leftOut.length;
  let mean = 0;
  for (const value of leftOut) mean += value / parts;
  let squares = 0;
  for (const value of leftOut) squares += (value - mean) ** 2;
  const half = studentQuantile(0.5 + level / 2, parts - 1) * Math.sqrt((squares * (parts - 1)) / parts);
  return Number.isNaN(half) ? null : { low: estimate - half, high: estimate + half };
}
