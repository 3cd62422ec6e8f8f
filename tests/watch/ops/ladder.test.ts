import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RandomStream } from "../../../eval/stats/random.ts";
import { ladder, ladderWithoutParameter } from "../../../watch/ops/ladder.ts";
import { missing, referenceValues, where } from "../reference.ts";

describe("the ladder", () => {
  it("agrees with the reference", () => {
    const shown = ladder([0.2, 0.197, 0.1862, 0.1849, 0.186, 0.171, 0.168], 0.01);
    expect(shown).toEqual([0.2, 0.2, 0.19, 0.19, 0.19, 0.17, 0.17].map((one) => expect.closeTo(one, 12)));
  });
  it.skipIf(missing)(`without a parameter agrees with it too ${where}`, () => {
    const { losses, shown } = referenceValues("labels", "ladderParameterFree") as { losses: string[]; shown: number[] };
    const rows = losses.map((one) => Array.from(one, Number));
    expect(ladderWithoutParameter(rows)).toEqual(shown.map((one) => expect.closeTo(one, 12)));
  });
  it("without a parameter shows a gain of more than its standard error, and none of less", () => {
    const first = [1, 1, 1, 1, 0, 0, 0, 0];
    // Gain .125, standard error √(.875/7/8) = .125: not more.
    expect(ladderWithoutParameter([first, [0, 1, 1, 1, 0, 0, 0, 0]])).toEqual([0.5, 0.5]);
    // Gain .25, standard error √(1.5/7/8) = .164.
    expect(ladderWithoutParameter([first, [0, 0, 1, 1, 0, 0, 0, 0]])).toEqual([0.5, 0.25]);
  });
  it("never rises, and is within a step and a half of the best loss", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 }), (losses) => {
        const shown = ladder(losses, 0.05);
        shown.forEach((one, i) => {
          if (i > 0) expect(one).toBeLessThanOrEqual(shown[i - 1]!);
          expect(Math.abs(one - Math.min(...losses.slice(0, i + 1)))).toBeLessThanOrEqual(0.075 + 1e-9);
        });
      }),
    );
  });
  it("shows less of 200 random submissions than their best", () => {
    const random = new RandomStream(132);
    const losses = Array.from({ length: 200 }, () => Array.from({ length: 500 }, () => Math.round(random.uniform())));
    const best = Math.min(...losses.map((rows) => rows.reduce((sum, one) => sum + one, 0) / 500));
    expect(ladderWithoutParameter(losses).at(-1)).toBeGreaterThanOrEqual(best);
    expect(
      ladder(
        losses.map((rows) => rows.reduce((sum, one) => sum + one, 0) / 500),
        0.05,
      ).at(-1),
    ).toBeGreaterThan(best);
  });
  it("refuses a step of 0 and rows that do not match", () => {
    expect(() => ladder([0.1], 0)).toThrow(/above 0, got 0/);
    expect(() => ladderWithoutParameter([[0, 1], [1]])).toThrow(/same rows/);
    expect(() => ladderWithoutParameter([[1]])).toThrow(/two at least, got 1/);
    expect(ladder([], 0.1)).toEqual([]);
  });
});
