import assert from "node:assert/strict";
import { production, staging } from "../scene/released.ts";
import { team } from "../scene/scene.ts";
import { examplesOf, improved, type System } from "../scene/systems.ts";
import type { Story } from "./story.ts";

const version = "1.1.0";

export const improves = (system: System): Story => ({
  number: 1,
  system: system.id,
  title: `A pull request improves ${system.id}; it is merged, proved on staging, approved by a button, and live`,
  async play(scene, log) {
    const { github } = scene;
    const { id } = system;
    const title = `${id} ${version}`;
    github.setVariable(team, "SLUICE_DEPLOY_AFTER_MERGE", "staging");
    github.setVariable(team, "SLUICE_PROMOTE_AFTER_MERGE", "production");
    github.createEnvironment(team, `${id}-production`, { reviewers: ["omar"] });
    await scene.startBot();

    const pull = await scene.propose({
      branch: `${id}-${version}`,
      title,
      files: improved(system, version),
      by: "lena",
    });
    const [gate] = scene.runsOf("gate.yml", pull.sha);
    assert.equal(gate?.conclusion, "success", gate === undefined ? "the gate did not start" : scene.logs(gate));
    log(`the gate lets pull request ${pull.number} pass`);
    const comments = await scene.comments(pull.number);
    const sticky = comments.filter(({ body }) => body.includes(`PASS: ${title}`) && body.includes("against 1.0.0"));
    assert.equal(sticky.length, 1, "one comment says PASS");
    assert.match(gate.jobs.map(({ summary }) => summary).join("\n"), /✅ PASS/);
    assert.ok(
      gate.artifacts.some(({ name }) => name.startsWith("sluice-gate-cpu-")),
      "the report is kept",
    );
    assert.match(scene.card(title), /PASS/);

    const merged = await scene.merge(pull.number, "lena");
    const deploy = scene.runsOf("deploy.yml", merged).at(-1);
    assert.equal(deploy?.status, "waiting", deploy === undefined ? "nothing is deployed" : scene.logs(deploy));
    assert.equal(await scene.serves(staging(system)), version);
    assert.equal(await scene.serves(production(system)), null, "nobody has approved yet");
    assert.match(scene.card(title), /waiting for approval/);
    log("proved on staging; production waits for a person");

    const asked = await scene.until(
      () => scene.buttons().find(({ label }) => label.includes("Approve")),
      "a button to approve",
    );
    scene.pressButton("omar", asked);
    // A dangerous action needs a second tap.
    scene.pressButton(
      "omar",
      await scene.until(() => scene.buttons().find(({ label }) => label === "Yes, approve"), "the second question"),
    );
    await scene.until(() => deploy.status === "completed", "the approved deployment to end");
    await github.settled();
    assert.equal(deploy.conclusion, "success", scene.logs(deploy));
    const golden = scene
      .logs(deploy)
      .matchAll(new RegExp(`proof 2 of 2: ready, ${id} ${version.replaceAll(".", "\\.")}, (\\d+) golden answers`, "g"));
    assert.deepEqual(
      [...golden].map(([, count]) => Number(count)),
      [examplesOf(id).length, examplesOf(id).length],
      "both Spaces were proved with the model's own examples",
    );
    assert.deepEqual(
      deploy.reviews.map(({ state, user }) => ({ state, user })),
      [{ state: "approved", user: "omar" }],
    );
    assert.equal(await scene.serves(production(system)), version);
    await scene.until(() => /live/i.test(scene.card(title).split("\n")[0] ?? ""), "the card to say live");
    log(`approved by omar; the card says: ${scene.card(title).split("\n")[0]}`);

    const tag = await scene.ask<{ object: { type: string } }>(`git/ref/tags%2F${id}@${version}`);
    assert.equal(tag.object.type, "tag", "an annotated tag carries the receipt");
    const deployments = (await scene.ask<{ environment: string }[]>("deployments?task=sluice&per_page=100"))
      .map(({ environment }) => environment)
      .filter((environment) => environment.startsWith(`${id}-`));
    assert.deepEqual(deployments.sort(), [`${id}-production`, `${id}-staging`]);
    // Identical bytes went to both stages.
    const weights = [staging, production].map((stage) => scene.weights(stage(system), `models/${id}/model.onnx`));
    assert.equal(weights[0], weights[1]);
    log(await system.serves(`http://${scene.hubs.of(production(system)).domain}`));
    assert.equal(scene.cardMessages(title).length, 1, "one card for the candidate's whole life");
  },
});
