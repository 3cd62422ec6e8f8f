import assert from "node:assert/strict";
import { answerTo, waitForPolls, countSent } from "../scene/asking.ts";
import { chat } from "../scene/scene.ts";
import { commitsOf, deploymentsOf, production, release, servedVersion } from "../scene/released.ts";
import { mood, improved } from "../scene/systems.ts";
import type { Story } from "./story.ts";

const version = "1.9.0";

export const rollBack: Story = {
  number: 9,
  title: "/rollback in the chat: done for somebody who may, nothing at all for a stranger",
  async play(scene, log) {
    const { github, telegram } = scene;
    if (scene.bot === null) await scene.startBot();
    const earlier = await servedVersion(scene, mood);
    await release(scene, mood, version, improved(mood, version));
    await scene.until(() => scene.card(`mood ${version}`).startsWith("🟢"), "the card to say live");
    log(`mood ${version} is live, mood ${earlier} was before it`);

    // First collect the bot's usual requests, then those that it makes while a stranger writes.
    const usual = await waitForPolls(scene, 2);
    const before = {
      utterances: countSent(scene),
      messages: telegram.state.messages.length,
      runs: scene.executor.runs.length,
    };
    telegram.people.says(scene.people.stranger, "/rollback mood production", { chat });
    const last = telegram.people.says(scene.people.stranger, "/rollback mood production").update_id;
    await scene.until(
      () => telegram.updates.unconfirmed.every(({ update_id: id }) => id > last),
      "the bot to have taken the stranger's words",
    );
    const unusual = [...(await waitForPolls(scene, 2))].filter((request) => !usual.has(request));
    assert.deepEqual(unusual, [], "no request to GitHub");
    assert.deepEqual(
      { utterances: countSent(scene), messages: telegram.state.messages.length - 2, runs: scene.executor.runs.length },
      before,
      "no answer and no run",
    );
    log("a stranger writes /rollback, in the group and in private: 0 requests to GitHub, 0 answers, 0 runs");

    const was = {
      deployments: (await deploymentsOf(scene, mood)).length,
      commits: commitsOf(scene, mood).length,
      runs: scene.runsOf("deploy.yml").length,
    };
    telegram.people.says(scene.people.omar, "/rollback mood production", { chat });
    const ask = await scene.until(() => scene.buttons().find(({ label }) => label === "Roll back…"), "the question");
    assert.equal(scene.runsOf("deploy.yml").length, was.runs, "nothing is done before somebody taps");
    scene.pressButton("omar", ask);
    const really = await scene.until(
      () => scene.buttons().find(({ label }) => label === "Yes, roll back"),
      "the second question",
    );
    // Somebody else's button does nothing.
    scene.pressButton("stranger", really);
    scene.pressButton("omar", really);
    const run = await scene.until(() => scene.runsOf("deploy.yml")[was.runs], "the workflow to be dispatched");
    await scene.until(() => run.status === "completed", "the workflow to end");
    await github.settled();
    assert.equal(run.conclusion, "success", scene.logs(run));
    assert.equal(run.event, "workflow_dispatch");
    assert.equal(run.actor, "omar", "GitHub knows who acted");
    assert.deepEqual(
      { model: run.inputs?.["model"], environment: run.inputs?.["environment"], version: run.inputs?.["version"] },
      { model: "mood", environment: "production", version: earlier },
    );
    const mark = run.inputs?.["request"] ?? "";
    assert.match(mark, /^sl-/);
    assert.ok(run.displayTitle.includes(mark), "the run's name carries the mark by which it is found again");
    assert.equal(scene.runsOf("deploy.yml").length, was.runs + 1, "one run");
    log(`omar: two taps, one run: ${run.displayTitle}`);

    assert.equal(await scene.serves(production(mood)), earlier);
    assert.deepEqual(commitsOf(scene, mood).slice(was.commits), [`Restore mood ${earlier}`]);
    const deployments = (await deploymentsOf(scene, mood))
      .slice(was.deployments)
      .map(({ kind, version: of, states }) => `${kind} ${of}: ${states.join(" ")}`);
    assert.deepEqual(deployments, [`rollback ${earlier}: in_progress success`]);
    const done = await scene.until(
      () => scene.said().find(({ text }) => text?.includes(mark) === true && text.startsWith("✅")),
      "the chat to say that it is done",
    );
    assert.match(
      done.text ?? "",
      new RegExp(
        `roll mood in production back to ${earlier.replaceAll(".", "\\.")}[\\s\\S]*by omar[\\s\\S]*run ${run.id}`,
      ),
    );
    const history = await answerTo(scene, "omar", "/history mood", /^mood[,\n]/);
    assert.match(history, new RegExp(`${earlier.replaceAll(".", "\\.")}\\b.*live in [\\w, ]*production`));
    assert.doesNotMatch(history, /1\.9\.0\b.*live in/);
    assert.deepEqual(
      telegram.state.messages.filter((one) => one.chat === scene.people.stranger.id && one.from.is_bot),
      [],
      "the stranger was never answered",
    );
    log(`the chat says: ${(done.text ?? "").split("\n")[0]}`);
  },
};
