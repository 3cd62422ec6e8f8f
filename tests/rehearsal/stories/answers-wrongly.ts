import assert from "node:assert/strict";
import type { Deployed } from "../../stand-ins/hub/space.ts";
import { answerTo } from "../scene/asking.ts";
import { artifactOf } from "../scene/reports.ts";
import { commitsOf, deploymentsOfFares, fares, production, servedVersion, straightToProduction } from "../scene/released-fares.ts";
import type { Story } from "./story.ts";

const version = "1.8.0";

export const answersWrongly: Story = {
  number: 8, title: "The new Space answers wrongly: it is rolled back, and card, history and records agree on what serves",
  async play(scene, tell) {
    if (scene.bot === null) await scene.startBot();
    const predecessor = await servedVersion(scene);
    tell(`fares ${predecessor} is proved and live`);

    straightToProduction(scene);
    const pull = await scene.propose({ branch: `fares-${version}`, title: `fares ${version}`, files: fares(version, 0.03), by: "lena" });
    const { space, transcript } = scene.hubs.of(production);
    const before = { deployments: await deploymentsOfFares(scene), commits: commitsOf(scene), requests: transcript.length };
    // Only what comes out of the app is wrong: the tree, the weights and the Space's stage are as they should be.
    const isNew = (deployed: Deployed) => deployed?.model?.version === version;
    space.behaviour.answers = (path, deployed, body) => (isNew(deployed) && path.endsWith("/predict") ? Buffer.from(body.toString("utf8").replace(/"value":[\d.]+/, '"value":1')) : body);
    try {
      await scene.merge(pull.number, "lena");
    } finally {
      space.behaviour.answers = null;
    }
    const deploy = scene.runsOf("deploy.yml").at(-1);
    assert.equal(deploy?.conclusion, "failure", deploy === undefined ? "nothing was deployed" : scene.logs(deploy));
    const job = deploy.jobs.find(({ name }) => name.endsWith("fares to production"));
    assert.equal(job?.conclusion, "failure", scene.logs(deploy));
    assert.match(job.summary, /golden row 1 of 1: heads\.fare\.value: expected/);
    tell("the gate let it pass and the Space runs, but its answer is not the one that was measured: the job fails");

    assert.equal(await scene.serves(production), predecessor, "the predecessor serves again, by itself");
    const receipt = JSON.parse(artifactOf(deploy, "sluice-deployment-fares-production").get("deployment.json")?.toString("utf8") ?? "null") as { outcome: string; serving: string; rolledBackTo: { version: string } };
    assert.deepEqual([receipt.outcome, receipt.rolledBackTo.version, receipt.serving], ["rolled-back", predecessor, space.repository.head]);

    // One commit for the change and one for its undoing, and not one more: each was asked for once.
    assert.deepEqual(commitsOf(scene).slice(before.commits.length), [`Deploy fares ${version}`, `Restore fares ${predecessor}`]);
    const commits = transcript.slice(before.requests).filter(({ method, path }) => method === "POST" && path.includes(`/spaces/${production}/commit/`));
    assert.deepEqual(commits.map(({ status }) => status), [200, 200]);
    const uploads = transcript.slice(before.requests).filter(({ path }) => path.startsWith("/lfs-upload/"));
    assert.ok(uploads.length <= 1, "what is restored is named, not uploaded again");

    const deployments = (await deploymentsOfFares(scene)).slice(before.deployments.length).map(({ kind, version: of, states }) => `${kind} ${of}: ${states.join(" ")}`);
    assert.deepEqual(deployments, [`deploy ${version}: in_progress failure`, `rollback ${predecessor}: success`]);
    await assert.rejects(scene.ask(`git/ref/tags%2Ffares@${version}`), /404/, "what was not proved is not released");

    const card = scene.card(`fares ${version}`);
    assert.match(card, /^↩️ fares 1\.8\.0: rolled back/);
    assert.ok(card.includes(`fares ${predecessor} serves again`), card);
    assert.equal(scene.cardMessages(`fares ${version}`).length, 1, "one card for the candidate's whole life");
    tell(`the card says: ${card.split("\n")[0]}, fares ${predecessor} serves again`);

    const history = await answerTo(scene, "lena", "/history fares", /^fares[,\n]/);
    const live = history.split("\n").filter((line) => line.includes("live in"));
    assert.equal(live.length, 1, history);
    assert.match(live[0] as string, new RegExp(`${predecessor.replaceAll(".", "\\.")}\\b.*live in production`));
    tell(`/history fares says: ${live[0]}`);
  },
};
