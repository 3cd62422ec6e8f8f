import { describe, expect, it } from "vitest";
import { passProbability } from "../../../eval/power/pass-probability.ts";
import { aboutRows, power, rowsFor, rowsNote, smallestChangeOf } from "../../../eval/power/rows-needed.ts";
import { check } from "../report/builders.ts";

const z = 1.6448536269514722;
/** An interval around a difference of 0 that extends `half` to either side. */
const open = (half: number, change: Partial<Parameters<typeof check>[0]> = {}) =>
  check({
    metric: "auroc",
    slice: "all",
    kind: "non-inferiority",
    verdict: "INCONCLUSIVE",
    margin: 0.01,
    n: 400,
    difference: 0,
    interval: { low: -half, high: half, level: 0.9, method: "DeLong" },
    ...change,
  });

describe("the rows that would decide", () => {
  it("are those at which an unchanged candidate passes with the promised power", () => {
    const standardError = 0.02 / z;
    for (const kind of ["non-inferiority", "equivalence"] as const) {
      const rows = rowsFor(0.01, 400, smallestChangeOf(kind, standardError, z));
      const atThatSize = standardError * Math.sqrt(400 / rows);
      expect(passProbability({ kind, margin: 0.01, direction: "higher", limit: null }, atThatSize, z, 0)).toBeCloseTo(
        power,
        2,
      );
    }
  });

  it("are given with two digits and rounded up", () => {
    expect([7, 99, 101, 1079, 98_123].map(aboutRows)).toEqual(["10", "99", "110", "1,100", "99,000"]);
  });

  it("are named in one note, the check with the largest need first", () => {
    const note = rowsNote([open(0.02), open(0.03, { metric: "mae", slice: "site=a" })]);
    expect(note).toMatch(
      /^More rows would decide: mae on site=a about 8,300 in place of 400, auroc about 3,700 in place of 400;/,
    );
    expect(note).toContain("80 % of the time");
    expect(rowsNote([1, 2, 3, 4, 5, 6, 7].map((i) => open(0.02, { slice: `site=${i}` })))).toContain(" and 2 more;");
  });

  it.each([
    ["checks that pass", open(0.02, { verdict: "PASS" })],
    ["waived ones", open(0.02, { advisory: true })],
    ["limits", open(0.02, { kind: "limit", margin: null })],
    ["a margin of 0, which no number of rows shows", open(0.02, { kind: "equivalence", margin: 0 })],
    ["slices without an interval", open(0.02, { interval: null })],
    ["timed figures", open(0.02, { metric: "latency_p50_ms" })],
    ["intervals that are narrow enough, where the loss is what is near the margin", open(0.002)],
  ])("are not given for %s", (_, one) => {
    expect(rowsNote([one])).toBeNull();
  });
});
