import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { ManifestInput } from "../../../models/core/manifest/manifest.ts";
import { predictShard } from "../../../eval/gate.ts";
import { renderHtml } from "../../../eval/report/html.ts";
import { renderMarkdown } from "../../../eval/report/markdown.ts";
import { renderTerminal } from "../../../eval/report/terminal.ts";
import { teamRepository, type TeamRepository } from "../../cli/repository.ts";
import { folderWith } from "../dataset/build.ts";
import { gate } from "./run.ts";

let team: TeamRepository;
afterEach(() => team.remove());

/** The true value is the model's answer plus noise; `b == 4` are 40 of the 200 rows. */
const rules = (add: number, version = "1.0.0"): NonNullable<ManifestInput["rules"]> => ({
  version,
  list: [
    { id: "large-b", when: "b == 4", add: { value: add }, reasons: ["b is large"] },
    { id: "dead", when: "a > 100", override: { value: 0 } },
    { id: "always", when: "a >= 0", reasons: ["always"] },
  ],
});

async function verdictOf(add: number, changes: Partial<ManifestInput> = {}) {
  team.model({ rules: rules(add), ...changes });
  const outcome = await gate(team);
  return { outcome, model: outcome.verdict.models[0]! };
}

describe("a change of the rules alone", () => {
  it("is a candidate: rules that make it worse FAIL, and the report says what they change", async () => {
    team = teamRepository();
    const { outcome, model } = await verdictOf(50);
    expect(model.verdict).toBe("FAIL");
    expect(model.model.rules).toEqual({ version: "1.0.0", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(model.baseline?.rules).toBeUndefined();
    expect(model.rules).toMatchObject({
      version: "1.0.0",
      rows: 200,
      firedRows: 200,
      gained: 0,
      lost: 40,
      list: [
        { id: "large-b", fired: 40, gained: 0, lost: 40 },
        { id: "dead", fired: 0 },
        { id: "always", fired: 200 },
      ],
    });
    const mae = model.rules!.figures.find(({ metric }) => metric === "mae")!;
    const [without, withRules] = [mae.without!, mae.withRules!];
    expect(without).toBeLessThan(1);
    expect(withRules - without).toBeGreaterThan(9);
    expect(mae.interval!.low).toBeLessThan(withRules - without);
    expect(mae.interval!.high).toBeGreaterThan(withRules - without);
    expect(model.checks.find(({ metric }) => metric === "mae")).toMatchObject({
      observed: expect.closeTo(withRules, 9),
      baseline: expect.closeTo(without, 9),
    });
    expect(model.notes.join("\n")).toMatch(/The rule dead never fired on these 200 rows/);
    expect(model.notes.join("\n")).toMatch(/The rule always fired for every one of these 200 rows/);
    for (const text of [
      renderMarkdown(outcome.verdict, outcome.metrics),
      renderTerminal(outcome.verdict, outcome.metrics, { color: false, width: 120 }),
      renderHtml(outcome.verdict, outcome.metrics, []),
    ]) {
      expect(text).toMatch(/Rules 1\.0\.0 fired for 200 of 200 rows: 0 answers gained, 40 lost/);
      expect(text).toContain("large-b");
      expect(text).toContain("never fired");
    }
  });

  it("is no change of the model's weights: harmless rules PASS", async () => {
    team = teamRepository();
    const { model } = await verdictOf(0);
    expect(model.verdict).toBe("PASS");
    expect(model.rules).toMatchObject({ gained: 0, lost: 0 });
    expect(model.notes.join("\n")).not.toMatch(/The candidate is the baseline/);
  });

  it("an error in a rule is an error of the row, and damaged rows end the gate", async () => {
    team = teamRepository();
    team.model({ rules: { version: "1.0.0", list: [{ id: "bad", when: "a + 1", reasons: ["r"] }] } });
    const { verdict } = await gate(team);
    expect(verdict.models[0]).toMatchObject({ verdict: "ERROR" });
    expect(verdict.models[0]!.reason).toMatch(/rules\.bad|neither true nor false/);
  });

  it("rules that change under the same version are told of", async () => {
    team = teamRepository();
    team.model({ version: "1.0.0", rules: rules(0) });
    team.git("add", "-A");
    team.git("commit", "-qm", "rules");
    const { model } = await verdictOf(0.01);
    expect(model.baseline?.rules?.version).toBe("1.0.0");
    expect(model.notes.join("\n")).toMatch(/are still called 1\.0\.0: raise rules\.version/);
  });
});

it("shards merge into the same effect, and shards of other rules are refused", async () => {
  team = teamRepository();
  const { model } = await verdictOf(50);
  const shards = join(folderWith({}), "shards");
  const request = {
    root: team.dir,
    configFile: "sluice.yaml",
    models: [],
    baseline: "auto" as const,
    out: shards,
    seed: 1,
    performance: false,
  };
  const deps = {
    now: () => new Date(0),
    fetch,
    onEvent: () => {},
    env: { ...process.env, SLUICE_CACHE: join(folderWith({}), "cache") },
  };
  for (const index of [0, 1]) await predictShard(request, { index, count: 2 }, deps);
  const merged = await gate(team, { shards });
  expect(merged.verdict.models[0]!.rules).toEqual(model.rules);
  team.model({ rules: rules(51) });
  const other = await gate(team, { shards });
  expect(other.verdict.models[0]).toMatchObject({ verdict: "ERROR", reason: expect.stringMatching(/another model/) });
});

it("a cached run gives the same effect", async () => {
  team = teamRepository();
  team.model({ rules: rules(50) });
  const cache = join(folderWith({}), "cache");
  const env = { ...process.env, SLUICE_CACHE: cache };
  const first = await gate(team, {}, { env });
  const second = await gate(team, {}, { env });
  expect(second.verdict.models[0]!.rules).toEqual(first.verdict.models[0]!.rules);
  expect(readdirSync(cache).length).toBeGreaterThan(0);
});
