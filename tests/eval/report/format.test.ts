import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkName, checkNumbers, isRelative } from "../../../eval/report/content/check-numbers.ts";
import { evidence } from "../../../eval/report/content/evidence.ts";
import {
  bytes,
  decimalsFor,
  fixed,
  milliseconds,
  percent,
  setting,
  shortDigest,
  signed,
  significant,
} from "../../../eval/report/text/format.ts";
import { ascii } from "../../../eval/report/text/glyphs.ts";
import { cut, oneLine } from "../../../eval/report/text/text.ts";
import { check, latencyCheck, limit } from "./builders.ts";

describe("numbers", () => {
  it.each([
    [10871.26, 1, "10,871.3"],
    [-0.00001, 4, "0.0000"],
    [-0, 2, "0.00"],
    [-1234567.5, 0, "−1,234,568"],
    [0.5, 0, "1"],
    [Number.NaN, 2, "not a number"],
    [Number.NEGATIVE_INFINITY, 2, "−infinite"],
    [2.5e18, 2, "2.500e+18"],
  ])("fixed(%d, %d) is %s", (value, decimals, text) => expect(fixed(value, decimals)).toBe(text));

  it.each([
    [0.00123, 4, "+0.0012"],
    [-0.00123, 4, "−0.0012"],
    [0.00001, 3, "0.000"],
    [-0.00001, 3, "0.000"],
  ])("signed(%d, %d) is %s", (value, decimals, text) => expect(signed(value, decimals)).toBe(text));

  it.each([
    [0.0043, 2, 4],
    [0.1, 2, 2],
    [1, 2, 1],
    [12, 2, 0],
    [250, 4, 1],
    [0, 2, 0],
    [1e-12, 2, 9],
  ])("decimalsFor(%d, %d) is %d", (scale, digits, decimals) => expect(decimalsFor(scale, digits)).toBe(decimals));

  it("shows settings as they were written, unless they were multiplied", () => {
    expect(setting(0.005, 4)).toBe("0.005");
    expect(setting(5.02674, 1)).toBe("5.03");
    expect(setting(1e-5, 6)).toBe("0.00001");
  });

  it("has units", () => {
    expect(bytes(4_512_345)).toBe("4.51 MB");
    expect(bytes(999)).toBe("999 bytes");
    expect(bytes(2_000_000_000)).toBe("2.00 GB");
    expect(milliseconds(312.44)).toBe("312");
    expect(percent(0.975)).toBe("97.5%");
    expect(percent(0.9)).toBe("90%");
    expect(significant(251.337)).toBe("251.3");
    expect(shortDigest(`sha256:${"ab".repeat(32)}`)).toBe("abababababab");
  });

  it("never shows a negative zero, at any number of decimals", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: -10, max: 10 }), fc.integer({ min: 0, max: 9 }), (value, decimals) => {
        const texts = [fixed(value, decimals, ascii), signed(value, decimals, ascii)];
        expect(texts.filter((text) => /^[-+]/.test(text) && Number(text.replaceAll(",", "")) === 0)).toEqual([]);
      }),
    );
  });
});

describe("a check's figures", () => {
  it("share their decimals", () => {
    expect(checkNumbers(check())).toEqual({
      unit: "",
      candidate: "0.9142",
      baseline: "0.9130",
      difference: "+0.0012",
      interval: "[−0.0031, +0.0056]",
      rule: "loss < 0.005",
    });
  });

  it("have fewer decimals when the interval is wide", () => {
    const wide = checkNumbers(
      check({
        metric: "mae",
        unit: "births",
        observed: 251.337,
        baseline: 249.812,
        difference: 1.525,
        margin: 4,
        interval: { low: -2.114, high: 5.302, level: 0.9, method: "BCa" },
      }),
    );
    expect(wide).toMatchObject({
      unit: "births",
      candidate: "251.3",
      baseline: "249.8",
      difference: "+1.5",
      interval: "[−2.1, +5.3]",
      rule: "loss < 4",
    });
  });

  it("are percentages where the difference is relative", () => {
    expect(isRelative(latencyCheck())).toBe(true);
    expect(isRelative(check())).toBe(false);
    expect(isRelative(limit({ scale: "relative" }))).toBe(false);
    expect(checkNumbers(latencyCheck())).toMatchObject({
      unit: "ms",
      candidate: "2.143",
      baseline: "2.102",
      difference: "+1.9%",
      interval: "[+0.4%, +3.5%]",
      rule: "loss < 10%",
    });
  });

  it("show bytes as megabytes, limit and difference included", () => {
    const size = limit({
      metric: "model_bytes",
      unit: "bytes",
      observed: 4_512_345,
      baseline: 4_498_112,
      difference: 14_233,
      limit: { min: null, max: 10_000_000, confident: false },
      direction: "lower",
    });
    expect(checkNumbers(size)).toMatchObject({
      unit: "MB",
      candidate: "4.512",
      baseline: "4.498",
      difference: "+0.014",
      rule: "≤ 10",
    });
  });

  it("show bytes beside a relative difference", () => {
    const grown = check({
      metric: "model_bytes",
      unit: "bytes",
      scale: "relative",
      observed: 2_200_000,
      baseline: 2_000_000,
      difference: 0.1,
      interval: null,
      margin: 0.05,
      direction: "lower",
    });
    expect(checkNumbers(grown)).toMatchObject({
      unit: "MB",
      candidate: "2.200",
      baseline: "2.000",
      difference: "+10.0%",
      rule: "loss < 5%",
    });
  });

  it("show enough decimals to see on which side of the limit a value lies", () => {
    expect(checkNumbers(limit({ observed: 0.8399996, baseline: null, difference: null })).candidate).toBe("0.8399996");
    expect(
      checkNumbers(check({ interval: { low: -0.0050004, high: 0.0056, level: 0.9, method: "DeLong" } })).interval,
    ).toBe("[−0.0050004, +0.0056000]");
  });

  it("show a dash for a missing figure, never 0", () => {
    expect(
      checkNumbers(check({ observed: null, baseline: null, difference: null, interval: null, margin: null })),
    ).toMatchObject({ candidate: "—", baseline: "—", difference: "—", interval: "", rule: "loss < ?" });
  });

  it("name the check with its options", () => {
    expect(checkName(check({ metric: "tpr_at_fpr", id: "tpr_at_fpr(at=0.01)@mood[a=b]/limit#2", head: "mood" }))).toBe(
      "tpr_at_fpr(at=0.01)@mood",
    );
    expect(checkName(check({ id: "<script>" }))).toBe("auroc");
  });
});

describe("the decision written out", () => {
  it("can be redone by hand", () => {
    expect(evidence(check(), ascii)).toEqual([
      "auroc, higher is better; on 3,000 rows or timed runs.",
      "candidate = 0.91424",
      "baseline = 0.91301",
      "difference = candidate - baseline = 0.91424 - 0.91301 = 0.00123",
      "90% interval of the difference = [-0.00312, 0.00558], by DeLong, paired",
      "one-sided error rate = (1 - 0.9) / 2 = 0.05",
      "PASS asks for: low end of the interval > -margin = -0.005; -0.00312 > -0.005 is true",
    ]);
  });

  it("says when the difference is estimated separately, or is a ratio", () => {
    expect(evidence(latencyCheck(), ascii)[3]).toBe(
      "difference = 0.0193, estimated from pairs (candidate / baseline - 1 = 2.143 / 2.102 - 1 = 0.01950523)",
    );
    expect(evidence(latencyCheck({ observed: 3, baseline: 2, difference: 0.5 }), ascii)[3]).toBe(
      "difference = candidate / baseline - 1 = 3 / 2 - 1 = 0.5",
    );
  });

  it.each([
    ["non-inferiority", "lower", "high end of the interval < margin = 0.005; 0.00558 < 0.005 is false"],
    ["superiority", "higher", "low end of the interval > margin = 0.005; -0.00312 > 0.005 is false"],
    ["superiority", "lower", "high end of the interval < -margin = -0.005; 0.00558 < -0.005 is false"],
  ] as const)("%s, %s is better", (kind, direction, words) =>
    expect(evidence(check({ kind, direction }), ascii).at(-1)).toBe(`PASS asks for: ${words}`),
  );

  it("requires both ends for equivalence, and nothing without a margin", () => {
    expect(evidence(check({ kind: "equivalence" }), ascii).slice(-2)).toEqual([
      "PASS asks for: low end of the interval > -margin = -0.005; -0.00312 > -0.005 is true",
      "PASS asks for: high end of the interval < margin = 0.005; 0.00558 < 0.005 is false",
    ]);
    expect(evidence(check({ margin: null }), ascii).at(-1)).toContain("nothing can be decided");
    expect(evidence(limit(), ascii).at(-1)).toBe("PASS asks for: candidate >= 0.84; 0.8721 >= 0.84 is true");
    const confident = limit({
      limit: { min: 0.84, max: null, confident: true },
      interval: { low: 0.83, high: 0.9, level: 0.9, method: "Wilson" },
    });
    expect(evidence(confident, ascii).at(-1)).toBe(
      "PASS asks for: low end of the interval >= 0.84; 0.83 >= 0.84 is false",
    );
  });
});

describe("text from outside", () => {
  it("stays on one line, without control, invisible or direction-changing characters", () => {
    expect(oneLine("a\u001b[31mb\nc\u202ed\u200be\u0000")).toBe("a [31mb c d e");
  });
  it("is cut between code points", () => {
    expect(cut("ab😀cd", 4)).toBe("ab…");
    expect(cut("abcd", 4)).toBe("abcd");
  });
});
