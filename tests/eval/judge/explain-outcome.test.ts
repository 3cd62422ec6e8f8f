import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideContrast, decideLimit } from "../../../eval/judge/explain-outcome.ts";
import {
  decideConfidentLimit,
  decideEquivalence,
  decideNonInferiority,
  decideObservedLimit,
  decideSuperiority,
} from "../../../eval/stats/decide.ts";

const interval = (low: number, high: number) => ({ low, high, level: 0.9, method: "test" });
const finite = fc.double({ min: -10, max: 10, noNaN: true });
const anyInterval = fc.tuple(finite, finite).map(([a, b]) => interval(Math.min(a, b), Math.max(a, b)));
const margin = fc.double({ min: 0, max: 10, noNaN: true });
const direction = fc.constantFrom("higher" as const, "lower" as const);

// The rules themselves are tested in tests/eval/stats/decide.test.ts.
describe("a decision in words", () => {
  it.each([
    [
      "non-inferiority",
      [-0.004, 0.006],
      0.005,
      "higher",
      "pass",
      "shown to be worse by less than the margin, if at all",
    ],
    [
      "non-inferiority",
      [-0.006, 0.004],
      0.005,
      "lower",
      "pass",
      "shown to be worse by less than the margin, if at all",
    ],
    ["non-inferiority", [0.006, 0.02], 0.005, "lower", "fail", "shown to be worse by more than the margin"],
    [
      "non-inferiority",
      [0, 0],
      0,
      "higher",
      "inconclusive",
      "the interval holds both an acceptable loss and one beyond the margin",
    ],
    ["superiority", [0.01, 0.02], 0, "higher", "pass", "shown to be better"],
    ["superiority", [0.01, 0.02], 0.03, "higher", "fail", "shown not to be better by more than the margin"],
    ["superiority", [-0.01, 0.02], 0, "lower", "inconclusive", "neither shown to be better nor shown not to be"],
    ["equivalence", [-0.01, 0.01], 0.02, "higher", "pass", "shown to differ by less than the margin"],
    ["equivalence", [0.03, 0.05], 0.02, "higher", "fail", "shown to differ by more than the margin"],
    [
      "equivalence",
      [-0.02, 0],
      0.02,
      "lower",
      "inconclusive",
      "the interval reaches beyond the margin but is not all beyond it",
    ],
  ] as const)("%s of %o with margin %d, %s is better → %s", (kind, [low, high], m, better, outcome, reason) => {
    expect(decideContrast(kind, interval(low, high), m, better)).toEqual({ outcome, reason });
  });

  it("has the outcome of the rule, whatever the figures", () => {
    fc.assert(
      fc.property(anyInterval, margin, direction, (one, m, better) => {
        expect(decideContrast("non-inferiority", one, m, better).outcome).toBe(decideNonInferiority(one, m, better));
        expect(decideContrast("superiority", one, m, better).outcome).toBe(decideSuperiority(one, m, better));
        expect(decideContrast("equivalence", one, m, better).outcome).toBe(decideEquivalence(one, m));
      }),
    );
    fc.assert(
      fc.property(fc.double(), anyInterval, fc.option(finite), fc.option(finite), (observed, one, min, max) => {
        expect(decideLimit(observed, one, { min, max }, false).outcome).toBe(decideObservedLimit(observed, min, max));
        expect(decideLimit(observed, one, { min, max }, true).outcome).toBe(decideConfidentLimit(one, min, max));
      }),
    );
  });
});

describe("a limit in words", () => {
  const at = (
    observed: number,
    low: number,
    high: number,
    min: number | null,
    max: number | null,
    confident: boolean,
  ) => decideLimit(observed, interval(low, high), { min, max }, confident);

  it("uses the observed value unless it is confident, and says on which side it fails", () => {
    expect(at(0.9, 0.85, 0.95, 0.88, null, false)).toEqual({
      outcome: "pass",
      reason: "the observed value keeps the limit",
    });
    expect(at(0.87, 0.82, 0.92, 0.88, null, false)).toEqual({
      outcome: "fail",
      reason: "the observed value is below the minimum",
    });
    expect(at(0.91, 0.85, 0.95, 0.5, 0.9, false)).toEqual({
      outcome: "fail",
      reason: "the observed value is above the maximum",
    });
    expect(at(0.9, 0.85, 0.95, 0.9, 0.8, false)).toEqual({
      outcome: "inconclusive",
      reason: "the limit admits no value",
    });
  });

  it("needs the whole interval when it is confident", () => {
    expect(at(0.9, 0.85, 0.95, 0.88, null, true)).toEqual({
      outcome: "inconclusive",
      reason: "the interval reaches beyond the limit",
    });
    expect(at(0.9, 0.89, 0.95, 0.88, null, true).outcome).toBe("pass");
    expect(at(5, 4, 6, null, 3, true)).toEqual({ outcome: "fail", reason: "the whole interval lies beyond the limit" });
    expect(decideLimit(0.9, null, { min: 0.1, max: null }, true)).toEqual({
      outcome: "inconclusive",
      reason: "there is no interval to be confident by",
    });
  });
});
