import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { abc } from "../../../eval/stats/abc.ts";
import { bca, percentile } from "../../../eval/stats/bca.ts";
import { bootstrapReplicates, resampledSums } from "../../../eval/stats/bootstrap.ts";
import { acceleration, leaveOneOut } from "../../../eval/stats/jackknife.ts";
import { normalCdf, normalQuantile } from "../../../eval/stats/normal.ts";
import { adjustedLevel, biasCorrection, bootstrapQuantile, quantileOfSorted } from "../../../eval/stats/quantile.ts";
import { RandomStream } from "../../../eval/stats/random.ts";
import { collapseGroups, columnSums, type SumStatistic } from "../../../eval/stats/sums.ts";
import {
  jackknifeInterval,
  blocksOfUnits,
  leaveBlocksOut,
  type WeightedStatistic,
  weightedReplicates,
} from "../../../eval/stats/weighted-statistic.ts";
import { difference, python, r } from "./reference.ts";

const mean = (cells: Float64Array): SumStatistic => ({
  cells,
  width: 1,
  value: (sums, count) => (sums[0] as number) / count,
});
const { y, a, b } = python.regression.input;
const losses = Float64Array.from(
  y,
  (label, i) => Math.abs(label - (a[i] as number)) - Math.abs(label - (b[i] as number)),
);
const columns = (make: (i: number) => number[]): Float64Array => Float64Array.from(y.flatMap((_, i) => make(i)));
const ratio: SumStatistic = {
  cells: columns((i) => [Math.abs((y[i] as number) - (a[i] as number)), Math.abs((y[i] as number) - (b[i] as number))]),
  width: 2,
  value: (sums) => (sums[0] as number) / (sums[1] as number) - 1,
};
const rmse: SumStatistic = {
  cells: columns((i) => [((y[i] as number) - (a[i] as number)) ** 2, ((y[i] as number) - (b[i] as number)) ** 2]),
  width: 2,
  value: (sums, count) => Math.sqrt((sums[0] as number) / count) - Math.sqrt((sums[1] as number) / count),
};

describe("BCa", () => {
  const replicates = Float64Array.from(r.bca.replicates);
  it("turns R's replicates and influence values into the ends of R's boot.ci, to 1e-9", () => {
    const influence = Float64Array.from(r.bca.influence);
    // Influence values are the deviations of leave-one-out values from their mean, with the opposite sign.
    const found = acceleration(influence.map((value) => -value));
    expect(found).toBeCloseTo(r.bca.acceleration, 14);
    const ends = bca(replicates, r.bca.estimate, found, 0.9);
    expect(ends?.low).toBeCloseTo(r.bca.bca90[0], 9);
    expect(ends?.high).toBeCloseTo(r.bca.bca90[1], 9);
    const plain = percentile(replicates, 0.9);
    expect(plain?.low).toBeCloseTo(r.bca.percentile90[0], 9);
    expect(plain?.high).toBeCloseTo(r.bca.percentile90[1], 9);
  });
  it("agrees with SciPy's BCa of the paired MAE difference within Monte Carlo error", () => {
    const statistic = mean(losses);
    const ends = bca(
      bootstrapReplicates(statistic, 5, 20_000),
      statistic.value(columnSums(statistic), y.length),
      acceleration(leaveOneOut(statistic)),
      0.9,
    );
    // An end moves by about se·√(p(1-p)/R)/φ(z) = 0.015 se; five of these.
    const room = 0.08 * python.regression.mae_contrast_se;
    expect(Math.abs((ends?.low ?? Number.NaN) - python.regression.mae_contrast_bca90[0])).toBeLessThan(room);
    expect(Math.abs((ends?.high ?? Number.NaN) - python.regression.mae_contrast_bca90[1])).toBeLessThan(room);
  });
  it("is null when more than one replicate in twenty is undefined, and leaves out fewer", () => {
    const some = replicates.map((value, i) => (i % 100 === 0 ? Number.NaN : value));
    const many = replicates.map((value, i) => (i % 10 === 0 ? Number.NaN : value));
    expect(bca(some, 0.2, 0, 0.9)).not.toBeNull();
    expect(bca(many, 0.2, 0, 0.9)).toBeNull();
    expect(percentile(many, 0.9)).toBeNull();
    expect(bca(replicates, 0.2, Number.NaN, 0.9)).toBeNull();
  });
  it("uses the ends of the distribution when the estimate lies outside it, and past the pole", () => {
    expect(biasCorrection([1, 2, 3], 9)).toBeCloseTo(-biasCorrection([1, 2, 3], -9), 12);
    expect(adjustedLevel(0.999, 1, 0.3)).toBe(1);
    expect(adjustedLevel(0.001, -1, -0.3)).toBe(0);
    expect(adjustedLevel(0.05, 0, 0)).toBeCloseTo(0.05, 14);
  });
});

describe("ABC", () => {
  it("is the closed form for a mean, to 1e-12", () => {
    const n = losses.length;
    const centre = losses.reduce((sum, value) => sum + value, 0) / n;
    const power = (k: number): number => losses.reduce((sum, value) => sum + (value - centre) ** k, 0);
    const skew = power(3) / (6 * power(2) ** 1.5);
    const end = (p: number): number => {
      const w = normalQuantile(normalCdf(skew)) + normalQuantile(p);
      return centre + ((Math.sqrt(power(2)) / n) * w) / (1 - skew * w) ** 2;
    };
    const ends = abc(mean(losses), 0.9);
    expect(ends?.low).toBeCloseTo(end(0.05), 12);
    expect(ends?.high).toBeCloseTo(end(0.95), 12);
  });
  it("agrees with R's abc.ci to 1e-6, the rounding of second differences", () => {
    const close = (statistic: SumStatistic, [low, high]: [number, number]): number => {
      const ends = abc(statistic, 0.9);
      return Math.max(difference(ends?.low ?? Number.NaN, low), difference(ends?.high ?? Number.NaN, high));
    };
    expect(close(mean(losses), r.abc90.mean)).toBeLessThan(1e-6);
    expect(close(ratio, r.abc90.ratio)).toBeLessThan(1e-6);
    expect(close(rmse, r.abc90.rmse)).toBeLessThan(1e-6);
  });
  it("agrees with BCa on a large skewed sample", () => {
    const random = new RandomStream(8);
    const statistic = mean(Float64Array.from({ length: 4000 }, () => -Math.log(random.uniform())));
    const analytic = abc(statistic, 0.9);
    const sampled = bca(
      bootstrapReplicates(statistic, 1, 4000),
      statistic.value(columnSums(statistic), 4000),
      acceleration(leaveOneOut(statistic)),
      0.9,
    );
    const width = (analytic?.high ?? 0) - (analytic?.low ?? 0);
    expect(Math.abs((analytic?.low ?? 0) - (sampled?.low ?? 9)) / width).toBeLessThan(0.03);
    expect(Math.abs((analytic?.high ?? 0) - (sampled?.high ?? 9)) / width).toBeLessThan(0.03);
  });
  it("is null for a sample without variation", () => {
    expect(abc(mean(new Float64Array(50).fill(3)), 0.9)).toBeNull();
  });
});

describe("resampling", () => {
  it("gives the same sums however the range of resamples is divided", () => {
    const whole = resampledSums(ratio.cells, 2, 42, 0, 30);
    const parts = [
      [0, 7],
      [7, 8],
      [8, 30],
    ].flatMap(([from, to]) => [...resampledSums(ratio.cells, 2, 42, from as number, to as number)]);
    expect(parts).toEqual([...whole]);
    expect([...resampledSums(ratio.cells, 2, 43, 0, 1)]).not.toEqual([...whole.subarray(0, 2)]);
  });
  it("has the bootstrap's mean and standard error of a mean", () => {
    const statistic = mean(losses);
    const n = losses.length;
    const replicates = bootstrapReplicates(statistic, 2, 10_000);
    const centre = replicates.reduce((sum, value) => sum + value, 0) / replicates.length;
    const variance = replicates.reduce((sum, value) => sum + (value - centre) ** 2, 0) / replicates.length;
    const average = statistic.value(columnSums(statistic), n);
    const exact = losses.reduce((sum, value) => sum + (value - average) ** 2, 0) / n / n;
    expect(Math.abs(centre - average)).toBeLessThan(5 * Math.sqrt(exact / 10_000));
    expect(Math.abs(variance / exact - 1)).toBeLessThan(0.08);
  });
  it("of whole clusters is the resampling of their sums", () => {
    const groups = Uint32Array.from(y, (_, i) => i % 12);
    const collapsed = collapseGroups(ratio, groups, 12);
    expect(collapsed.cells.length).toBe(24);
    expect(ratio.value(columnSums(collapsed), 12)).toBeCloseTo(ratio.value(columnSums(ratio), y.length), 12);
    const weighted: WeightedStatistic = {
      rows: y.length,
      base: null,
      groups,
      groupCount: 12,
      value: (weights) => {
        let one = 0;
        let two = 0;
        weights.forEach((w, i) => {
          one += w * (ratio.cells[2 * i] as number);
          two += w * (ratio.cells[2 * i + 1] as number);
        });
        return one / two - 1;
      },
    };
    const left = bootstrapReplicates(collapsed, 3, 50);
    const right = weightedReplicates(weighted, 3, 50);
    left.forEach((value, i) => expect(right[i]).toBeCloseTo(value, 12));
    const [jackknife, blocks] = [
      leaveOneOut(collapsed).toSorted(),
      leaveBlocksOut(weighted, blocksOfUnits(weighted, 3, 200)).toSorted(),
    ];
    jackknife.forEach((value, i) => expect(blocks[i]).toBeCloseTo(value, 12));
  });
  it("leaves blocks out that cover every unit once: the jackknife of a mean has its standard error", () => {
    const random = new RandomStream(4);
    const values = Float64Array.from({ length: 5000 }, () => random.uniform());
    const statistic: WeightedStatistic = {
      rows: 5000,
      base: null,
      groups: null,
      groupCount: 0,
      value: (weights) => {
        let sum = 0;
        let total = 0;
        for (let i = 0; i < 5000; i++) {
          sum += (weights[i] as number) * (values[i] as number);
          total += weights[i] as number;
        }
        return sum / total;
      },
    };
    const leftOut = leaveBlocksOut(statistic, blocksOfUnits(statistic, 1, 200));
    const ends = jackknifeInterval(leftOut, 0.5, 0.9) as { low: number; high: number };
    const expected = 2 * 1.6525 * Math.sqrt(1 / 12 / 5000);
    expect(Math.abs((ends.high - ends.low) / expected - 1)).toBeLessThan(0.2);
    expect(leftOut.reduce((sum, value) => sum + value, 0) / 200).toBeCloseTo(
      statistic.value(new Float64Array(5000).fill(1)),
      4,
    );
  });
});

describe("quantiles", () => {
  it("agree with R's default", () => {
    r.quantile.p.forEach((p, i) =>
      expect(quantileOfSorted(r.quantile.values, p)).toBeCloseTo(r.quantile.type7[i] as number, 12),
    );
  });
  it("of a bootstrap lie between their neighbours and stop at the extremes", () => {
    const sorted = [1, 2, 4, 8];
    expect(bootstrapQuantile(sorted, 0.2)).toBe(1);
    expect(bootstrapQuantile(sorted, 0.4)).toBe(2);
    expect(bootstrapQuantile(sorted, 0.5)).toBe(3);
    expect([bootstrapQuantile(sorted, 0.001), bootstrapQuantile(sorted, 0.999)]).toEqual([1, 8]);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), (p, q) => {
        const [low, high] = p < q ? [p, q] : [q, p];
        return bootstrapQuantile(sorted, low) <= bootstrapQuantile(sorted, high) + 1e-12;
      }),
    );
  });
});

describe("calibration of the paired BCa interval, seeded, 300 gates each", () => {
  it.each([
    [100, "normal"],
    [60, "skewed"],
  ] as const)("n = %d, %s losses: each one-sided error is near alpha", (n, shape) => {
    let tooHigh = 0;
    let tooLow = 0;
    for (let gate = 0; gate < 300; gate++) {
      const random = new RandomStream(77, gate);
      // True mean difference 0.1: two errors with a common part; the skewed ones are exponential losses.
      const cells = Float64Array.from({ length: n }, () =>
        shape === "normal"
          ? 0.1 + random.uniform() + random.uniform() + random.uniform() - 1.5
          : 0.1 - Math.log(random.uniform()) - 1,
      );
      const statistic = mean(cells);
      const ends = bca(
        bootstrapReplicates(statistic, gate, 1000),
        statistic.value(columnSums(statistic), n),
        acceleration(leaveOneOut(statistic)),
        0.9,
      ) as { low: number; high: number };
      if (ends.low > 0.1) tooHigh++;
      if (ends.high < 0.1) tooLow++;
    }
    // Nominal 0.05; second-order error of BCa at these n is about 0.01; three standard errors of a share in 300.
    const room = 0.01 + 3 * Math.sqrt((0.05 * 0.95) / 300);
    expect(Math.abs(tooHigh / 300 - 0.05)).toBeLessThan(room);
    expect(Math.abs(tooLow / 300 - 0.05)).toBeLessThan(room);
  });
});
