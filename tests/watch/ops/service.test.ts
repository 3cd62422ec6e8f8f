import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { budgetSpent, burnRate, burnRules, judgeBurn, type RequestCounts } from "../../../watch/ops/burn-rate.ts";
import { doraFigures, type DeploymentRecord } from "../../../watch/ops/dora.ts";
import { missing, referenceValues, where } from "../reference.ts";

const hourMs = 3_600_000;

describe("burn rate", () => {
  it("is the share of bad requests over what is allowed", () => {
    expect(burnRate({ bad: 180, all: 12_000 }, 0.999)).toBeCloseTo(15, 9);
    expect(budgetSpent(15, hourMs)).toBeCloseTo(0.020833333333333315, 12);
    expect(burnRate({ bad: 0, all: 0 }, 0.999)).toBeNaN();
    expect(() => burnRate({ bad: 0, all: 1 }, 99.9)).toThrow(/share between 0 and 1, got 99.9; for example 0.999/);
  });

  it("has the workbook's windows", () => {
    expect(burnRules.map(({ severity, longMs, shortMs }) => [severity, longMs / hourMs, shortMs / hourMs])).toEqual([
      ["page", 1, 1 / 12],
      ["page", 6, 1 / 2],
      ["ticket", 72, 6],
    ]);
  });

  it.skipIf(missing)(`has the workbook's rules ${where}`, () => {
    const rules = referenceValues("operations", "burnRate", "rules") as {
      burn: number;
      budgetShare: number;
      long: string;
    }[];
    expect(burnRules.map(({ burn }) => burn)).toEqual(rules.map(({ burn }) => burn));
    burnRules.forEach(({ burn, longMs }, i) => expect(budgetSpent(burn, longMs)).toBeCloseTo(rules[i]!.budgetShare, 9));
  });

  const at = (long: [number, number], short: [number, number], hours = 1) => {
    const windows = new Map<number, RequestCounts>();
    const rule = burnRules.find(({ longMs }) => longMs === hours * hourMs)!;
    windows.set(rule.longMs, { bad: long[0], all: long[1] });
    windows.set(rule.shortMs, { bad: short[0], all: short[1] });
    return judgeBurn((windowMs) => windows.get(windowMs) ?? { bad: 0, all: 0 }, 0.999, [rule]);
  };
  it.each([
    ["both windows burn", [180, 12_000], [20, 1000], 1, "FAIL"],
    ["the short window has calmed down", [180, 12_000], [5, 1000], 1, "PASS"],
    ["the long window does not burn yet", [100, 12_000], [20, 1000], 1, "PASS"],
    ["six hours burn slower", [500, 72_000], [45, 6000], 6, "FAIL"],
    ["one of fifty failed: too few to page", [1, 50], [1, 5], 1, "PASS"],
    ["there was no traffic", [0, 0], [0, 0], 1, "INCONCLUSIVE"],
    ["the short window is empty", [180, 12_000], [0, 0], 1, "PASS"],
  ] as const)("%s", (_, long, short, hours, verdict) => {
    expect(at([...long], [...short], hours).verdict).toBe(verdict);
  });
  it("says what it saw and how much of the budget is gone", () => {
    const [alert] = at([180, 12_000], [20, 1000]).alerts;
    expect(alert).toMatchObject({ severity: "page", burn: 14.4, burnLong: expect.closeTo(15, 9) as number });
    expect(alert?.burnShort).toBeCloseTo(20, 9);
  });
});

describe("DORA's figures", () => {
  const time = (text: string) => Date.parse(`${text}Z`);
  const day = (text: string) => time(`2026-03-${text}:00:00`);
  const deployments: DeploymentRecord[] = [
    { id: "1", succeededAt: day("02T10"), commits: ["a", "b"] },
    { id: "2", succeededAt: day("05T12"), commits: ["c"] },
    { id: "3", succeededAt: day("05T13"), commits: [], restores: "2", unplanned: true },
    { id: "4", succeededAt: null, commits: ["d"] },
    { id: "5", succeededAt: day("24T10"), commits: ["d", "c"] },
  ];
  const commits = [
    { sha: "a", at: day("02T08") },
    { sha: "b", at: day("01T10") },
    { sha: "c", at: day("05T09") },
    { sha: "d", at: day("22T10") },
  ];
  const period = [day("01T00"), day("29T00")] as const;

  it("of five deployments, of which one failed and one never succeeded", () => {
    expect(doraFigures({ deployments, commits }, ...period)).toEqual({
      deployments: 4,
      deploymentsPerWeek: 1,
      // 2, 24, 3 and 48 hours; c ships once.
      leadTimeMedianMs: 13.5 * hourMs,
      changeFailureRate: 0.25,
      recoveryMedianMs: hourMs,
      unrestored: 0,
      reworkRate: 0.25,
    });
  });
  it.skipIf(missing)(`agree with the reference's eight deployments ${where}`, () => {
    const reference = referenceValues("operations", "dora") as {
      deployments: { id: number; success: string | null; commits: string[]; unplanned: boolean; restores?: number }[];
      deploymentsPerWeek: number;
      leadTimeMedianHours: number;
      changeFailureRate: number;
      recoveryMedianHours: number;
      reworkRate: number;
    };
    const records = reference.deployments.map(({ id, success, commits: at, unplanned, restores }) => ({
      id: String(id),
      succeededAt: success === null ? null : time(success),
      // The reference gives times; each stands for its own commit.
      commits: at,
      restores: restores === undefined ? null : String(restores),
      unplanned,
    }));
    const all = records.flatMap((one) => one.commits).map((sha) => ({ sha, at: time(sha) }));
    const figures = doraFigures({ deployments: records, commits: all }, day("01T00"), day("29T00"));
    expect(figures.deploymentsPerWeek).toBeCloseTo(reference.deploymentsPerWeek, 12);
    expect(figures.leadTimeMedianMs! / hourMs).toBeCloseTo(reference.leadTimeMedianHours, 9);
    expect(figures.changeFailureRate).toBeCloseTo(reference.changeFailureRate, 12);
    expect(figures.recoveryMedianMs! / hourMs).toBeCloseTo(reference.recoveryMedianHours, 9);
    expect(figures.reworkRate).toBeCloseTo(reference.reworkRate, 12);
  });
  it("count an incident as a failure, restored or not", () => {
    const incidents = [{ deployment: "1", restoredAt: day("02T12") }, { deployment: "5" }];
    expect(doraFigures({ deployments, commits, incidents }, ...period)).toMatchObject({
      changeFailureRate: 0.75,
      recoveryMedianMs: 1.5 * hourMs,
      unrestored: 1,
    });
  });
  it("count what succeeded within the period, its start included and its end not", () => {
    const between = (from: string, to: string) => doraFigures({ deployments, commits }, day(from), day(to));
    expect(between("05T12", "05T13")).toMatchObject({
      deployments: 1,
      leadTimeMedianMs: 3 * hourMs,
      // The restoration comes after the period and counts for what failed in it.
      changeFailureRate: 1,
      recoveryMedianMs: hourMs,
    });
    expect(between("05T13", "24T10")).toMatchObject({ deployments: 1, leadTimeMedianMs: null, reworkRate: 1 });
    expect(between("06T00", "29T00")).toMatchObject({ deployments: 1, leadTimeMedianMs: 48 * hourMs });
  });
  it("leave a commit whose time is not known out of the lead time", () => {
    const known = commits.filter(({ sha }) => sha !== "b");
    expect(doraFigures({ deployments, commits: known }, ...period).leadTimeMedianMs).toBe(3 * hourMs);
  });
  it("of nothing are null, not 0 and not NaN", () => {
    expect(doraFigures({ deployments: [], commits: [] }, ...period)).toEqual({
      deployments: 0,
      deploymentsPerWeek: 0,
      leadTimeMedianMs: null,
      changeFailureRate: null,
      recoveryMedianMs: null,
      unrestored: 0,
      reworkRate: null,
    });
    expect(() => doraFigures({ deployments, commits }, 5, 5)).toThrow(/start before its end/);
  });
  it("do not depend on the order of the records", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(deployments, { minLength: 5 }), (shuffled) => {
        expect(doraFigures({ deployments: shuffled, commits }, ...period)).toEqual(
          doraFigures({ deployments, commits }, ...period),
        );
      }),
    );
  });
});
