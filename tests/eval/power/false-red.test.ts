import { describe, expect, it } from "vitest";
import { sliceNote, sliceRegressions } from "../../../eval/judge/slice-regressions.ts";
import { falseRedOf, falseRedOfGate } from "../../../eval/power/false-red.ts";
import { standardErrorOf, zOf } from "../../../eval/power/standard-error.ts";
import { passProbability } from "../../../eval/power/pass-probability.ts";
import { falseRedSentence } from "../../../eval/report/content/false-red.ts";
import type { Check } from "../../../eval/schema/verdict.ts";
import { RandomStream } from "../../../eval/stats/random.ts";
import { normals } from "../../../bench/stats/normals.ts";
import {
  decideConfidentLimit,
  decideEquivalence,
  decideNonInferiority,
  decideObservedLimit,
  decideSuperiority,
} from "../../../eval/stats/decide.ts";
import { check, limit } from "../report/builders.ts";

const z = zOf(0.9);
/** A check whose interval around its difference has this standard error. */
const withError = (se: number, change: Partial<Check> = {}): Check => {
  const difference = change.difference ?? 0;
  return check({
    difference,
    interval: { low: difference - z * se, high: difference + z * se, level: 0.9, method: "normal" },
    ...change,
  });
};

describe("the probability that an unchanged model passes", () => {
  const draws = 40_000;
  const simulated = (
    decide: (interval: { low: number; high: number }, estimate: number) => string,
    se: number,
    truth: number,
  ): number => {
    const noise = normals(new RandomStream(5), draws);
    let passed = 0;
    for (const e of noise)
      if (decide({ low: truth + se * e - z * se, high: truth + se * e + z * se }, truth + se * e) === "pass") passed++;
    return passed / draws;
  };
  const rule = (change: Partial<Check>) => check(change);

  it.each([0.001, 0.004, 0.01])(
    "agrees with the rules themselves on simulated estimates of standard error %d",
    (se) => {
      const cases: [number, number][] = [
        [
          passProbability(rule({ margin: 0.01 }), se, z, 0),
          simulated((i) => decideNonInferiority(i, 0.01, "higher"), se, 0),
        ],
        [
          passProbability(rule({ margin: 0.01, direction: "lower" }), se, z, 0),
          simulated((i) => decideNonInferiority(i, 0.01, "lower"), se, 0),
        ],
        [
          passProbability(rule({ kind: "equivalence", margin: 0.01 }), se, z, 0),
          simulated((i) => decideEquivalence(i, 0.01), se, 0),
        ],
        [
          passProbability(rule({ kind: "superiority", margin: 0.002 }), se, z, 0),
          simulated((i) => decideSuperiority(i, 0.002, "higher"), se, 0),
        ],
        [
          passProbability(limit({ limit: { min: 0.84, max: null, confident: true } }), se, z, 0.85),
          simulated((i) => decideConfidentLimit(i, 0.84, null), se, 0.85),
        ],
        [
          passProbability(limit({ limit: { min: 0.84, max: 0.86, confident: true } }), se, z, 0.851),
          simulated((i) => decideConfidentLimit(i, 0.84, 0.86), se, 0.851),
        ],
        [
          passProbability(limit({ limit: { min: null, max: 0.86, confident: false } }), se, z, 0.85),
          simulated((_, x) => decideObservedLimit(x, null, 0.86), se, 0.85),
        ],
      ];
      for (const [formula, share] of cases) expect(Math.abs(formula - share)).toBeLessThan(5 * Math.sqrt(0.25 / draws));
    },
  );

  it("is 0 or 1 without sampling error", () => {
    expect(passProbability(rule({ margin: 0.01 }), 0, z, 0)).toBe(1);
    expect(passProbability(rule({ margin: 0 }), 0, z, 0)).toBe(0);
    expect(passProbability(limit({ limit: { min: 1, max: null, confident: false } }), 0, z, 1)).toBe(1);
  });
});

describe("the expected false-red rate", () => {
  it("comes from the interval's half width: 5 % at a margin of 3.29 standard errors, for a one-sided alpha of 5 %", () => {
    expect(standardErrorOf({ low: -0.02, high: 0.03, level: 0.9, method: "" })).toBeCloseTo(
      0.025 / 1.6448536269514722,
      15,
    );
    expect(falseRedOf(withError(0.01, { margin: 0.02 * z }))).toBeCloseTo(0.05, 12);
    // The candidate's own difference does not matter.
    expect(falseRedOf(withError(0.01, { margin: 0.02, difference: 0.05 }))).toBeCloseTo(
      falseRedOf(withError(0.01, { margin: 0.02 })) as number,
      12,
    );
  });

  it("uses production's value for a limit", () => {
    const one = limit({
      observed: 0.5,
      baseline: 0.86,
      interval: { low: 0.5 - z * 0.01, high: 0.5 + z * 0.01, level: 0.9, method: "" },
      limit: { min: 0.84, max: null, confident: true },
    });
    expect(falseRedOf(one)).toBeCloseTo(1 - passProbability(one, 0.01, z, 0.86), 12);
  });

  it("is null where it has no meaning", () => {
    for (const one of [
      withError(0.01, { advisory: true }),
      withError(0.01, { kind: "superiority" }),
      withError(0.01, { metric: "latency_p50_ms" }),
      withError(0),
      check({ interval: null }),
    ])
      expect(falseRedOf(one)).toBeNull();
    expect(falseRedOfGate([withError(0)])).toBeNull();
    expect(falseRedOfGate([])).toBeNull();
  });

  it("of a gate lies between the largest of its checks and their sum", () => {
    const checks = [
      withError(0.001, { id: "a" }),
      withError(0.002, { id: "b", slice: "source=yelp" }),
      withError(0.0025, { id: "c" }),
      check({ metric: "model_bytes" }),
    ];
    const rates = checks.slice(0, 3).map((one) => falseRedOf(one) as number);
    const found = falseRedOfGate(checks);
    expect(found).toMatchObject({ counted: 3, left: 1, worst: { id: "c", rate: rates[2] } });
    expect(found?.atMost).toBeCloseTo((rates[0] as number) + (rates[1] as number) + (rates[2] as number), 12);
    expect(found?.ifIndependent).toBeLessThan(found?.atMost as number);
    expect(found?.ifIndependent).toBeGreaterThan(rates[2] as number);
    expect(falseRedOfGate(Array.from({ length: 50 }, (_, i) => withError(0.1, { id: String(i) })))?.atMost).toBe(1);
  });

  it("is reported in one sentence", () => {
    const checks = [
      withError(0.002, { id: "b", slice: "source=yelp", margin: 0.005 }),
      withError(0.0005, { id: "c" }),
      check({ metric: "model_bytes", id: "d" }),
    ];
    const expectedFalseRed = falseRedOfGate(checks) ?? undefined;
    expect(expectedFalseRed).toBeDefined();
    expect(falseRedSentence({ checks, ...(expectedFalseRed === undefined ? {} : { expectedFalseRed }) })).toBe(
      "Expected false-red rate: a candidate that answers as differently as this one and is truly no worse would not pass 20 % of the time, 20 % at most; most of it from auroc on source=yelp (20 %), over 2 checks (1 other cannot be estimated)",
    );
    expect(falseRedSentence({ checks })).toBeNull();
  });
});

describe("which slice regressed", () => {
  const slices = (differences: number[], change: Partial<Check> = {}) =>
    differences.map((difference, i) =>
      withError(0.01, { difference, slice: `source=${i}`, verdict: "INCONCLUSIVE", ...change }),
    );

  it("is not looked for in a metric of which neither more nor less is better", () => {
    expect(sliceRegressions(slices([-0.03], { metric: "interval_coverage", kind: "equivalence" }))).toEqual([]);
  });

  it("tests every slice once for no loss and adjusts over all of them", () => {
    const found = sliceRegressions(slices([-0.03, 0, 0.03]));
    expect(found.map(({ p }) => Number(p.toFixed(5)))).toEqual([0.00136, 0.5, 0.99864]);
    // SciPy: t.cdf(-3, 2999) is 0.0013610056; with 20 clusters t.cdf(-3, 19) is 0.0036808621.
    expect(found[0]?.adjusted).toBeCloseTo(3 * 0.0013610055505, 9);
    expect(sliceRegressions(slices([0.03], { direction: "lower" }))[0]?.p).toBeCloseTo(0.00136, 5);
    const [clustered] = slices([-0.03]);
    const interval = { ...clustered!.interval!, method: "cluster jackknife, t over 20 clusters" };
    expect(sliceRegressions([{ ...clustered!, interval }])[0]?.p).toBeCloseTo(0.0036808621, 9);
  });

  it("tests shares by the rows that only one model gets right, exactly", () => {
    const [one] = slices([-0.03], { discordant: { candidateOnly: 2, baselineOnly: 9 } });
    expect(sliceRegressions([one!])[0]?.p).toBeCloseTo(67 / 2048, 12);
    expect(sliceRegressions([{ ...one!, direction: "lower" }])[0]?.p).toBeCloseTo(1 - 12 / 2048, 12);
    expect(sliceNote([one!])).toContain("one-sided exact sign test of no loss, Holm-adjusted over 1 comparison");
    expect(sliceNote([one!, ...slices([0])])).toContain("exact sign test of no loss for shares, one-sided t test");
  });

  it("names the regressed slices and the method, only when the check of a slice is not PASS", () => {
    expect(sliceNote(slices([-0.03, 0, 0.03]))).toBe(
      "Slices shown to have regressed at 0.05: auroc on source=0 (p 0.0041): one-sided t test of no loss from each interval's standard error, Holm-adjusted over 3 comparisons.",
    );
    expect(sliceNote(slices([-0.018, 0, 0.03]))).toBe(
      "No slice is shown to have regressed at 0.05; nearest is auroc on source=0 (p 0.11): one-sided t test of no loss from each interval's standard error, Holm-adjusted over 3 comparisons.",
    );
    expect(sliceNote(slices([-0.03, 0], { verdict: "PASS" }))).toBeNull();
    expect(sliceNote([withError(0.01, { verdict: "FAIL" })])).toBeNull();
  });
});
