import assert from "node:assert/strict";
import { fareModel } from "../scene/fares.ts";
import { team } from "../scene/scene.ts";
import { quality } from "../scene/team.ts";
import { pushTo } from "../github/stories.ts";
import type { Story } from "./story.ts";

export const worseThenFixed: Story = {
  number: 2, title: "A pull request makes fares worse and is blocked; a second push repairs it, in the same comment and card",
  async play(scene, tell) {
    const branch = "fares-2.0.0";
    const version = (wrong: { airport: number; centre: number }) => fareModel({ id: "fares", version: "2.0.0", wrong, checks: quality });
    const pull = await scene.propose({ branch, title: "fares 2.0.0", files: version({ airport: 0.05, centre: 0.1 }), by: "lena" });
    const [red] = scene.runsOf("gate.yml", pull.sha);
    assert.equal(red?.conclusion, "failure", red === undefined ? "the gate did not start" : scene.logs(red));
    const before = await scene.verdictComment(pull.number);
    assert.match(before.body, /fares 2\.0\.0 against 1\.0\.0: FAIL/);
    assert.match(before.body, /worse by more than the margin/);
    await assert.rejects(scene.merge(pull.number, "lena"), /Required status check/);
    assert.match(scene.card("fares 2.0.0"), /FAIL[\s\S]*mae/);
    tell(`blocked: ${scene.card("fares 2.0.0").split("\n")[0]}`);

    const sha = await pushTo(scene.github, { repository: team, branch, files: version({ airport: 0.01, centre: 0.02 }), message: "The minutes are seen right", by: "lena" });
    await scene.github.settled();
    const [green] = scene.runsOf("gate.yml", sha);
    assert.equal(green?.conclusion, "success", green === undefined ? "the second push started nothing" : scene.logs(green));
    const after = await scene.verdictComment(pull.number);
    assert.equal(after.id, before.id, "the same comment");
    assert.match(after.body, /fares 2\.0\.0 against 1\.0\.0: PASS/);
    assert.equal(scene.cardMessages("fares 2.0.0").length, 1, "the same card");
    assert.match(scene.card("fares 2.0.0"), /PASS/);
    const { check_runs: checks } = await scene.ask<{ check_runs: { name: string; conclusion: string }[] }>(`commits/${sha}/check-runs`);
    assert.equal(checks.find(({ name }) => name === "gate / gate")?.conclusion, "success", "the merge is allowed");
    tell(`repaired: ${scene.card("fares 2.0.0").split("\n")[0]}`);
  },
};
