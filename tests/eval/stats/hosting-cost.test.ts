import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { costOf, type Hosting, whatIf } from "../../../eval/stats/hosting-cost.ts";

describe("cost per 1,000 answers", () => {
  const basic: Hosting = { name: "cpu", pricePerHour: 0.03, throughputPerSecond: 10 };
  it("includes the idle hours", () => {
    // Two hours of 3,600 and 0 answers on one replica.
    const cost = costOf(basic, [3600, 0]);
    expect(cost.per1000).toBeCloseTo((1000 * 0.06) / 3600, 12);
    expect(cost.utilisation).toBeCloseTo(3600 / 72_000, 12);
    expect(cost.per1000AtFullUse).toBeCloseTo(0.03 / 36, 12);
  });
  it("starts another replica where one would be used above 70 %", () => {
    expect(costOf(basic, [25_000]).replicaHours).toBe(1);
    expect(costOf(basic, [25_300]).replicaHours).toBe(2);
  });
  it("of a hosting that sleeps has no hours after the idle ones", () => {
    expect(costOf({ ...basic, sleepsAfterHours: 1 }, [5, 0, 0, 0, 5, 0]).replicaHours).toBe(4);
    expect(costOf({ ...basic, sleepsAfterHours: 0 }, [0, 5, 0]).replicaHours).toBe(1);
  });
  it("ranks what could be instead, those that were not measured last", () => {
    const options = [
      { ...basic, name: "gpu", throughputPerSecond: null },
      basic,
      { ...basic, name: "int8", throughputPerSecond: 20 },
      { ...basic, name: "spot", pricePerHour: 0.01, interruptedShare: 0.1 },
    ];
    expect(whatIf(options, [90_000, 90_000]).map(({ name }) => name)).toEqual(["spot", "int8", "cpu", "gpu"]);
    expect(whatIf(options, [90_000]).at(-1)?.reason).toMatch(/not measured/);
  });
  it("without answers is unknown, and without a sensible hosting refused", () => {
    expect(costOf(basic, [0, 0])).toMatchObject({ per1000: null, reason: "there were no answers", total: 0.06 });
    expect(costOf(basic, []).per1000).toBeNull();
    expect(() => costOf({ ...basic, throughputPerSecond: 0 }, [1])).toThrow(/cpu needs a throughput above 0/);
    expect(() => costOf({ ...basic, interruptedShare: 1 }, [1])).toThrow(/interrupted share below 1/);
    expect(costOf({ ...basic, pricePerHour: 0 }, [1]).per1000).toBe(0);
  });
  it("is never below that of full use", () => {
    const hours = fc.array(fc.nat(80_000), { minLength: 1 }).filter((all) => all.some((one) => one > 0));
    const gap = (all: number[]) => {
      const { per1000, per1000AtFullUse } = costOf(basic, all);
      return per1000! - per1000AtFullUse!;
    };
    expect(() => fc.assert(fc.property(hours, (all) => gap(all) >= -1e-12))).not.toThrow();
  });
});
