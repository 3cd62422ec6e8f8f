import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RandomStream } from "../../../../eval/stats/random.ts";
import { assignedArm, assignedToCandidate, assignmentFraction } from "../../../../models/core/assignment.ts";
import { detectorBets, observeChange, startEDetector } from "../../../../eval/stats/sequential/e-detector.ts";
import { alwaysValidP, type Arm, mixtureLikelihoodRatio } from "../../../../eval/stats/sequential/msprt.ts";
import {
  logSampleRatioEvidence,
  sampleRatioLimit,
  sampleRatioMismatch,
} from "../../../../eval/stats/sequential/sample-ratio.ts";
import { missing, referenceValues, where } from "../../../watch/reference.ts";

describe("mSPRT", () => {
  it("agrees with the reference where the variance is known, and at 10 rows", () => {
    expect(mixtureLikelihoodRatio(0.08, (2 * 0.09) / 100, 0.05)).toBeCloseTo(1.8188011083747526, 12);
    expect(mixtureLikelihoodRatio(0.1, 0.009, 0.05)).toBeCloseTo(0.9982133158672324, 12);
  });
  it("agrees with the reference on 44 and 69 of 500, and keeps the smallest p so far", () => {
    const [a, b] = [
      { successes: 44, rows: 500 },
      { successes: 69, rows: 500 },
    ];
    const look = alwaysValidP(a, b, 0.05);
    expect(look.ratio).toBeCloseTo(5.550508363038037, 10);
    expect(look.pValue).toBeCloseTo(1 / 5.550508363038037, 10);
    expect(alwaysValidP(a, b, 0.05, 0.14).pValue).toBe(0.14);
    // One arm larger than the other: each has its own share of the variance.
    expect(alwaysValidP({ successes: 440, rows: 5000 }, b, 0.05).ratio).toBeGreaterThan(look.ratio);
  });
  it.skipIf(missing)(`agrees with it on two arms of 1,000, looked at after each row ${where}`, () => {
    const { a, b, at } = referenceValues("canary", "msprt") as {
      a: string;
      b: string;
      at: Record<string, { lambda: number; alwaysValidP: number }>;
    };
    const [one, other] = [
      { successes: 0, rows: 0 },
      { successes: 0, rows: 0 },
    ];
    let pValue = 1;
    for (let i = 0; i < a.length; i++) {
      one.rows = other.rows = i + 1;
      one.successes += Number(a[i]);
      other.successes += Number(b[i]);
      const look = alwaysValidP(one, other, 0.05, pValue);
      pValue = look.pValue;
      const expected = at[String(i + 1)];
      if (expected === undefined) continue;
      expect(look.ratio / expected.lambda).toBeCloseTo(1, 9);
      expect(pValue).toBeCloseTo(expected.alwaysValidP, 9);
    }
  });
  it("of equal arms ever says p ≤ .05 in at most one of twenty of 400 seeded runs of 1,000 looks", () => {
    const random = new RandomStream(3);
    let wrong = 0;
    for (let run = 0; run < 400; run++) {
      const arms: [Arm, Arm] = [
        { successes: 0, rows: 0 },
        { successes: 0, rows: 0 },
      ];
      let pValue = 1;
      for (let row = 0; row < 1000; row++) {
        for (const arm of arms) {
          arm.rows++;
          if (random.uniform() < 0.05) arm.successes++;
        }
        ({ pValue } = alwaysValidP(arms[0], arms[1], 0.05, pValue));
      }
      if (pValue <= 0.05) wrong++;
    }
    expect(wrong / 400).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / 400));
  });
  it("without rows or variation says nothing and keeps the last p", () => {
    expect(alwaysValidP({ successes: 0, rows: 0 }, { successes: 1, rows: 2 }, 0.05, 0.3)).toMatchObject({
      pValue: 0.3,
    });
    expect(alwaysValidP({ successes: 0, rows: 5 }, { successes: 5, rows: 5 }, 0.05)).toMatchObject({
      pValue: 1,
      ratio: 1,
    });
  });
});

describe("sample ratio", () => {
  it.each([
    [5000, 5000, 0.5, -1.1991749090693702],
    [5000, 5200, 0.5, 0.5777841078734127],
    [9000, 1200, 0.1, 14.088805495913675],
    [9000, 1010, 0.1, -1.163011531954453],
  ])("of %d to %d at a share of %d agrees with the reference", (baseline, candidate, share, evidence) => {
    expect(logSampleRatioEvidence([baseline, candidate], [1 - share, share])).toBeCloseTo(evidence, 8);
    expect(sampleRatioMismatch([baseline, candidate], [1 - share, share])).toBe(evidence > Math.log(1000));
  });
  it("agrees with the reference's other concentrations", () => {
    expect(logSampleRatioEvidence([9000, 1200], [0.9, 0.1], 10)).toBeCloseTo(13.165900425174641, 8);
    expect(logSampleRatioEvidence([9000, 1200], [0.9, 0.1], 10_000)).toBeCloseTo(8.29641294453586, 7);
  });
  it("is 0 before the first unit, and the same in whatever order the arms stand", () => {
    expect(logSampleRatioEvidence([0, 0, 0], [0.2, 0.3, 0.5])).toBeCloseTo(0, 9);
    const a = logSampleRatioEvidence([10, 40, 50], [0.2, 0.3, 0.5]);
    expect(logSampleRatioEvidence([50, 10, 40], [0.5, 0.2, 0.3])).toBeCloseTo(a, 9);
  });
  it("is an e-value: one more unit of a random arm leaves its mean as it was", () => {
    fc.assert(
      fc.property(fc.nat(500), fc.nat(500), fc.double({ min: 0.05, max: 0.95, noNaN: true }), (a, b, share) => {
        const shares = [share, 1 - share];
        const evidence = (extra: readonly [number, number]) =>
          logSampleRatioEvidence([a + extra[0], b + extra[1]], shares, 50);
        const now = evidence([0, 0]);
        const gain = share * Math.exp(evidence([1, 0]) - now) + (1 - share) * Math.exp(evidence([0, 1]) - now);
        expect(gain).toBeCloseTo(1, 6);
      }),
    );
  });
  it("calls none of 200 honest seeded assignments broken, looked at after each of 1,000 units", () => {
    const random = new RandomStream(7);
    let broken = 0;
    for (let run = 0; run < 200; run++) {
      const counts = [0, 0];
      let wrong = false;
      for (let unit = 0; unit < 1000; unit++) {
        counts[random.uniform() < 0.1 ? 1 : 0]!++;
        wrong ||= sampleRatioMismatch(counts, [0.9, 0.1]);
      }
      if (wrong) broken++;
    }
    // At 1/1,000 a run, two of 200 would have a probability of .017.
    expect(broken).toBeLessThanOrEqual(1);
    expect(sampleRatioLimit).toBe(1000);
  });
  it("refuses shares that do not fit", () => {
    expect(() => logSampleRatioEvidence([1, 2], [0.5, 0.6])).toThrow(/add up to 1.*got 0.5, 0.6/);
    expect(() => logSampleRatioEvidence([1, 2], [1])).toThrow(/one per count/);
    expect(() => logSampleRatioEvidence([1, 2], [1, 0])).toThrow(/above 0/);
  });
});

describe("the change detector", () => {
  it("agrees with the reference after one and ten values of 0 against .1", () => {
    const detector = startEDetector(0.1);
    const seen = Array.from({ length: 10 }, () => observeChange(detector, 0));
    expect(seen[0]).toEqual({ sr: expect.closeTo(0.845, 12) as number, cusum: expect.closeTo(0.845, 12) as number });
    expect(seen[9]).toEqual({
      sr: expect.closeTo(5.454094064833945, 11) as number,
      cusum: expect.closeTo(0.845, 12) as number,
    });
  });
  it.skipIf(missing)(`agrees with the reference at each moment and alarm ${where}`, () => {
    const { x, m0, srAt, cusumAt, alarmSr, alarmCusum } = referenceValues("changeDetection", "eDetector") as {
      x: string;
      m0: number;
      srAt: Record<string, number>;
      cusumAt: Record<string, number>;
      alarmSr: number;
      alarmCusum: number;
    };
    const detector = startEDetector(m0);
    let first = { sr: 0, cusum: 0 };
    Array.from(x, Number).forEach((value, i) => {
      const { sr, cusum } = observeChange(detector, value);
      const at = i + 1;
      // The alarms are those of A = 1,000 for sr; its cusum alarm is at the same A.
      if (first.sr === 0 && sr >= 1000) first = { ...first, sr: at };
      if (first.cusum === 0 && cusum >= 1000) first = { ...first, cusum: at };
      if (String(at) in srAt) {
        expect(sr / srAt[String(at)]!).toBeCloseTo(1, 9);
        expect(cusum / cusumAt[String(at)]!).toBeCloseTo(1, 9);
      }
    });
    expect(first).toEqual({ sr: alarmSr, cusum: alarmCusum });
  });
  it("without a change runs A = 100 values or more on average over 400 seeded streams, and finds one sooner", () => {
    const random = new RandomStream(9);
    const until = (p: number) => {
      const detector = startEDetector(0.1);
      while (observeChange(detector, random.uniform() < p ? 1 : 0).sr < 100 && detector.count < 20_000);
      return detector.count;
    };
    const mean = (p: number) => Array.from({ length: 400 }, () => until(p)).reduce((sum, one) => sum + one / 400, 0);
    expect(mean(0.1)).toBeGreaterThan(100);
    expect(mean(0.3)).toBeLessThan(30);
  });
  it("leaves out bets that could go bankrupt, never overflows, and goes on from JSON", () => {
    expect(startEDetector(0.6).bets).toEqual(detectorBets.filter((one) => one < 1 / 0.6));
    let detector = startEDetector(0.1);
    for (let i = 0; i < 2000; i++) {
      observeChange(detector, 1);
      if (i === 5) detector = JSON.parse(JSON.stringify(detector)) as typeof detector;
    }
    const { sr, cusum } = observeChange(detector, 1);
    expect([sr, cusum].every((one) => Number.isFinite(one) && one > 1e300)).toBe(true);
  });
  it("refuses a mean at an end and a value outside [0, 1]", () => {
    expect(() => startEDetector(1)).toThrow(/between 0 and 1, got 1/);
    expect(() => observeChange(startEDetector(0.5), 2)).toThrow(/got 2/);
  });
});

describe("assignment", () => {
  it("is the first 52 bits of SHA-256 of salt:test:unit", () => {
    // printf 's:t:u' | sha256sum
    expect(assignmentFraction("s", "t", "u")).toBeCloseTo(0x3cda3a2d / 2 ** 32, 9);
  });
  it("keeps everybody who has the candidate as the share grows", () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.string(), share, share, (unit, a, b) => {
        const [small, large] = a < b ? [a, b] : [b, a];
        if (assignedToCandidate("s", "t", unit, small)) expect(assignedToCandidate("s", "t", unit, large)).toBe(true);
      }),
    );
    const exactly = assignmentFraction("s", "t", "u");
    expect(assignedToCandidate("s", "t", "u", exactly)).toBe(false);
    expect(assignedToCandidate("s", "t", "u", 0)).toBe(false);
    expect(assignedToCandidate("s", "t", "u", 1)).toBe(true);
  });
  it("spreads units evenly, and independently of another test", () => {
    const units = Array.from({ length: 20_000 }, (_, i) => `user-${i}`);
    const tenths = Array.from({ length: 10 }, () => 0);
    let both = 0;
    for (const unit of units) {
      tenths[Math.floor(10 * assignmentFraction("salt", "one", unit))]!++;
      if (assignedToCandidate("salt", "one", unit, 0.5) && assignedToCandidate("salt", "two", unit, 0.5)) both++;
    }
    // χ² of nine degrees of freedom: 27.9 has p = .001.
    expect(tenths.reduce((sum, count) => sum + (count - 2000) ** 2 / 2000, 0)).toBeLessThan(27.9);
    expect(Math.abs(both / 20_000 - 0.25)).toBeLessThan(0.01);
  });
  it("gives several arms their shares, in order, the rest to the last that has any", () => {
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 10_000; i++) counts[assignedArm("s", "t", String(i), [0.1, 0.2, 0.7, 0])]!++;
    expect(counts[3]).toBe(0);
    expect(sampleRatioMismatch(counts.slice(0, 3), [0.1, 0.2, 0.7])).toBe(false);
    expect(() => assignedArm("s", "t", "u", [0.5])).toThrow(/add up to 1 are expected, got 0.5/);
  });
});
