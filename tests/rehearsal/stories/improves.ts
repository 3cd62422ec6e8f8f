import assert from "node:assert/strict";
import { moodModel } from "../scene/repository.ts";
import { team } from "../scene/scene.ts";
import type { Story } from "./story.ts";

export const improves: Story = {
  number: 1, title: "A pull request improves mood; it is merged, proved on staging, approved by a button, and live",
  async play(scene, tell) {
    const { github } = scene;
    github.setVariable(team, "SLUICE_DEPLOY_AFTER_MERGE", "staging");
    github.setVariable(team, "SLUICE_PROMOTE_AFTER_MERGE", "production");
    github.createEnvironment(team, "mood-production", { reviewers: ["omar"] });
    await scene.startBot();

    const pull = await scene.propose({ branch: "mood-1.1.0", title: "mood 1.1.0", files: moodModel("1.1.0"), by: "lena" });
    const [gate] = scene.runsOf("gate.yml", pull.sha);
    assert.equal(gate?.conclusion, "success", gate === undefined ? "the gate did not start" : scene.logs(gate));
    tell(`the gate lets pull request ${pull.number} pass`);
    const comments = await scene.comments(pull.number);
    const sticky = comments.filter(({ body }) => body.includes("mood 1.1.0 against 1.0.0: PASS"));
    assert.equal(sticky.length, 1, "one comment says PASS");
    assert.match(gate.jobs.map(({ summary }) => summary).join("\n"), /✅ PASS/);
    assert.ok(gate.artifacts.some(({ name }) => name.startsWith("sluice-gate-cpu-")), "the report is kept");
    assert.match(scene.card(`mood 1.1.0`), /PASS/);

    await scene.merge(pull.number, "lena");
    const deploy = scene.runsOf("deploy.yml").at(-1);
    assert.equal(deploy?.status, "waiting", deploy === undefined ? "nothing is deployed" : scene.logs(deploy));
    assert.equal(await scene.serves("acme/mood-staging"), "1.1.0");
    assert.equal(await scene.serves("acme/mood"), null, "nobody has approved yet");
    assert.match(scene.card("mood 1.1.0"), /waiting for approval/);
    tell("proved on staging; production waits for a person");

    const asked = await scene.until(() => scene.buttons().find(({ label }) => label.includes("Approve")), "a button to approve");
    scene.press("omar", asked);
    // What is dangerous takes a second tap.
    scene.press("omar", await scene.until(() => scene.buttons().find(({ label }) => label === "Yes, approve"), "the second question"));
    await scene.until(() => deploy.status === "completed", "the approved deployment to end");
    await github.settled();
    assert.equal(deploy.conclusion, "success", scene.logs(deploy));
    assert.deepEqual(deploy.reviews.map(({ state, user }) => ({ state, user })), [{ state: "approved", user: "omar" }]);
    assert.equal(await scene.serves("acme/mood"), "1.1.0");
    await scene.until(() => /live/i.test(scene.card("mood 1.1.0").split("\n")[0] ?? ""), "the card to say live");
    tell(`approved by omar; the card says: ${scene.card("mood 1.1.0").split("\n")[0]}`);

    const tag = await scene.ask<{ object: { type: string } }>(`git/ref/tags%2Fmood@1.1.0`);
    assert.equal(tag.object.type, "tag", "an annotated tag carries the receipt");
    const deployments = await scene.ask<{ id: number; environment: string }[]>("deployments?task=sluice");
    assert.deepEqual(deployments.map(({ environment }) => environment).sort(), ["mood-production", "mood-staging"]);
    // Identical bytes went to both stages.
    const [staging, production] = ["acme/mood-staging", "acme/mood"].map((space) => scene.weights(space, "models/mood/model.onnx"));
    assert.equal(staging, production);
    assert.equal(scene.cardMessages("mood 1.1.0").length, 1, "one card for the candidate's whole life");
  },
};
