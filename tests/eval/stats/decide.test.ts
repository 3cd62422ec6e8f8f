import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decideConfidentLimit,
  decideEquivalence,
  decideNonInferiority,
  decideObservedLimit,
  decideSuperiority,
} from "../../../eval/stats/decide.ts";

const at = (low: number, high: number): { low: number; high: number } => ({ low, high });
const ends = fc
  .tuple(fc.double({ min: -1, max: 1, noNaN: true }), fc.double({ min: -1, max: 1, noNaN: true }))
  .map(([a, b]) => at(Math.min(a, b), Math.max(a, b)));
const margins = fc.double({ min: 0, max: 1, noNaN: true });
const flip = ({ low, high }: { low: number; high: number }): { low: number; high: number } => at(-high, -low);

describe("non-inferiority", () => {
  it.each([
    [at(-0.01, 0.03), "pass"],
    [at(-0.02, 0.03), "inconclusive"],
    [at(-0.05, -0.02), "inconclusive"],
    [at(-0.05, -0.021), "fail"],
    [at(-0.05, 0.1), "inconclusive"],
  ])("higher is better, margin 0.02: %o is %s", (interval, decision) => {
    expect(decideNonInferiority(interval, 0.02, "higher")).toBe(decision);
    expect(decideNonInferiority(flip(interval), 0.02, "lower")).toBe(decision);
  });
  it("never gets worse for a candidate when its interval moves up or the margin grows", () => {
    const rank = { fail: 0, inconclusive: 1, pass: 2 };
    fc.assert(
      fc.property(ends, margins, fc.double({ min: 0, max: 1, noNaN: true }), (interval, margin, more) => {
        const before = rank[decideNonInferiority(interval, margin, "higher")];
        expect(
          rank[decideNonInferiority(at(interval.low + more, interval.high + more), margin, "higher")],
        ).toBeGreaterThanOrEqual(before);
        expect(rank[decideNonInferiority(interval, margin + more, "higher")]).toBeGreaterThanOrEqual(before);
      }),
    );
  });
});

describe("superiority", () => {
  it("requires more than the margin, also when that is 0", () => {
    expect(decideSuperiority(at(0.001, 0.1), 0, "higher")).toBe("pass");
    expect(decideSuperiority(at(0, 0.1), 0, "higher")).toBe("inconclusive");
    expect(decideSuperiority(at(-0.1, -0.01), 0, "higher")).toBe("fail");
    expect(decideSuperiority(at(0.001, 0.009), 0.01, "higher")).toBe("fail");
    expect(decideSuperiority(at(-0.1, -0.02), 0.01, "lower")).toBe("pass");
  });
  it("is never granted where non-inferiority is refused", () => {
    fc.assert(
      fc.property(
        ends,
        margins,
        fc.constantFrom("higher" as const, "lower" as const),
        (interval, margin, direction) => {
          if (decideSuperiority(interval, margin, direction) === "pass")
            expect(decideNonInferiority(interval, margin, direction)).toBe("pass");
          expect(decideSuperiority(interval, margin, "higher")).toBe(
            decideSuperiority(flip(interval), margin, "lower"),
          );
        },
      ),
    );
  });
});

describe("equivalence", () => {
  it("requires the whole interval inside, and fails only when the whole interval is outside", () => {
    expect(decideEquivalence(at(-0.009, 0.009), 0.01)).toBe("pass");
    expect(decideEquivalence(at(-0.01, 0.009), 0.01)).toBe("inconclusive");
    expect(decideEquivalence(at(0.011, 0.02), 0.01)).toBe("fail");
    expect(decideEquivalence(at(-0.03, -0.011), 0.01)).toBe("fail");
    expect(decideEquivalence(at(-1, 1), 0.01)).toBe("inconclusive");
  });
  it("is non-inferiority in both directions", () => {
    fc.assert(
      fc.property(ends, margins, (interval, margin) => {
        const both =
          decideNonInferiority(interval, margin, "higher") === "pass" &&
          decideNonInferiority(interval, margin, "lower") === "pass";
        expect(decideEquivalence(interval, margin) === "pass").toBe(both);
      }),
    );
  });
});

describe("limits", () => {
  it("on the observed value hold at the limit itself", () => {
    expect(decideObservedLimit(0.9, 0.9, null)).toBe("pass");
    expect(decideObservedLimit(0.89, 0.9, null)).toBe("fail");
    expect(decideObservedLimit(5, null, 4)).toBe("fail");
    expect(decideObservedLimit(3, 2, 4)).toBe("pass");
  });
  it("on the interval use its conservative end", () => {
    expect(decideConfidentLimit(at(0.9, 0.95), 0.9, null)).toBe("pass");
    expect(decideConfidentLimit(at(0.89, 0.95), 0.9, null)).toBe("inconclusive");
    expect(decideConfidentLimit(at(0.8, 0.89), 0.9, null)).toBe("fail");
    expect(decideConfidentLimit(at(3, 5), null, 4)).toBe("inconclusive");
    expect(decideConfidentLimit(at(5, 6), 2, 4)).toBe("fail");
  });
});

describe("any input", () => {
  const wild = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Infinity, -Infinity));
  it("nothing but an ordered interval and a finite margin ever passes or fails", () => {
    fc.assert(
      fc.property(
        wild,
        wild,
        wild,
        fc.constantFrom("higher" as const, "lower" as const),
        (low, high, margin, direction) => {
          const sound = low <= high && low !== Infinity && high !== -Infinity && Number.isFinite(margin) && margin >= 0;
          const decisions = [
            decideNonInferiority(at(low, high), margin, direction),
            decideSuperiority(at(low, high), margin, direction),
            decideEquivalence(at(low, high), margin),
          ];
          if (!sound) expect(decisions).toEqual(["inconclusive", "inconclusive", "inconclusive"]);
        },
      ),
      { numRuns: 2000 },
    );
    expect(decideNonInferiority(null, 0.1, "higher")).toBe("inconclusive");
    expect(decideConfidentLimit(null, 0, null)).toBe("inconclusive");
    expect(decideObservedLimit(Number.NaN, 0, null)).toBe("inconclusive");
    expect(decideObservedLimit(1, null, null)).toBe("inconclusive");
    expect(decideObservedLimit(1, 3, 2)).toBe("inconclusive");
    expect(decideObservedLimit(1, Number.NaN, null)).toBe("inconclusive");
  });
});
