import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { verdictFile } from "../../../eval/schema/verdict.ts";
import { teamRepository, type TeamRepository } from "../../cli/repository.ts";
import { sluice } from "../../cli/sluice.ts";

let team: TeamRepository;
beforeEach(() => {
  team = teamRepository();
});
afterEach(() => team.remove());

// A margin so small that 200 rows could never show it to be kept by two models that have merely answered alike so far.
const tight = {
  gates: {
    minimumPerClass: 150,
    checks: [
      { kind: "non-inferiority" as const, metric: "mae" as const, margin: 1e-9 },
      { kind: "non-inferiority" as const, metric: "mae" as const, margin: { relative: 1e-9 }, slices: ["half"] },
    ],
  },
};

const gate = async () => {
  const run = await sluice(team.dir, ["gate", "--no-performance", "--json"]);
  return { run, model: verdictFile.parse(JSON.parse(run.stdout)).models[0] };
};

describe("a change that leaves the model as it is", () => {
  beforeEach(() => {
    team.model({ version: "1.0.0", ...tight });
    team.git("commit", "-qam", "tight gates");
  });

  it("passes with a difference of exactly 0 on every slice, however small, and says why", async () => {
    team.model({ version: "1.0.1", description: "now with a better description", ...tight });
    team.write("models/linear/README.md", "a card");
    const { run, model } = await gate();
    expect(run.code, run.stderr).toBe(0);
    expect(
      model?.checks.map(({ slice, difference, interval, verdict }) => [slice, difference, interval, verdict]),
    ).toEqual(
      ["all", "half=even", "half=odd"].map((slice) => [
        slice,
        0,
        { low: 0, high: 0, level: 0.9, method: "the same model" },
        "PASS",
      ]),
    );
    expect(model?.notes.join()).toContain("The candidate is the baseline");
  });

  it("is not assumed when only the weights are the same", async () => {
    // Answers change by less than the tight margin would allow, but only the interval of a real comparison can show
    // that.
    team.model({ version: "1.0.1", ...tight, offset: 1e-4 });
    const { run, model } = await gate();
    expect(run.code).not.toBe(0);
    expect(model?.checks.map((check) => check.interval?.method)).not.toContain("the same model");
    expect(model?.notes.join()).toContain("weights are the baseline's, byte for byte");
  });
});
