import assert from "node:assert/strict";
import { fareModel } from "../scene/fares.ts";
import { team } from "../scene/scene.ts";
import { quality } from "../scene/team.ts";
import type { Story } from "./story.ts";

export const rejects: Story = {
  number: 11,
  title: "A reviewer says no: nothing is deployed, and the card says so",
  async play(scene, log) {
    const { github } = scene;
    await scene.startBot();
    github.setVariable(team, "SLUICE_DEPLOY_AFTER_MERGE", "production");
    github.setVariable(team, "SLUICE_PROMOTE_AFTER_MERGE", "");
    github.createEnvironment(team, "fares-production", { reviewers: ["omar"] });
    const before = await scene.serves("acme/fares");

    const pull = await scene.propose({
      branch: "fares-11.0.0",
      title: "fares 11.0.0",
      files: fareModel({ id: "fares", version: "11.0.0", wrong: { airport: 0.01, centre: 0.01 }, checks: quality }),
      by: "lena",
    });
    await scene.merge(pull.number, "lena");
    const deploy = scene.runsOf("deploy.yml").at(-1);
    assert.equal(deploy?.status, "waiting", deploy === undefined ? "nothing is deployed" : scene.logs(deploy));
    scene.pressButton(
      "omar",
      await scene.until(() => scene.buttons().find(({ label }) => label.startsWith("Reject")), "a button to reject"),
    );
    // Saying no takes a second tap, which says why.
    scene.pressButton(
      "omar",
      await scene.until(
        () => scene.buttons().find(({ label }) => label === "Yes, reject: not now"),
        "the second question",
      ),
    );
    await scene.until(() => deploy.status === "completed", "the rejected deployment to end");
    await github.settled();
    assert.equal(deploy.conclusion, "failure");
    assert.deepEqual(
      deploy.reviews.map(({ state, user }) => ({ state, user })),
      [{ state: "rejected", user: "omar" }],
    );
    assert.match(deploy.reviews[0]!.comment, /^not now – /);
    assert.equal(await scene.serves("acme/fares"), before, "nothing was deployed");
    await scene.until(
      () => /deployment .*failed/.test(scene.card("fares 11.0.0").split("\n")[0] ?? ""),
      "the card to say it",
    );
    log(scene.card("fares 11.0.0").split("\n")[0] ?? "");
    github.createEnvironment(team, "fares-production", { reviewers: [] });
  },
};
