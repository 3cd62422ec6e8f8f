import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { judgeModel } from "../../../eval/judge/judge.ts";
import { applyWaivers } from "../../../eval/judge/apply-waivers.ts";
import { verdictFile, type VerdictWord } from "../../../eval/schema/verdict.ts";
import { waiver, type Waiver } from "../../../eval/schema/waivers.ts";
import { teamRepository, type TeamRepository } from "../../cli/repository.ts";
import { sluice } from "../../cli/sluice.ts";
import { check } from "../report/builders.ts";

const today = "2026-06-15";
const agreed = (change: Partial<Waiver> = {}): Waiver =>
  waiver.parse({ model: "mood", metric: "auroc", reason: "relabelling under way", expires: "2026-06-15", ...change });
const failing = (verdict: VerdictWord) => check({ verdict, reason: "shown to be worse by more than the margin" });

describe("a waiver", () => {
  it.each(["FAIL", "INCONCLUSIVE"] as const)(
    "keeps a check that is %s from deciding through its last day, with its reason in the report",
    (verdict) => {
      const {
        checks: [one],
        notes,
      } = applyWaivers([failing(verdict)], [agreed()], today);
      expect(one).toMatchObject({
        verdict,
        advisory: true,
        waiver: { reason: "relabelling under way", expires: "2026-06-15" },
      });
      expect(one?.reason).toContain("waived until 2026-06-15: relabelling under way");
      expect(notes).toEqual([]);
    },
  );

  it.each(["FAIL", "INCONCLUSIVE"] as const)(
    "that has expired makes a check that is %s fail, and says so",
    (verdict) => {
      const {
        checks: [one],
      } = applyWaivers([failing(verdict)], [agreed()], "2026-06-16");
      expect(one).toMatchObject({
        verdict: "FAIL",
        advisory: false,
        reason: expect.stringContaining("its waiver expired on 2026-06-15: relabelling under way"),
      });
    },
  );

  it.each(["ERROR", "INCOMPARABLE"] as const)("never covers %s", (verdict) => {
    const before = failing(verdict);
    const { checks, notes } = applyWaivers([before], [agreed()], today);
    expect(checks).toEqual([before]);
    expect(notes[0]).toContain(`its check is ${verdict}, which no waiver covers`);
  });

  it("leaves a passing check as it is, and is listed as unused", () => {
    expect(applyWaivers([check()], [agreed()], today)).toEqual({
      checks: [check()],
      notes: ["Unused waiver, valid until 2026-06-15, for auroc: its check passes."],
    });
    expect(applyWaivers([check()], [agreed({ slice: "source=imdb" })], "2026-07-01").notes).toEqual([
      "Unused waiver, expired on 2026-06-15, for auroc on source=imdb: no check fits it.",
    ]);
  });

  it("matches metric and slice, and also kind and head when it names them", () => {
    const fits = (change: Partial<Waiver>) =>
      applyWaivers(
        [check({ verdict: "FAIL", head: "mood", slice: "source=imdb" })],
        [agreed({ slice: "source=imdb", ...change })],
        today,
      ).checks[0]?.advisory;
    expect(fits({})).toBe(true);
    expect(fits({ kind: "non-inferiority", head: "mood" })).toBe(true);
    for (const other of [
      { slice: "all" },
      { slice: "source=yelp" },
      { metric: "accuracy" as const },
      { kind: "limit" as const },
      { head: "other" },
    ])
      expect(fits(other)).toBe(false);
  });

  it("that is still valid outweighs an expired one for the same check", () => {
    expect(
      applyWaivers([failing("FAIL")], [agreed({ expires: "2026-01-01" }), agreed({ expires: "2026-12-31" })], today)
        .checks[0],
    ).toMatchObject({ advisory: true, waiver: { expires: "2026-12-31" } });
  });

  it("never makes a model pass by leaving nothing to decide", () => {
    const { checks } = applyWaivers([failing("FAIL")], [agreed()], today);
    expect(judgeModel(checks)).toMatchObject({
      verdict: "INCONCLUSIVE",
      reason: expect.stringContaining("waivers leave none"),
    });
    expect(judgeModel([...checks, check({ metric: "accuracy" })])).toMatchObject({
      verdict: "PASS",
      reason: "the deciding check passes; 1 waived",
    });
  });

  it("has a reason and a real date", () => {
    for (const broken of [{ reason: " " }, { expires: "soon" }, { expires: "2026-02-30" }, { metric: "auc" }])
      expect(waiver.safeParse({ ...agreed(), ...broken }).success).toBe(false);
  });
});

describe("waivers.yaml in a repository", () => {
  let team: TeamRepository;
  beforeEach(() => {
    team = teamRepository();
  });
  afterEach(() => team.remove());

  const entry = (expires: string) =>
    `schemaVersion: 1\nwaivers:\n  - {model: linear, metric: mae, reason: the sensor was moved, expires: ${expires}}\n`;
  const gate = async () => {
    const run = await sluice(team.dir, ["gate", "--no-performance", "--json"]);
    return { run, model: run.stdout === "" ? undefined : verdictFile.parse(JSON.parse(run.stdout)).models[0] };
  };
  // Only the check over all rows exceeds its margin.
  const gates = {
    gates: {
      checks: [
        { kind: "non-inferiority" as const, metric: "mae" as const, margin: 0.001 },
        { kind: "limit" as const, metric: "rmse" as const, max: 2 },
      ],
    },
  };
  const merge = (message: string) => {
    team.git("add", "-A");
    team.git("commit", "-qm", message);
  };

  it("merged: the failing check is shown and does not decide; expired: it fails", async () => {
    team.model({ version: "1.0.0", ...gates });
    team.write("waivers.yaml", entry("2999-12-31"));
    merge("a waiver");
    team.model({ ...gates, offset: 0.7 });
    const waived = await gate();
    expect(waived.run.code, waived.run.stderr).toBe(0);
    expect(waived.model).toMatchObject({ verdict: "PASS", reason: "the deciding check passes; 1 waived" });
    expect(waived.model?.checks[0]).toMatchObject({
      verdict: "FAIL",
      advisory: true,
      waiver: { reason: "the sensor was moved", expires: "2999-12-31" },
    });
    expect(readFileSync(join(team.dir, ".sluice/report.md"), "utf8")).toMatch(
      /FAIL \(waived\)[\s\S]*the sensor was moved/,
    );

    team.model({ version: "1.0.0", ...gates });
    team.write("waivers.yaml", entry("2020-01-01"));
    merge("a date that has passed");
    team.model({ ...gates, offset: 0.7 });
    const expired = await gate();
    expect(expired.run.code).toBe(1);
    expect(expired.model?.checks[0]).toMatchObject({
      verdict: "FAIL",
      advisory: false,
      reason: expect.stringContaining("expired on 2020-01-01"),
    });
  });

  it("added by the change itself: shown, and does not count yet", async () => {
    team.model({ version: "1.0.0", ...gates });
    merge("gates");
    team.model({ ...gates, offset: 0.7 });
    team.write("waivers.yaml", entry("2999-12-31"));
    const { run, model } = await gate();
    expect(run.code).toBe(1);
    expect(model?.checks[0]).toMatchObject({ verdict: "FAIL", advisory: false });
    expect(model?.notes.join()).toContain(
      "adds a waiver for mae until 2999-12-31 (the sensor was moved); it does not count before it is merged",
    );
  });

  it.each([
    ["a date that is none", entry("tomorrow"), /waivers\.yaml:3:\d+[\s\S]*expires/],
    ["another model", entry("2999-12-31").replace("linear", "nobody"), /model: one of linear[\s\S]*nobody/],
  ])("exit 2 on %s", async (_, text, message) => {
    team.write("waivers.yaml", text);
    const { run } = await gate();
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(message);
  });
});
