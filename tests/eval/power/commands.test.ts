import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { calibrationFile } from "../../../eval/schema/calibration.ts";
import { planFile } from "../../../eval/schema/plan.ts";
import { teamRepository, type TeamRepository } from "../../cli/repository.ts";
import { sluice } from "../../cli/sluice.ts";

let team: TeamRepository;
beforeEach(() => {
  team = teamRepository();
});
afterEach(() => team.remove());

const run = (...args: string[]) => sluice(team.dir, args);
const gates = (margin: number) => ({
  gates: {
    checks: [
      { kind: "non-inferiority" as const, metric: "mae" as const, margin },
      { kind: "non-inferiority" as const, metric: "mae" as const, margin: 0.4, slices: ["half"] },
      { kind: "limit" as const, metric: "rmse" as const, max: 2 },
    ],
  },
});
const merge = (margin: number) => {
  team.model({ version: "1.0.0", ...gates(margin) });
  team.git("commit", "-qam", "gates");
};

describe("sluice plan", () => {
  it("prints what each check can decide for these two models, and exits 0", async () => {
    merge(0.3);
    team.model({ ...gates(0.3), offset: 0.3 });
    const found = await run("plan", "--json");
    expect(found.code, found.stderr).toBe(0);
    const [model] = planFile.parse(JSON.parse(found.stdout)).models;
    expect(model).toMatchObject({
      model: "linear",
      candidate: "1.1.0",
      baseline: "1.0.0",
      dataset: { rows: 200 },
      assumption: expect.stringContaining("as differently from the baseline"),
    });
    expect(model?.checks.map(({ metric, slice, kind, n }) => [metric, slice, kind, n])).toEqual([
      ["mae", "all", "non-inferiority", 200],
      ["mae", "half=even", "non-inferiority", 100],
      ["mae", "half=odd", "non-inferiority", 100],
      ["rmse", "all", "limit", 200],
    ]);
    for (const check of model?.checks ?? []) expect(check.standardError).toBeGreaterThan(0);
    expect(model?.expectedFalseRed?.counted).toBe(4);
    expect(model?.expectedMinutes.predicting).toBeGreaterThan(0);
    const table = await run("plan", "linear");
    expect(table.stdout).toMatch(
      /linear 1\.1\.0 against 1\.0\.0[\s\S]*loss < 0\.3[\s\S]*Expected false-red rate[\s\S]*Expected time here/,
    );
    expect(Math.max(...table.stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it("exits 2 on a margin that the rows cannot reach, and says how many rows would be enough", async () => {
    merge(0.001);
    team.model({ ...gates(0.001), offset: 0.3 });
    const found = await run("plan");
    expect(found.code).toBe(2);
    expect(found.stderr).toMatch(
      /linear: mae: a margin of 0\.001 cannot be reached with 200 rows[\s\S]*About [\d,]+ rows of this kind would do/,
    );
    expect(found.stdout).toContain("refused: a margin of 0.001");
  });

  it("says whose thresholds it plans for, and which of the candidate's do not count", async () => {
    merge(0.3);
    team.model({ ...gates(0.001), offset: 0.3 });
    const found = await run("plan");
    expect(found.code, found.stdout).toBe(0);
    const words = found.stdout.replaceAll(/\s+/g, " ");
    expect(words).toMatch(
      /Thresholds from model\.yaml at merge base with main, [0-9a-f]{7}: the candidate's own gates\.checks\[0\]\.margin/,
    );
    expect(words).toContain("not count until merged");
  });

  it("with one model gives the rows for errors that agree much and little, in words", async () => {
    const maeAt = async (margin: number) => {
      team.model(gates(margin));
      const found = await run("plan", "--baseline", "none", "--json");
      return planFile.parse(JSON.parse(found.stdout)).models[0]!.checks[0];
    };
    // A wide margin needs few rows, but never fewer than the gate decides on at all.
    expect((await maeAt(10))!.rowsNeeded).toBe(30);
    const mae = await maeAt(0.01);
    // The variance of a difference is proportional to 1 - correlation: ten times the rows from 0.95 to 0.5.
    expect(mae!.rowsNeededAtMost! / mae!.rowsNeeded!).toBeCloseTo(10, 1);
    const words = (await run("plan", "--baseline", "none")).stdout.replaceAll(/\s+/g, " ");
    expect(words).toContain("there is only one model to look at (no baseline was asked for)");
    expect(words).toContain("down to 0.5; a gate with both models measures it");
    expect(words).not.toContain("none asked for");
  });

  it("assumes a second model with the given correlation when there is none that differs", async () => {
    const errorAt = async (correlation: string) => {
      const found = await run("plan", "--baseline", "none", "--correlation", correlation, "--json");
      const [model] = planFile.parse(JSON.parse(found.stdout)).models;
      expect(model?.assumption).toContain(`a correlation of ${correlation}`);
      return model?.checks[1]?.standardError as number;
    };
    expect((await errorAt("0.5")) / (await errorAt("0.98"))).toBeCloseTo(5, 9);
  });
});

describe("sluice calibrate", () => {
  it("shuffles the two models into ones that do not differ: a small margin is often red by chance, a large one never", async () => {
    merge(0.001);
    team.model({ ...gates(0.001), offset: 0.3 });
    const found = await run("calibrate", "--gates", "40", "--json");
    expect(found.code, found.stderr).toBe(0);
    const [model] = calibrationFile.parse(JSON.parse(found.stdout)).models;
    expect(model).toMatchObject({ model: "linear", gates: 40 });
    const [all, even] = model?.checks ?? [];
    expect(all?.notPass.rate).toBeGreaterThan(0.5);
    expect(even?.notPass.rate).toBe(0);
    expect(all?.holdingMargin).toBeGreaterThan(0.001);
    expect(even?.holdingMargin).toBeLessThan(0.4);
    expect(model?.notPass?.count).toBeGreaterThanOrEqual(all?.notPass.count as number);
    // One-sided alpha 0.05 against a loss beyond 0.001: a few FAILs of 40 would be chance, more would be a bug.
    expect(model?.fail?.count).toBeLessThanOrEqual(7);
    expect((await run("calibrate", "--gates", "40", "--json")).stdout.replace(/"createdAt.*/, "")).toBe(
      found.stdout.replace(/"createdAt.*/, ""),
    );
  });

  it("draws nothing when there is nothing to shuffle, and says why", async () => {
    const same = await run("calibrate");
    expect(same.code, same.stderr).toBe(0);
    expect(same.stdout).toContain("the candidate is the baseline");
    expect((await run("calibrate", "--baseline", "none")).stdout).toContain(
      "there is no baseline to shuffle the candidate with",
    );
  });

  it.each([
    [["calibrate", "--rate", "5"], /between 0 and 1/],
    [["plan", "--correlation", "1"], /between 0 and 1/],
    [["plan", "nobody"], /no such model/],
  ])("exit 2: sluice %j", async (args, message) => {
    const found = await run(...args);
    expect(found.code).toBe(2);
    expect(found.stderr).toMatch(message);
  });
});
