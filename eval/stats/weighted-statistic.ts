import type { Ends } from "./bca.ts";
import { eachDraw } from "./draws.ts";
import { jackknifeError } from "./jackknife.ts";
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
 * The block of each unit, in random order: `blocks` blocks of nearly equally many units, or one unit per block when
 * there are no more units than blocks. The assignment uses stream 2^32 of `seed`, which no resample uses.
 */
export function blocksOfUnits(statistic: WeightedStatistic, seed: number, blocks: number): Uint32Array {
  const count = units(statistic);
  const parts = Math.min(blocks, count);
  const shuffled = Uint32Array.from({ length: count }, (_, i) => i);
  if (parts < count) new RandomStream(seed, 2 ** 32).shuffle(shuffled);
  const blockOf = new Uint32Array(count);
  for (let part = 0; part < parts; part++) {
    const to = Math.floor(((part + 1) * count) / parts);
    for (let i = Math.floor((part * count) / parts); i < to; i++) blockOf[shuffled[i] as number] = part;
  }
  return blockOf;
}

/** The statistic with each block of units left out. */
export function leaveBlocksOut(statistic: WeightedStatistic, blockOf: Uint32Array): Float64Array {
  const members: number[][] = [];
  blockOf.forEach((part, unit) => (members[part] ??= []).push(unit));
  const multiplicity = new Float64Array(blockOf.length).fill(1);
  const direct = statistic.groups === null && statistic.base === null;
  const weights = direct ? multiplicity : new Float64Array(statistic.rows);
  return Float64Array.from(members, (block) => {
    for (const unit of block) multiplicity[unit] = 0;
    if (!direct) spread(statistic, multiplicity, weights);
    const value = statistic.value(weights);
    for (const unit of block) multiplicity[unit] = 1;
    return value;
  });
}

/**
 * Delete-a-group jackknife interval: estimate ± t_{G-1} √((G-1)/G Σ(value - mean)²) (P. Kott, J. Official Statist. 17,
 * 2001). For smooth statistics of large samples. Null when a value is undefined; of width 0 when nothing varies.
 */
export function jackknifeInterval(leftOut: Float64Array, estimate: number, level: number): Ends | null {
  const half = studentQuantile(0.5 + level / 2, leftOut.length - 1) * jackknifeError(leftOut);
  return Number.isNaN(half) ? null : { low: estimate - half, high: estimate + half };
}
