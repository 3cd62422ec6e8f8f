import assert from "node:assert/strict";
import { verdictOf } from "../scene/reports.ts";
import { team } from "../scene/scene.ts";
import { improved, worsened, type System } from "../scene/systems.ts";
import { pushTo } from "../github/stories.ts";
import type { Story } from "./story.ts";

const version = "1.2.0";

export const worseThenFixed = (system: System): Story => ({
  number: 2,
  system: system.id,
  title: `A pull request makes ${system.id} worse and is blocked; a second push repairs it, in the same comment and card`,
  async play(scene, log) {
    const { id } = system;
    const branch = `${id}-${version}`;
    const title = `${id} ${version}`;
    const says = (verdict: string) => new RegExp(`${verdict}: ${title.replaceAll(".", "\\.")}\\n[^]*against [\\d.]+`);
    const pull = await scene.propose({ branch, title, files: worsened(system, version), by: "lena" });
    const [red] = scene.runsOf("gate.yml", pull.sha);
    assert.equal(red?.conclusion, "failure", red === undefined ? "the gate did not start" : scene.logs(red));
    const before = await scene.verdictComment(pull.number);
    assert.match(before.body, says("FAIL"));
    assert.match(before.body, /worse by more than the margin/);
    await assert.rejects(scene.merge(pull.number, "lena"), /Required status check/);
    const failed =
      verdictOf(red)
        .models[0]?.checks.filter(({ verdict }) => verdict === "FAIL")
        // A card says ndcg@10 of ndcg_at_k.
        .map(({ metric }) => metric.replace(/_at_k$/, "@")) ?? [];
    assert.ok(
      failed.some((metric) => new RegExp(`FAIL ${metric}`).test(scene.card(title))),
      scene.card(title),
    );
    log(`blocked: ${scene.card(title).split("\n")[0]}`);

    const sha = await pushTo(scene.github, {
      repository: team,
      branch,
      files: improved(system, version),
      message: "Rows are read right again",
      by: "lena",
    });
    await scene.github.settled();
    const [green] = scene.runsOf("gate.yml", sha);
    assert.equal(
      green?.conclusion,
      "success",
      green === undefined ? "the second push started nothing" : scene.logs(green),
    );
    const after = await scene.verdictComment(pull.number);
    assert.equal(after.id, before.id, "the same comment");
    assert.match(after.body, says("PASS"));
    assert.equal(scene.cardMessages(title).length, 1, "the same card");
    assert.match(scene.card(title), /PASS/);
    const { check_runs: checks } = await scene.ask<{ check_runs: { name: string; conclusion: string }[] }>(
      `commits/${sha}/check-runs`,
    );
    assert.equal(checks.find(({ name }) => name === "gate / gate")?.conclusion, "success", "the merge is allowed");
    log(`repaired: ${scene.card(title).split("\n")[0]}`);
  },
});
