import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RandomStream } from "../../../../eval/stats/random.ts";
import { logCapital } from "../../../../eval/stats/sequential/betting-capital.ts";
import { decideCanary } from "../../../../eval/stats/sequential/canary-decision.ts";
import {
  type CanaryEvidence,
  observeDifference,
  provesBad,
  provesGood,
  startCanaryEvidence,
} from "../../../../eval/stats/sequential/canary-evidence.ts";
import { maxWaiting, observeArm, startUnpairedBlocks } from "../../../../eval/stats/sequential/unpaired-blocks.ts";
import { missing, referenceValues, where } from "../../../watch/reference.ts";

const alpha = 0.05;
const evidence = (differences: readonly number[], margin = 0.02, metric = "accuracy"): CanaryEvidence => {
  const one = startCanaryEvidence(metric, margin, alpha);
  for (const difference of differences) observeDifference(one, difference);
  return one;
};
const repeat = (value: number, count: number) => Array.from({ length: count }, () => value);

describe.skipIf(missing)(`two shadow streams ${where}`, () => {
  it.each([
    ["paired.equal", 646, null],
    ["paired.worse", null, 569],
  ])("%s decides at the row that the reference decides at", (name, promoteAt, abortAt) => {
    const reference = referenceValues("canary", name) as Record<string, string> &
      Record<"both.promote" | "both.abort" | "grid.promote" | "plugIn.abort", { logCapitalAt: Record<string, number> }>;
    const one = startCanaryEvidence("accuracy", 0.02, alpha);
    let promoted: number | null = null;
    let aborted: number | null = null;
    Array.from(reference["candidateRight"]!).forEach((right, i) => {
      observeDifference(one, Number(right) - Number(reference["baselineRight"]![i]));
      if (promoted === null && provesGood(one, alpha)) promoted = i + 1;
      if (aborted === null && provesBad(one, alpha)) aborted = i + 1;
      const at = String(i + 1);
      if (at in reference["both.promote"].logCapitalAt) {
        expect(logCapital(one.capital.above)).toBeCloseTo(reference["both.promote"].logCapitalAt[at]!, 8);
        expect(logCapital(one.capital.below)).toBeCloseTo(reference["both.abort"].logCapitalAt[at]!, 8);
        expect(one.capital.below.plugIn).toBeCloseTo(reference["plugIn.abort"].logCapitalAt[at]!, 8);
      }
    });
    expect([promoted, aborted]).toEqual([promoteAt, abortAt]);
  });
});

describe("a roll-out at the boundary, seeded, looked at after every row", () => {
  const simulate = (difference: number, runs: number, rows: number, seed: number) => {
    const random = new RandomStream(seed);
    const result = { promoted: 0, aborted: 0 };
    for (let run = 0; run < runs; run++) {
      const one = startCanaryEvidence("accuracy", 0.02, alpha);
      for (let row = 0; row < rows; row++) {
        const u = random.uniform();
        const lost = 0.015 - difference / 2;
        observeDifference(one, u < lost ? -1 : u < lost + 0.015 + difference / 2 ? 1 : 0);
      }
      if (provesGood(one, alpha)) result.promoted++;
      if (provesBad(one, alpha)) result.aborted++;
    }
    return result;
  };
  it("promotes or aborts a candidate on its margin in at most alpha of 300 runs each", () => {
    const { promoted, aborted } = simulate(-0.02, 300, 1500, 21);
    expect(promoted / 300).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / 300));
    expect(aborted / 300).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / 300));
  });
  it("promotes an equal candidate in most of 100 runs of 1,500 rows, and aborts none", () => {
    const { promoted, aborted } = simulate(0, 100, 1500, 22);
    expect(promoted).toBeGreaterThan(90);
    expect(aborted).toBe(0);
  });
});

describe("the decision over metrics", () => {
  const good = () => evidence(repeat(0, 800));
  const bad = (metric: string) => evidence(repeat(-1, 60), 0.02, metric);
  const open = () => evidence([0, 0, 0], 0.02, "latency");
  it.each([
    ["all that keep their margins", [good()], {}, "PROMOTE", "PASS", null],
    ["one that is shown to be worse", [good(), bad("errors")], {}, "ABORT", "FAIL", "errors"],
    ["one that is open", [good(), open()], {}, "CONTINUE", "INCONCLUSIVE", "latency"],
    ["one that is open at the end", [good(), open()], { ended: true }, "KEEP_BASELINE", "INCONCLUSIVE", "latency"],
    ["too little traffic", [open()], { leastNew: 10 }, "PAUSE", "INCONCLUSIVE", "latency"],
    ["nothing new since the last look", [open()], { before: { latency: 3 } }, "PAUSE", "INCONCLUSIVE", "latency"],
    ["no metric", [], {}, "CONTINUE", "INCONCLUSIVE", null],
    ["no metric at the end", [], { ended: true }, "KEEP_BASELINE", "INCONCLUSIVE", null],
    ["no rows at all at the end", [evidence([])], { ended: true }, "KEEP_BASELINE", "INCONCLUSIVE", "accuracy"],
  ])("%s", (_, metrics, limits, action, verdict, metric) => {
    expect(decideCanary(metrics, { alpha, ...limits })).toMatchObject({ action, verdict, metric });
  });
  it("asks more of an abort the more metrics there are", () => {
    const losing = evidence(repeat(-1, 60), 0.02, "errors");
    const peak = losing.capital.below.peak;
    const between = Math.exp(-peak) * 1.5;
    expect(decideCanary([losing], { alpha: between }).action).toBe("ABORT");
    expect(decideCanary([losing, open()], { alpha: between }).action).not.toBe("ABORT");
  });
  it("stays once made, whatever comes after", () => {
    const one = good();
    expect(provesGood(one, alpha)).toBe(true);
    for (let i = 0; i < 30; i++) observeDifference(one, -1);
    expect(logCapital(one.capital.above)).toBeLessThan(Math.log(1 / alpha));
    expect(provesGood(one, alpha)).toBe(true);
  });
  it("refuses margins and differences that cannot be", () => {
    expect(() => startCanaryEvidence("accuracy", 1, alpha)).toThrow(/margin of accuracy.*got 1.*0.02/);
    expect(() => observeDifference(open(), 1.5)).toThrow(/difference of latency.*got 1.5/);
    expect(() => observeDifference(open(), Number.NaN)).toThrow(/got NaN/);
  });
});

describe("unpaired blocks", () => {
  it("hold each candidate row against the mean of fresh baseline rows", () => {
    const state = startUnpairedBlocks(2);
    const seen = (
      [
        ["baseline", 1],
        ["candidate", 1],
        ["baseline", 0],
        ["baseline", 1],
        ["baseline", 1],
        ["candidate", 0],
      ] as const
    ).map(([arm, value]) => observeArm(state, arm, value));
    expect(seen).toEqual([null, null, 0.5, null, null, -1]);
  });
  it("use no row twice and have the difference of the arms as their mean", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.tuple(fc.boolean(), fc.nat(1))), (ratio, rows) => {
        const state = startUnpairedBlocks(ratio);
        const differences = rows
          .map(([candidate, value]) => observeArm(state, candidate ? "candidate" : "baseline", value))
          .filter((one) => one !== null);
        const baseline = rows.filter(([candidate]) => !candidate).length;
        expect(differences).toHaveLength(Math.min(rows.length - baseline, Math.floor(baseline / ratio)));
      }),
    );
  });
  it("keep no more than a bounded number of rows, and count what they leave out", () => {
    const state = startUnpairedBlocks(3);
    for (let i = 0; i < maxWaiting + 5; i++) observeArm(state, "candidate", 1);
    expect(state.candidates).toHaveLength(maxWaiting);
    expect(state.leftOut).toEqual({ candidate: 5, baseline: 0 });
  });
  it("refuse a ratio that is no count and a value outside [0, 1]", () => {
    expect(() => startUnpairedBlocks(0.5)).toThrow(/whole number from 1, got 0.5/);
    expect(() => observeArm(startUnpairedBlocks(1), "baseline", 3)).toThrow(/got 3/);
  });
  it("of equal arms at 9:1 never abort in 60 seeded runs", () => {
    const random = new RandomStream(23);
    let aborted = 0;
    for (let run = 0; run < 60; run++) {
      const state = startUnpairedBlocks(9);
      const one = startCanaryEvidence("accuracy", 0.02, alpha);
      for (let row = 0; row < 10_000; row++) {
        const value = random.uniform() < 0.9 ? 1 : 0;
        const difference = observeArm(state, row % 10 === 0 ? "candidate" : "baseline", value);
        if (difference !== null) observeDifference(one, difference);
      }
      if (provesBad(one, alpha)) aborted++;
    }
    expect(aborted).toBeLessThanOrEqual(2);
  });
});
