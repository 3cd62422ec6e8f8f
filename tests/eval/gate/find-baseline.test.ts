import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { teamRepository, type TeamRepository } from "../../cli/repository.ts";
import { verdictOn } from "./verdict-on.ts";

let team: TeamRepository;
beforeEach(() => {
  team = teamRepository();
});
afterEach(() => team.remove());

const commit = (message: string) => {
  team.git("add", "-A");
  team.git("commit", "-qm", message);
};

/** main: a weak model, and a right one since `topic` left it; `topic`: what the change makes of the weak one. */
async function judged(change: () => void) {
  team.model({ version: "1.0.0", offset: 1.2 });
  commit("a weak model");
  team.git("checkout", "-qb", "topic");
  change();
  commit("the change");
  team.git("checkout", "-q", "main");
  team.model({ version: "1.1.0" });
  commit("a right model");
  team.git("checkout", "-q", "topic");
  return verdictOn(team.dir, {
    baseline: { ref: team.git("merge-base", "main", "topic").trim(), production: true },
    policyRef: "main",
  });
}

describe("a model that got better on the base branch since the change left it", () => {
  it("is the baseline of another version, and the report says so", async () => {
    const model = await judged(() => team.model({ version: "1.0.1", offset: 1.1 }));
    expect(model.verdict).toBe("FAIL");
    expect(model.baseline?.version).toBe("1.1.0");
    expect(model.baselineSource).toMatch(
      /^models\/linear at main \([0-9a-f]{7}\), where the base branch is now; this change left it at [0-9a-f]{7}/,
    );
  });

  it("is not held against a change that leaves the model alone: a merge keeps it", async () => {
    const model = await judged(() => team.write("README.md", "# Ours\n"));
    expect(model.baseline?.version).toBe("1.0.0");
    expect(model.baselineSource).toMatch(/which this change leaves as it was there$/);
    expect(model.checks.filter(({ kind }) => kind !== "limit").map(({ difference }) => difference)).toEqual([0, 0, 0]);
  });

  it("is the baseline of its own earlier version in another folder", async () => {
    const model = await judged(() => {
      team.git("mv", "models/linear", "models/again");
      team.write("sluice.yaml", "schemaVersion: 1\nmodels: [models/again]\n");
    });
    expect([model.verdict, model.baseline?.version]).toEqual(["FAIL", "1.1.0"]);
  });
});
