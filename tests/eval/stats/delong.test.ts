import { clusterMoments } from "../../../eval/stats/uneven-moments.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  aurocComponents,
  logitInterval,
  sameKernelInterval,
  stratifiedMoments,
  waldInterval,
} from "../../../eval/stats/deLong.ts";
import { normalQuantile } from "../../../eval/stats/normal.ts";
import { placements } from "../../../eval/stats/placements.ts";
import { RandomStream } from "../../../eval/stats/random.ts";
import { python, r } from "./reference.ts";
import aneurysm from "./fixtures/proc-aneurysm.json" with { type: "json" };

const f = (values: number[]): Float64Array => Float64Array.from(values);
const { y, a, b, w } = python.binary.input;
const labels = f(y);
const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);

describe("DeLong", () => {
  const one = aurocComponents(f(a), labels, null);
  const two = aurocComponents(f(b), labels, null);
  const moments = (influence: Float64Array): { variance: number; df: number } =>
    stratifiedMoments(influence, labels, 2, null);
  const difference = moments(one.influence.map((value, i) => value - (two.influence[i] as number)));

  it("agrees with pROC on tied scores: areas, variances, covariance, z and interval, to 1e-12", () => {
    expect(one.auroc).toBeCloseTo(r.delong.auc_a, 13);
    expect(two.auroc).toBeCloseTo(r.delong.auc_b, 13);
    expect(moments(one.influence).variance).toBeCloseTo(r.delong.var_a, 14);
    expect(moments(two.influence).variance).toBeCloseTo(r.delong.var_b, 14);
    const covariance = (moments(one.influence).variance + moments(two.influence).variance - difference.variance) / 2;
    expect(covariance).toBeCloseTo(r.delong.cov, 14);
    expect((one.auroc - two.auroc) / Math.sqrt(difference.variance)).toBeCloseTo(r.delong.z, 11);
    const { low, high } = waldInterval(one.auroc - two.auroc, { ...difference, df: Infinity }, 0.9, -1, 1);
    expect(low).toBeCloseTo(r.delong.ci90[0], 12);
    expect(high).toBeCloseTo(r.delong.ci90[1], 12);
  });
  it("has the degrees of freedom and the statistic of SciPy's brunnermunzel", () => {
    const { df, variance } = moments(one.influence);
    expect(df).toBeCloseTo(python.binary.brunner_munzel.df, 9);
    expect((one.auroc - 0.5) / Math.sqrt(variance)).toBeCloseTo(
      python.binary.brunner_munzel["statistic"] as number,
      10,
    );
  });
  it("gives whole weights the area of repeated rows, and contributions that sum to 0 in each class", () => {
    const whole = f(w.map((value) => Math.ceil(value)));
    const repeated = (values: number[]): Float64Array =>
      f(values.flatMap((value, i) => Array.from({ length: whole[i] as number }, () => value)));
    expect(aurocComponents(f(a), labels, whole).auroc).toBeCloseTo(
      aurocComponents(repeated(a), repeated(y), null).auroc,
      13,
    );
    const { influence } = aurocComponents(f(a), labels, f(w));
    expect(sum(influence.filter((_, i) => y[i] === 1))).toBeCloseTo(0, 14);
    expect(sum(influence.filter((_, i) => y[i] === 0))).toBeCloseTo(0, 14);
  });
  it("with every row its own cluster is the variance without the class-wise correction", () => {
    const shares = new Float64Array(y.length).fill(1 / y.length);
    const variances = shares.map((share) => share ** 2);
    const spread = { shares, variances };
    const deviations = one.influence.map((value) => value / (1 - 1 / y.length));
    const clustered = clusterMoments(deviations, spread, spread).variance;
    const squares = sum(one.influence.map((value) => value * value));
    expect(clustered).toBeCloseTo((squares * y.length) / (y.length - 1), 15);
    expect(Math.abs(clustered / moments(one.influence).variance - 1)).toBeLessThan(0.02);
  });
  it("is a mean over pairs: small samples by hand", () => {
    const { placement, auroc } = placements(f([0.1, 0.4, 0.4, 0.8]), [0, 0, 1, 1], null);
    expect([...placement]).toEqual([1, 0.75, 0.75, 1]);
    expect(auroc).toBe(0.875);
  });

  it("agrees with pROC on its aneurysm data, ties included", () => {
    const { poorOutcome, ranks, auc: areas, paired } = aneurysm;
    const truth = f(poorOutcome);
    const found = Object.fromEntries(
      Object.entries(ranks).map(([name, values]) => [name, aurocComponents(f(values), truth, null)]),
    );
    for (const [name, { auc, variance }] of Object.entries(areas)) {
      expect(found[name]?.auroc).toBeCloseTo(auc, 12);
      expect(
        stratifiedMoments((found[name] as { influence: Float64Array }).influence, truth, 2, null).variance,
      ).toBeCloseTo(variance, 14);
    }
    for (const [pair, ci] of Object.entries(paired)) {
      const [left, right] = pair.split("_vs_").map((name) => found[name]) as [
        { auroc: number; influence: Float64Array },
        { auroc: number; influence: Float64Array },
      ];
      const { variance } = stratifiedMoments(
        left.influence.map((value, i) => value - (right.influence[i] as number)),
        truth,
        2,
        null,
      );
      const ends = waldInterval(left.auroc - right.auroc, { variance, df: Infinity }, 0.95, -1, 1);
      expect([ends.low, ends.high]).toEqual(ci.map((end) => expect.closeTo(end, 11)));
    }
  });
});

describe("intervals of an area", () => {
  it("stay inside (0, 1) and hold the estimate on the logit scale", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        fc.double({ min: 1e-8, max: 0.05, noNaN: true }),
        fc.double({ min: 1, max: 1e6, noNaN: true }),
        (auroc, variance, df) => {
          const { low, high } = logitInterval(auroc, { variance, df }, 0.95);
          expect(low).toBeLessThanOrEqual(auroc);
          expect(high).toBeGreaterThanOrEqual(auroc);
          expect(low >= 0 && high <= 1).toBe(true);
        },
      ),
    );
  });
  it("never have width 0 when all pairs agree, and shrink as 3/n", () => {
    expect(sameKernelInterval(1, 30, 0.9, 0, 1)).toEqual({ low: expect.closeTo(0.05 ** (1 / 30), 12), high: 1 });
    const { low, high } = sameKernelInterval(0, 1000, 0.9, -1, 1);
    expect(high).toBeCloseTo(0.003, 4);
    expect(low).toBe(-high);
  });
});

/** Intervals for correlated binormal pairs with the given AUROCs, each on fresh rows. */
function gates(
  count: number,
  positives: number,
  negatives: number,
  aurocs: readonly [number, number],
  correlation: number,
  seed: number,
): { low: number; high: number }[] {
  const shift = aurocs.map((auroc) => Math.SQRT2 * normalQuantile(auroc)) as [number, number];
  const truth = f(Array.from({ length: positives + negatives }, (_, i) => (i < positives ? 1 : 0)));
  return Array.from({ length: count }, (_, gate) => {
    const random = new RandomStream(seed, gate);
    const normal = (): number => normalQuantile(random.uniform());
    const one = new Float64Array(truth.length);
    const two = new Float64Array(truth.length);
    for (let i = 0; i < truth.length; i++) {
      const common = normal() * Math.sqrt(correlation);
      const own = Math.sqrt(1 - correlation);
      one[i] = common + own * normal() + (truth[i] as number) * shift[0];
      two[i] = common + own * normal() + (truth[i] as number) * shift[1];
    }
    const a = aurocComponents(one, truth, null);
    const b = aurocComponents(two, truth, null);
    return waldInterval(
      a.auroc - b.auroc,
      stratifiedMoments(
        a.influence.map((value, i) => value - (b.influence[i] as number)),
        truth,
        2,
        null,
      ),
      0.9,
      -1,
      1,
    );
  });
}

describe("calibration of the paired AUROC interval, seeded, 400 gates each", () => {
  const room = 3 * Math.sqrt((0.05 * 0.95) / 400);
  it.each([
    [100, 100, 0.9],
    [20, 180, 0.9],
    [100, 900, 0.95],
    [8, 392, 0.8],
  ])(
    "%d positives, %d negatives, correlation %d: each one-sided error is at most alpha",
    (positives, negatives, correlation) => {
      const change = -0.02;
      const ends = gates(400, positives, negatives, [0.88 + change, 0.88], correlation, positives);
      const tooHigh = ends.filter(({ low }) => low > change).length / 400;
      const tooLow = ends.filter(({ high }) => high < change).length / 400;
      expect(tooHigh).toBeLessThan(0.05 + room);
      expect(tooLow).toBeLessThan(0.05 + room);
      expect(tooHigh + tooLow).toBeGreaterThan(0.03);
    },
  );
});
