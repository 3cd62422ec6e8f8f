import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { testSetWear } from "../../../eval/stats/test-set-wear.ts";
import { releases } from "../../../cli/releases.ts";
import { productionTag } from "../../../github/registry/production.ts";
import { releaseMessage, releaseTag } from "../../../github/registry/release.ts";
import { teamRepository, type TeamRepository } from "../../cli/repository.ts";
import { verdictOn } from "./verdict-on.ts";

let team: TeamRepository;
beforeEach(() => {
  team = teamRepository();
});
afterEach(() => team.remove());

const now = () => new Date("2020-02-01");
const judged = (withReleases = true) => verdictOn(team.dir, {}, "linear", withReleases ? { releases, now } : { now });

function tag(name: string, weights: string, digest: string, model = "linear") {
  const record = JSON.stringify({
    model: { id: model, version: "1.0.0", sha256: weights.repeat(64) },
    metrics: [],
    verdict: "PASS",
    dataset: { id: "d", digest, rows: 10 },
  });
  team.git("tag", "-a", name, "-m", releaseMessage(model, "1.0.0", record, team.git("rev-parse", "HEAD").trim()));
}

describe("wear in a verdict", () => {
  it("counts the different weights that the same rows have judged, by the receipts in tags", async () => {
    const before = await judged();
    expect(before.wear).toBeUndefined();
    const { digest, rows } = before.dataset!;
    tag(releaseTag("linear", "0.8.0"), "a", digest);
    tag(releaseTag("linear", "0.9.0"), "b", digest);
    // The same weights in production, other rows, another model, and no receipt count nothing more.
    tag(productionTag("linear-production", new Date("2020-01-01")), "b", digest);
    tag(releaseTag("linear", "0.7.0"), "c", `sha256:${"0".repeat(64)}`);
    tag(releaseTag("linear", "0.6.0"), "d", digest, "curve");
    team.git("tag", "-a", "linear@0.5.0", "-m", "no receipt");
    team.git("tag", "linear@0.4.0");
    const { wear } = await judged();
    const { candidates, optimism, adaptiveOptimism } = testSetWear(3, rows);
    expect(wear).toEqual({ candidates, rows, optimism, adaptiveOptimism });
    expect((await judged(false)).wear).toBeUndefined();
  });
});
