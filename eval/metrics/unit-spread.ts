import { clusterMoments, type Moments, weightedMoments } from "../stats/uneven-moments.ts";
import type { Sample } from "./definition.ts";
import { numberedGroups } from "./sample.ts";

/** The units of a sample whose weight is uneven, or who are clusters. */
export type Units = {
  /** Cluster of each row; null when every row is its own unit. */
  ids: Uint32Array | null;
  clustered: boolean;
  count: number;
  shares: Float64Array;
  /** Working variances of the units' contributions if rows are independent. */
  independent: Float64Array;
  /** The same if the rows of a cluster say all the same; for rows equal to `independent`. */
  identical: Float64Array;
};

/**
 * How a sample's weight is spread over its units, or null where plain rows weigh alike (no clusters, equal weights).
 *
 * @param byClass every class counts for the same, as in metrics that compare classes; otherwise every row by its weight
 */
export function unitsOf(sample: Sample, byClass: boolean): Units | null {
  const groups = numberedGroups(sample.groups);
  if (groups === null && equalWeights(sample)) return null;
  const rows = rowShares(sample, byClass);
  if (groups === null) {
    const independent = rows.map((share) => share * share);
    return { ids: null, clustered: false, count: rows.length, shares: rows, independent, identical: independent };
  }
  const shares = new Float64Array(groups.count);
  const independent = new Float64Array(groups.count);
  rows.forEach((share, i) => {
    const g = groups.ids[i] as number;
    shares[g] = (shares[g] as number) + share;
    independent[g] = (independent[g] as number) + share * share;
  });
  return { ...groups, clustered: true, shares, independent, identical: shares.map((share) => share * share) };
}

/** The same over blocks of units. */
export function blockUnits(units: Units, blockOf: Uint32Array): Units {
  const count = blockOf.reduce((most, block) => Math.max(most, block + 1), 0);
  const added = (values: Float64Array): Float64Array => {
    const sums = new Float64Array(count);
    values.forEach((value, unit) => {
      const block = blockOf[unit] as number;
      sums[block] = (sums[block] as number) + value;
    });
    return sums;
  };
  return {
    ids: null,
    clustered: units.clustered,
    count,
    shares: added(units.shares),
    independent: added(units.independent),
    identical: added(units.identical),
  };
}

/**
 * Variance and degrees of freedom of a statistic from its deviations without each unit. NaN where one unit has (up to
 * rounding) all the weight.
 */
export function unitMoments(deviations: Float64Array, { clustered, shares, independent, identical }: Units): Moments {
  if (shares.some((share) => share > 1 - 1e-9)) return { variance: Number.NaN, df: Number.NaN };
  return clustered
    ? clusterMoments(deviations, { shares, variances: independent }, { shares, variances: identical })
    : weightedMoments(deviations, { shares, variances: independent });
}

function equalWeights({ weights }: Sample): boolean {
  return weights === null || weights.every((weight) => weight === weights[0]);
}

/** Share of the weight that each row has; with `byClass`, classes that occur have equal shares. */
function rowShares({ labels, weights, classCount }: Sample, byClass: boolean): Float64Array {
  const one = weights ?? new Float64Array(labels.length).fill(1);
  const split = byClass && classCount > 0;
  const totals = new Float64Array(split ? classCount : 1);
  const classOf = (i: number): number => (split ? (labels[i] as number) : 0);
  one.forEach((weight, i) => {
    totals[classOf(i)] = (totals[classOf(i)] as number) + weight;
  });
  const present = totals.reduce((count, total) => count + (total > 0 ? 1 : 0), 0);
  return one.map((weight, i) => (weight === 0 ? 0 : weight / (totals[classOf(i)] as number) / present));
}
