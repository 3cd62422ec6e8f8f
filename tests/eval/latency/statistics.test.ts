import { describe, expect, it } from "vitest";
import { nominalLevels, pocockSpending } from "../../../eval/latency/group-sequential-boundary.ts";
import { allowedProcessors, processorsOfRound } from "../../../eval/latency/processors.ts";
import { hodgesLehmann } from "../../../eval/latency/hodges-lehmann.ts";
import { quantile } from "../../../eval/stats/quantile.ts";
import { queriesNeeded } from "../../../eval/latency/queries-needed.ts";
import { blockOrder, planRounds, shapeRound } from "../../../eval/latency/schedule.ts";
import { interimRounds } from "../../../eval/latency/sequential-test.ts";
import { signedRankCdf } from "../../../eval/latency/signed-rank.ts";
import { stable, warmUp } from "../../../eval/latency/warm-up.ts";
import { decideComparison, type Comparison } from "../../../eval/stats/decide.ts";
import { normalCdf, normalQuantile } from "../../../eval/stats/normal.ts";
import { RandomStream } from "../../../eval/stats/random.ts";

describe("group-sequential boundary", () => {
  const fifths = [0.2, 0.4, 0.6, 0.8, 1];
  const z = (levels: number[]) => levels.map((level) => -normalQuantile(level));

  it("agrees with Lan-DeMets boundaries of R's ldbounds at alpha 0.025 (one-sided, five equal looks)", () => {
    z(nominalLevels(fifths, 0.025, pocockSpending)).forEach((value, i) =>
      expect(value).toBeCloseTo([2.438, 2.4268, 2.4101, 2.3966, 2.3859][i] as number, 3),
    );
    const obrienFleming = (alpha: number, t: number) => 2 * normalCdf(normalQuantile(alpha / 2) / Math.sqrt(t));
    z(nominalLevels(fifths, 0.025, obrienFleming)).forEach((value, i) =>
      expect(value).toBeCloseTo([4.8769, 3.3569, 2.6803, 2.2898, 2.031][i] as number, 3),
    );
  });

  it("is the plain level for a single look, and spends all of alpha in the end", () => {
    expect(nominalLevels([1], 0.05, pocockSpending)[0]).toBeCloseTo(0.05, 9);
    expect(pocockSpending(0.05, 0)).toBe(0);
    expect(pocockSpending(0.05, 1)).toBeCloseTo(0.05, 12);
    expect(pocockSpending(0.05, 7)).toBeCloseTo(0.05, 12);
  });

  it("does not change when a later look is changed", () => {
    expect(nominalLevels([0.2, 0.5, 1], 0.05, pocockSpending).slice(0, 2)).toEqual(
      nominalLevels([0.2, 0.5, 0.7, 1], 0.05, pocockSpending).slice(0, 2),
    );
  });
});

describe("signed rank and Hodges-Lehmann", () => {
  it("agrees with R's psignrank", () => {
    const ten = signedRankCdf(10);
    expect([0, 5, 10, 20, 27].map((w) => ten[w])).toEqual([0.0009765625, 0.009765625, 0.0419921875, 0.24609375, 0.5]);
    const sixty = signedRankCdf(60);
    [4.52596293776254e-12, 9.55103700458648e-4, 4.57811229239451e-1, 9.82546930901323e-1].forEach((p, i) =>
      expect((sixty[[100, 500, 900, 1200][i] as number] as number) / p).toBeCloseTo(1, 12),
    );
  });

  it("agrees with R's wilcox.test(x, conf.int = TRUE, exact = TRUE)", () => {
    const x = [0.3, -0.1, 1.2, 0.55, 0.71, -0.42, 0.9, 1.6, 0.05, 0.33];
    const near = ({ estimate, low, high }: ReturnType<typeof hodgesLehmann>) =>
      [estimate, low, high].map((value) => Number(value.toFixed(12)));
    expect(near(hodgesLehmann(x, 0.05))).toEqual([0.505, 0.115, 0.9]);
    expect(near(hodgesLehmann(x, 0.005))).toEqual([0.505, -0.1, 1.2]);
  });

  it("gives no bounded interval for too few values", () => {
    expect(hodgesLehmann([0.1, 0.2, 0.3, 0.4], 0.05)).toMatchObject({
      low: Number.NEGATIVE_INFINITY,
      high: Number.POSITIVE_INFINITY,
    });
    expect(hodgesLehmann([0.1, 0.2, 0.3, 0.4, 0.5], 0.05)).toMatchObject({ low: 0.1, high: 0.5 });
  });

  it("gives no estimate when one value is not a number", () => {
    for (const bad of [Number.NaN, Number.NEGATIVE_INFINITY])
      expect(hodgesLehmann([1, 2, 3, 4, 5, 6, 7, 8, bad], 0.05)).toEqual({
        estimate: Number.NaN,
        low: Number.NEGATIVE_INFINITY,
        high: Number.POSITIVE_INFINITY,
      });
    expect(hodgesLehmann([], 0.05).estimate).toBeNaN();
  });

  it("is not moved far by an outlier", () => {
    const calm = hodgesLehmann([1, 2, 3, 4, 5, 6, 7, 8], 0.01);
    expect(hodgesLehmann([1, 2, 3, 4, 5, 6, 7, 1e9], 0.01).estimate - calm.estimate).toBeLessThan(1);
  });
});

describe("decisions on a ratio", () => {
  const decide = (kind: Comparison, low: number, high: number, margin: number) =>
    decideComparison(kind, { low: low - 1, high: high - 1 }, margin, "lower");

  it.each([
    ["non-inferiority", 0.97, 1.04, "pass"],
    ["non-inferiority", 1.02, 1.08, "inconclusive"],
    ["non-inferiority", 1.051, 1.2, "fail"],
    ["non-inferiority", 0.1, 0.2, "pass"],
    ["superiority", 0.9, 0.94, "pass"],
    ["superiority", 0.9, 0.96, "inconclusive"],
    ["superiority", 0.96, 1.2, "fail"],
    ["equivalence", 0.96, 1.04, "pass"],
    ["equivalence", 0.94, 1.04, "inconclusive"],
    ["equivalence", 0.5, 0.94, "fail"],
    ["equivalence", 1.06, 1.2, "fail"],
  ] as const)("%s, interval %d to %d, margin 5 %%: %s", (kind, low, high, decision) => {
    expect(decide(kind, low, high, 0.05)).toBe(decision);
  });

  it("is inconclusive exactly at the bound, and for an unbounded interval", () => {
    expect(decide("non-inferiority", 1, 1.25, 0.25)).toBe("inconclusive");
    expect(decide("non-inferiority", 1.25, 1.5, 0.25)).toBe("inconclusive");
    expect(decide("non-inferiority", 0, Number.POSITIVE_INFINITY, 0.05)).toBe("inconclusive");
    expect(decide("equivalence", Number.NaN, Number.NaN, 0.05)).toBe("inconclusive");
  });
});

describe("schedule", () => {
  it("is a palindrome of all four processes in every block, and each process comes first in some blocks", () => {
    const random = new RandomStream(5);
    const orders = Array.from({ length: 200 }, () => blockOrder(random));
    for (const order of orders) {
      expect(order.toReversed()).toEqual(order);
      expect(new Set(order.slice(0, 4)).size).toBe(4);
    }
    expect(new Set(orders.map((order) => order[0])).size).toBe(4);
    expect(blockOrder(new RandomStream(5))).toEqual(orders[0]);
  });

  it("looks from the seventh round on, at growing distances, and always at the end", () => {
    expect(interimRounds(40)).toEqual([7, 9, 11, 14, 18, 23, 29, 36, 40]);
    expect(interimRounds(7)).toEqual([7]);
    expect(interimRounds(5)).toEqual([5]);
  });

  it("plans as many rounds as fit into the cap, and never fewer than have already run", () => {
    expect(planRounds(1, 5_000, 5_000, 120_000)).toBe(24);
    expect(planRounds(2, 7_000, 2_000, 120_000)).toBe(58);
    expect(planRounds(2, 500, 100, 120_000)).toBe(100);
    expect(planRounds(1, 5_000, 5_000, 1)).toBe(1);
  });

  it("shapes the rounds of models that take microseconds and of those that take long", () => {
    expect(shapeRound(0.01, 500)).toEqual({ calls: 150, lead: 20, blocks: 21 });
    expect(shapeRound(120, 6000)).toEqual({ calls: 1, lead: 0, blocks: 5 });
    expect(shapeRound(1e-6, 100).calls).toBe(2000);
  });

  it("gives a round as many processors as the model has threads, others in the next round, and none when a model uses them all", () => {
    expect(allowedProcessors("Name:\tnode\nCpus_allowed_list:\t0-2,5,8-9\nMems_allowed_list:\t0\n")).toEqual([
      0, 1, 2, 5, 8, 9,
    ]);
    expect(allowedProcessors("")).toEqual([]);
    expect([0, 1, 2, 3].map((round) => processorsOfRound([0, 1, 2], 1, round))).toEqual([[0], [1], [2], [0]]);
    expect([0, 1].map((round) => processorsOfRound([0, 1, 2], 2, round))).toEqual([
      [0, 1],
      [2, 0],
    ]);
    expect(processorsOfRound([4, 5], 2, 0)).toBeNull();
    expect(processorsOfRound([], 1, 0)).toBeNull();
  });

  it("calls a process warm when five stretches agree within 2 %", () => {
    expect(stable([10, 1, 1.01, 1, 1.005, 1.02])).toBe(true);
    expect(stable([1, 1.01, 1, 1])).toBe(false);
    expect(stable([1, 1, 1, 1, 1.03])).toBe(false);
  });

  it("warms up for the given processor time, or for five times as long by the clock", async () => {
    const clock = { wall: 0, used: 0, calls: 0 };
    const run = (share: number) =>
      warmUp(
        async () => {
          clock.calls++;
          clock.wall += clock.calls % 50 < 25 ? 1 : 2;
          clock.used = clock.wall * share;
        },
        100,
        () => clock.wall,
        () => clock.used,
      );
    await run(1);
    expect(clock.wall).toBeGreaterThanOrEqual(100);
    expect(clock.wall).toBeLessThan(130);
    Object.assign(clock, { wall: 0, used: 0, calls: 0 });
    await run(0.01);
    expect(clock.wall).toBeGreaterThanOrEqual(500);
    expect(clock.wall).toBeLessThan(530);
  });
});

describe("tails", () => {
  it("needs as many queries as MLPerf requires", () => {
    expect([0.9, 0.95, 0.99].map(queriesNeeded)).toEqual([24_576, 57_344, 270_336]);
  });

  it("has R's and NumPy's default quantile", () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([4, 1, 3, 2], 0.95)).toBeCloseTo(3.85, 12);
    expect(quantile([7], 0.99)).toBe(7);
    expect(quantile([], 0.5)).toBeNaN();
  });
});
