import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideConfidentLimit } from "../../../../eval/stats/decide.ts";
import { RandomStream } from "../../../../eval/stats/random.ts";
import { bet, everReached, logCapital, startBetting } from "../../../../eval/stats/sequential/betting-capital.ts";
import { bettingInterval, type Bets } from "../../../../eval/stats/sequential/betting-interval.ts";
import { empiricalBernstein } from "../../../../eval/stats/sequential/empirical-bernstein.ts";
import { bestRho, normalMixture } from "../../../../eval/stats/sequential/normal-mixture.ts";
import { missing, referenceValues, where } from "../../../watch/reference.ts";

type Ends = [number, number];
type Reference = {
  x: string | number[];
  values: {
    n: number;
    betting: Ends;
    bettingGrid: Ends;
    bettingBoth: Ends;
    empiricalBernstein: Ends;
    normalMixture: Ends;
  }[];
};
const streams = missing
  ? []
  : (["zeroOne", "unit"] as const).map((name) => {
      const { x, values } = referenceValues("confidenceSequences", name) as Reference;
      return { name, x: typeof x === "string" ? Array.from(x, Number) : x, values };
    });
const bernoulli = (random: RandomStream, count: number, p: number) =>
  Array.from({ length: count }, () => (random.uniform() < p ? 1 : 0));
const repeat = (value: number, count: number) => Array.from({ length: count }, () => value);
const unit = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 60 });

describe.skipIf(missing)(`anytime-valid intervals agree with the reference ${where}`, () => {
  it.each(streams)("of $name at n = 10, 100 and 1,000", ({ x, values }) => {
    expect(values.map(({ n }) => n)).toEqual([10, 100, 1000]);
    for (const one of values) {
      const first = x.slice(0, one.n);
      for (const [bets, ends] of [
        ["plug-in", one.betting],
        ["grid", one.bettingGrid],
        ["average", one.bettingBoth],
      ] as [Bets, Ends][]) {
        const { low, high } = bettingInterval(first, 0.05, bets);
        expect(low, `${bets} at ${one.n}`).toBeCloseTo(ends[0], 7);
        expect(high, `${bets} at ${one.n}`).toBeCloseTo(ends[1], 7);
      }
      const bernstein = empiricalBernstein(first, 0.05);
      expect([bernstein.low, bernstein.high]).toEqual(one.empiricalBernstein.map((end) => expect.closeTo(end, 10)));
      const sum = first.reduce((all, value) => all + value, 0);
      const mixture = normalMixture(sum, one.n, 0.05);
      expect([mixture.low, mixture.high]).toEqual(one.normalMixture.map((end) => expect.closeTo(end, 10)));
    }
  });

  it("in its capital against .2, at five moments", () => {
    const { m, logCapitalPlusAt, logCapitalMinusAt } = referenceValues("confidenceSequences", "zeroOne", "capital") as {
      m: number;
      logCapitalPlusAt: Record<string, number>;
      logCapitalMinusAt: Record<string, number>;
    };
    // Bets of an interval at .05 have .025 a side.
    const capital = startBetting(m, 0.025);
    streams[0]!.x.slice(0, 100).forEach((value, i) => {
      bet(capital, value);
      const at = String(i + 1);
      if (at in logCapitalPlusAt) {
        expect(capital.above.plugIn, at).toBeCloseTo(logCapitalPlusAt[at]!, 9);
        expect(capital.below.plugIn, at).toBeCloseTo(logCapitalMinusAt[at]!, 9);
      }
    });
  });
});

describe("the normal mixture", () => {
  it("agrees with confseq's best_rho and its interval at n = 100", () => {
    expect(bestRho(125, 0.05)).toBeCloseTo(15.750701224070426, 12);
    const { low, high } = normalMixture(8, 100, 0.05);
    expect(low).toBeCloseTo(-0.08819438628913907, 12);
    expect(high).toBeCloseTo(0.2481943862891391, 12);
  });
  it("of no values is everything", () => {
    expect(normalMixture(0, 0, 0.05)).toEqual({ low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY });
  });
});

describe("the betting interval", () => {
  it.each<[Bets, number, number]>([
    ["plug-in", 0, 0.556442910216764],
    ["grid", 0.00030527477637332724, 0.6899728365264389],
    ["average", 0.00016710404797744906, 0.5955819225059781],
  ])("of a one and nine zeros by %s agrees with the reference", (bets, low, high) => {
    const found = bettingInterval([1, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0.05, bets);
    expect(found.low).toBeCloseTo(low, 9);
    expect(found.high).toBeCloseTo(high, 9);
  });
  it("has ends where the capitals of the same stream, bet by bet, are 2/alpha", () => {
    const values = bernoulli(new RandomStream(2), 200, 0.2);
    const { low, high } = bettingInterval(values, 0.05);
    for (const [end, side] of [
      [low, "above"],
      [high, "below"],
    ] as const) {
      const capital = startBetting(end, 0.025);
      for (const value of values) bet(capital, value);
      expect(logCapital(capital[side])).toBeCloseTo(Math.log(40), 5);
    }
  });
  it("stays within [0, 1] and turns around with the values", () => {
    fc.assert(
      fc.property(unit, (values) => {
        const { low, high } = bettingInterval(values, 0.05);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        const turned = bettingInterval(
          values.map((one) => 1 - one),
          0.05,
        );
        expect(turned.low).toBeCloseTo(1 - high, 7);
        expect(turned.high).toBeCloseTo(1 - low, 7);
      }),
    );
  });
  it("holds the sample mean of a stream that stays the same, and has no mean left where it jumped", () => {
    const values = bernoulli(new RandomStream(3), 500, 0.3);
    const mean = values.reduce<number>((sum, one) => sum + one, 0) / 500;
    const { low, high } = bettingInterval(values, 0.05);
    expect(low).toBeLessThan(mean);
    expect(high).toBeGreaterThan(mean);
    const jump: number[] = [...repeat(1, 200), ...repeat(0, 200)];
    const jumped = bettingInterval(jump, 0.05);
    expect(jumped.low).toBeGreaterThan(jumped.high);
    expect(decideConfidentLimit(jumped, 0.1, null)).toBe("inconclusive");
  });
  it("of constants has an end at them and narrows; of nothing it is [0, 1]", () => {
    expect(bettingInterval([], 0.05)).toEqual({ low: 0, high: 1 });
    const zeros = (count: number) => bettingInterval(new Float64Array(count), 0.05);
    expect(zeros(500).low).toBe(0);
    expect(zeros(500).high).toBeLessThan(0.02);
    expect(zeros(500).high).toBeGreaterThan(zeros(5000).high);
    expect(bettingInterval([1, 1, 1], 0.05).high).toBe(1);
  });
  it("refuses what is not in [0, 1], and says where", () => {
    expect(() => bettingInterval([0.5, 2], 0.05)).toThrow(/value 1 must be in \[0, 1\], got 2/);
    expect(() => empiricalBernstein([Number.NaN], 0.05)).toThrow(/value 0/);
    expect(() => startBetting(0, 0.05)).toThrow(/mean must be between 0 and 1, got 0/);
    expect(() => bet(startBetting(0.5, 0.05), -0.1)).toThrow(/got -0.1/);
  });
});

describe("empirical Bernstein", () => {
  it("of a one and nine zeros agrees with the reference", () => {
    const { low, high } = empiricalBernstein([1, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0.05);
    expect(low).toBeCloseTo(-0.6952169891077294, 10);
    expect(high).toBeCloseTo(0.8952169891077294, 10);
  });
  it("of nothing is everything; it holds about the sample mean and is wider than the betting interval", () => {
    expect(empiricalBernstein([], 0.05).high).toBe(Number.POSITIVE_INFINITY);
    const values = bernoulli(new RandomStream(4), 1000, 0.3);
    const wide = empiricalBernstein(values, 0.05);
    const narrow = bettingInterval(values, 0.05);
    expect(wide.high - wide.low).toBeGreaterThan(narrow.high - narrow.low);
  });
});

describe("looking after every one of 1,000 values, seeded", () => {
  it.each([0.5, 0.1, 0.01])("a true mean of %d is ever rejected in at most alpha of 400 streams", (p) => {
    const random = new RandomStream(17, Math.round(1000 * p));
    let wrong = 0;
    let wald = 0;
    for (let stream = 0; stream < 400; stream++) {
      const capital = startBetting(p, 0.025);
      let sum = 0;
      let waldWrong = false;
      bernoulli(random, 1000, p).forEach((value, i) => {
        bet(capital, value);
        sum += value;
        const mean = sum / (i + 1);
        waldWrong ||= i >= 29 && Math.abs(mean - p) > 1.96 * Math.sqrt((mean * (1 - mean)) / (i + 1));
      });
      if (everReached(capital.above, 0.025) || everReached(capital.below, 0.025)) wrong++;
      if (waldWrong) wald++;
    }
    // alpha and three standard errors. The usual interval fails the same test by far.
    expect(wrong / 400).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / 400));
    expect(wald / 400).toBeGreaterThan(0.25);
  });

  it("empirical Bernstein and the normal mixture miss Beta(2, 5)-like means in at most alpha of 200 streams", () => {
    const random = new RandomStream(18);
    let bernstein = 0;
    let mixture = 0;
    for (let stream = 0; stream < 200; stream++) {
      // The mean of a product of two uniforms is ¼.
      const values = Array.from({ length: 400 }, () => random.uniform() * random.uniform());
      let sum = 0;
      let missed = { bernstein: false, mixture: false };
      values.forEach((value, i) => {
        sum += value;
        const one = normalMixture(sum, i + 1, 0.05);
        missed.mixture ||= one.low > 0.25 || one.high < 0.25;
        if (i % 20 === 19) {
          const other = empiricalBernstein(values.slice(0, i + 1), 0.05);
          missed.bernstein ||= other.low > 0.25 || other.high < 0.25;
        }
      });
      if (missed.bernstein) bernstein++;
      if (missed.mixture) mixture++;
    }
    expect(bernstein / 200).toBeLessThan(0.0963);
    expect(mixture / 200).toBeLessThan(0.0963);
  });
});

it("stored as JSON and taken up again, the capital goes on as if nothing had happened", () => {
  const values = bernoulli(new RandomStream(6), 300, 0.4);
  const straight = startBetting(0.3, 0.05);
  let restarted = startBetting(0.3, 0.05);
  for (const value of values) {
    bet(straight, value);
    restarted = JSON.parse(JSON.stringify(restarted)) as typeof restarted;
    bet(restarted, value);
  }
  expect(restarted).toEqual(straight);
});
