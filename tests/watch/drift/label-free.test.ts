import { describe, expect, it } from "vitest";
import { RandomStream } from "../../../eval/stats/random.ts";
import { cbpeAssumptions } from "../../../watch/drift/cbpe-assumptions.ts";
import { expectedPerformance } from "../../../watch/drift/cbpe.ts";
import { covariateShiftWeights, importanceWeighted } from "../../../watch/drift/importance-weights.ts";
import { missing, referenceValues, where } from "../reference.ts";

const labelled = (random: RandomStream, rows: number, truth = (p: number) => p) => {
  const probabilities = Array.from({ length: rows }, () => random.uniform() ** 1.5);
  return { probabilities, labels: probabilities.map((p) => (random.uniform() < truth(p) ? 1 : 0)) };
};

describe("expected performance without labels", () => {
  it("of three rows is what one counts by hand", () => {
    const { tp, fp, fn, tn, accuracy, accuracySd, precision, auroc } = expectedPerformance([0.9, 0.5, 0.2]);
    expect([tp, fp, fn, tn]).toEqual([1.4, 0.6, 0.2, 0.8].map((one) => expect.closeTo(one, 12)));
    expect(accuracy).toBeCloseTo(2.2 / 3, 12);
    expect(accuracySd).toBeCloseTo(Math.sqrt(0.09 + 0.25 + 0.16) / 3, 12);
    expect(precision).toBeCloseTo(0.7, 12);
    // Positives .9 .5 .2 against negatives .1 .5 .8, a tie one half, over 1.6 · 1.4.
    expect(auroc).toBeCloseTo((0.9 * (0.05 + 0.5 + 0.8) + 0.5 * (0.25 + 0.8) + 0.2 * 0.4) / (1.6 * 1.4), 12);
  });
  it.skipIf(missing)(`agrees with scikit-learn's weighted metrics on 400 rows ${where}`, () => {
    const { p, expected } = referenceValues("labelFree", "cbpe") as { p: number[]; expected: Record<string, number> };
    const found = expectedPerformance(p);
    for (const [name, value] of Object.entries(expected))
      expect(found[name as keyof typeof found], name).toBeCloseTo(value, 9);
  });
  it("realises within 1.96 sd in about 95 of 100 seeded samples that are calibrated", () => {
    const random = new RandomStream(101);
    let missed = 0;
    for (let sample = 0; sample < 1000; sample++) {
      const { probabilities, labels } = labelled(random, 200);
      const { accuracy, accuracySd } = expectedPerformance(probabilities);
      const right = labels.filter((label, i) => (label === 1) === probabilities[i]! >= 0.5).length / 200;
      if (Math.abs(right - accuracy) > 1.96 * accuracySd) missed++;
    }
    expect(missed / 1000).toBeLessThan(0.0707);
    expect(missed / 1000).toBeGreaterThan(0.0293);
  });
  it("from a histogram of scores is the same where a bin holds one score", () => {
    const rows = expectedPerformance([0.2, 0.2, 0.2, 0.7, 0.7]);
    const bins = expectedPerformance([0.2, 0.7], 0.5, [3, 2]);
    for (const name of Object.keys(rows) as (keyof typeof rows)[]) expect(bins[name]).toBeCloseTo(rows[name], 12);
  });
  it("of nothing is NaN, of certain scores has sd 0, and refuses what is no probability", () => {
    expect(expectedPerformance([]).accuracy).toBeNaN();
    expect(expectedPerformance([0, 1])).toMatchObject({ accuracy: 1, accuracySd: 0, auroc: 1 });
    expect(expectedPerformance([0, 0]).precision).toBeNaN();
    expect(expectedPerformance([1, 1]).auroc).toBeNaN();
    expect(() => expectedPerformance([0.5, 1.2])).toThrow(/row 1.*got 1.2/);
    expect(() => expectedPerformance([Number.NaN])).toThrow(/row 0/);
  });
});

describe("its assumptions", () => {
  const hold = (reference: { probabilities: number[]; labels: number[] }, live: number[]) =>
    Object.fromEntries(cbpeAssumptions(reference, live).map(({ name, holds }) => [name, holds]));
  it("hold where scores are calibrated; the concept can never be seen", () => {
    const reference = labelled(new RandomStream(111), 20_000);
    expect(hold(reference, reference.probabilities)).toEqual({ calibration: true, support: true, concept: null });
  });
  it("fail where the truth is .7 p", () => {
    const reference = labelled(new RandomStream(112), 20_000, (p) => 0.7 * p);
    expect(hold(reference, [0.5]).calibration).toBe(false);
  });
  it("are open with 50 rows, or none", () => {
    expect(hold(labelled(new RandomStream(113), 50), [0.5]).calibration).toBeNull();
    expect(hold({ probabilities: [], labels: [] }, [0.5])).toEqual({ calibration: null, support: null, concept: null });
    expect(hold({ probabilities: [], labels: [] }, [])).toEqual({ calibration: null, support: null, concept: null });
  });
  it("call a calibrated model miscalibrated in at most 5 of 100 seeded references", () => {
    const random = new RandomStream(114);
    const wrong = Array.from({ length: 200 }, () => hold(labelled(random, 400), [0.5]).calibration).filter(
      (one) => one === false,
    );
    expect(wrong.length).toBeLessThan(10);
  });
  it("let one live score of a hundred lie beyond the reference's, not two", () => {
    const reference = { probabilities: [0.2, 0.6], labels: [0, 1] };
    const live = (beyond: number) => Array.from({ length: 100 }, (_, i) => (i < beyond ? 0.9 : 0.3));
    expect(hold(reference, live(1)).support).toBe(true);
    expect(hold(reference, live(2)).support).toBe(false);
  });
  it("fail where live scores lie beyond the reference's", () => {
    const reference = { probabilities: [0.2, 0.6], labels: [0, 1] };
    expect(hold(reference, [0.3, 0.9]).support).toBe(false);
  });
});

describe("importance weights", () => {
  it("are (n/m)·p/(1 - p)", () => {
    expect(covariateShiftWeights([0.5, 0.2, 0], 100, 50)).toEqual([2, 0.5, 0]);
  });
  it.skipIf(missing)(`agree on the effective rows with the reference, and are refused below 100 ${where}`, () => {
    const { correct, weights, selfNormalised, effectiveSampleSize } = referenceValues(
      "labelFree",
      "importanceWeighting",
    ) as { correct: number[]; weights: number[]; selfNormalised: number; effectiveSampleSize: number };
    const found = importanceWeighted(correct, weights);
    expect(found.value).toBeNull();
    expect(found.effectiveRows).toBeCloseTo(effectiveSampleSize, 10);
    expect(found.reason).toMatch(/32 effective rows, fewer than 100/);
    const four = <Item>(all: Item[]) => [all, all, all, all].flat();
    expect(importanceWeighted(four(correct), four(weights)).value).toBeCloseTo(selfNormalised, 12);
  });
  it("find the live accuracy under covariate shift within 3 sd in 95 of 100 seeded samples at least", () => {
    const random = new RandomStream(121);
    // Inputs uniform in the reference, with density 2x live; right with probability x: live mean 2/3.
    let missed = 0;
    for (let sample = 0; sample < 300; sample++) {
      const x = Array.from({ length: 500 }, () => random.uniform());
      const right = x.map((one) => (random.uniform() < one ? 1 : 0));
      // P(live|x) = 2x/(2x + 1) for as many live rows.
      const weights = covariateShiftWeights(
        x.map((one) => (2 * one) / (2 * one + 1)),
        500,
        500,
      );
      const { value, sd } = importanceWeighted(right, weights);
      if (value === null || Math.abs(value - 2 / 3) > 1.96 * sd) missed++;
    }
    expect(missed / 300).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / 300));
  });
  it("of nothing, of no weight, or of a certain row are refused", () => {
    expect(importanceWeighted([], []).value).toBeNull();
    expect(importanceWeighted([1, 0], [0, 0]).value).toBeNull();
    expect(importanceWeighted([1, 0], covariateShiftWeights([1, 0.5], 2, 2)).reason).toMatch(/finite/);
  });
});
