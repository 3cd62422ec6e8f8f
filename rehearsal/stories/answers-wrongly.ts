import assert from "node:assert/strict";
import type { Deployed } from "../hub/space.ts";
import { answerTo } from "../scene/asking.ts";
import { artifactOf } from "../scene/reports.ts";
import { commitsOf, deploymentsOf, production, servedVersion, straightToProduction } from "../scene/released.ts";
import { noWorse, type System } from "../scene/systems.ts";
import type { Story } from "./story.ts";

const version = "1.8.0";

export const answersWrongly = (system: System): Story => ({
  number: 8,
  system: system.id,
  title: `The new Space of ${system.id} answers wrongly: it is rolled back, and card, history and records agree on what serves`,
  async play(scene, log) {
    if (scene.bot === null) await scene.startBot();
    const { id } = system;
    const title = `${id} ${version}`;
    const predecessor = await servedVersion(scene, system);
    log(`${id} ${predecessor} is proved and live`);

    straightToProduction(scene, system);
    const pull = await scene.propose({
      branch: `${id}-${version}`,
      title,
      files: noWorse(system, version),
      by: "lena",
    });
    const { space, transcript } = scene.hubs.of(production(system));
    const before = {
      deployments: await deploymentsOf(scene, system),
      commits: commitsOf(scene, system),
      requests: transcript.length,
    };
    // Only the app's answers are wrong: the tree, the weights and the Space's stage are correct.
    const isNew = (deployed: Deployed) => deployed?.model?.version === version;
    space.behaviour.answers = (path, deployed, body) =>
      isNew(deployed) && path.endsWith("/predict") ? Buffer.from(wrongly(body.toString("utf8"))) : body;
    let merged: string;
    try {
      merged = await scene.merge(pull.number, "lena");
    } finally {
      space.behaviour.answers = null;
    }
    const deploy = scene.runsOf("deploy.yml", merged).at(-1);
    assert.equal(deploy?.conclusion, "failure", deploy === undefined ? "nothing was deployed" : scene.logs(deploy));
    const job = deploy.jobs.find(({ name }) => name.endsWith(`${id} to production`));
    assert.equal(job?.conclusion, "failure", scene.logs(deploy));
    assert.match(job.summary, /golden row 1 of \d+: [\w.]+: expected/);
    log("the gate let it pass and the Space runs, but its answer is not the one that was measured: the job fails");

    assert.equal(await scene.serves(production(system)), predecessor, "the predecessor serves again, by itself");
    const receipt = JSON.parse(
      artifactOf(deploy, `sluice-deployment-${id}-production`).get("deployment.json")?.toString("utf8") ?? "null",
    ) as { outcome: string; serving: string; rolledBackTo: { version: string } };
    assert.deepEqual(
      [receipt.outcome, receipt.rolledBackTo.version, receipt.serving],
      ["rolled-back", predecessor, space.repository.head],
    );

    // Exactly one commit for the change and one for the rollback, because each was requested once.
    assert.deepEqual(commitsOf(scene, system).slice(before.commits.length), [
      `Deploy ${title}`,
      `Restore ${id} ${predecessor}`,
    ]);
    const commits = transcript
      .slice(before.requests)
      .filter(({ method, path }) => method === "POST" && path.includes(`/spaces/${production(system)}/commit/`));
    assert.deepEqual(
      commits.map(({ status }) => status),
      [200, 200],
    );
    const uploads = transcript.slice(before.requests).filter(({ path }) => path.startsWith("/lfs-upload/"));
    assert.ok(uploads.length <= 1, "what is restored is named, not uploaded again");

    const deployments = (await deploymentsOf(scene, system))
      .slice(before.deployments.length)
      .map(({ kind, version: of, states }) => `${kind} ${of}: ${states.join(" ")}`);
    assert.deepEqual(deployments, [`deploy ${version}: in_progress failure`, `rollback ${predecessor}: success`]);
    await assert.rejects(scene.ask(`git/ref/tags%2F${id}@${version}`), /404/, "what was not proved is not released");

    const card = scene.card(title);
    assert.ok(card.startsWith(`↩️ ${title}: rolled back`), card);
    assert.ok(card.includes(`${id} ${predecessor} serves again`), card);
    assert.equal(scene.cardMessages(title).length, 1, "one card for the candidate's whole life");
    log(`the card says: ${card.split("\n")[0]}, ${id} ${predecessor} serves again`);

    const history = await answerTo(scene, "lena", `/history ${id}`, new RegExp(`^${id}[,\\n]`));
    const live = history.split("\n").filter((line) => line.includes("live in"));
    assert.equal(live.length, 1, history);
    assert.match(live[0] as string, new RegExp(`${predecessor.replaceAll(".", "\\.")}\\b.*live in [\\w, ]*production`));
    log(`/history ${id} says: ${live[0]}`);
  },
});

/** A copy of an answer with its first number changed. */
const wrongly = (answer: string) => answer.replace(/:-?\d+\.\d+(e-?\d+)?/, ":0.123");
