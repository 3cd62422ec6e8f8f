import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { VERSION_HEADER } from "../../models/core/rollout/plan.ts";
import { rolloutStatus, type RolloutStatus } from "../../models/core/rollout/status.ts";
import { pushTo } from "../github/stories.ts";
import { answerTo } from "../scene/asking.ts";
import { fareModel } from "../scene/fares.ts";
import { chat, team, type Scene } from "../scene/scene.ts";
import { quality, spaces } from "../scene/team.ts";
import type { Story } from "./story.ts";

const id = "fares";
const space = spaces[id].production;

/** Pushes a version of fares to main, and deploys it for everybody or beside the one that serves. */
async function ship(
  scene: Scene,
  { version, beside, ...of }: { version: string; beside: boolean; wrongOnLongRides?: number },
): Promise<void> {
  const { github } = scene;
  github.setVariable(team, "SLUICE_DEPLOY_AFTER_MERGE", "");
  github.setVariable(team, "SLUICE_PROMOTE_AFTER_MERGE", "");
  github.setSecret(team, "SLUICE_ROLLOUT_KEY", "a secret of the rehearsal's roll-outs");
  github.createEnvironment(team, `${id}-production`);
  const sha = await pushTo(github, {
    repository: team,
    branch: "main",
    files: fareModel({ id, version, wrong: { airport: 0.02, centre: 0.05 }, checks: quality, ...of }),
    message: `${id} ${version}`,
    by: "acme",
  });
  await github.settled();
  const gate = scene.runsOf("gate.yml", sha).at(-1);
  assert.equal(gate?.conclusion, "success", gate === undefined ? "the gate did not start" : scene.logs(gate));
  await dispatch(scene, "deploy.yml", { model: id, environment: "production", rollout: String(beside) });
}

/** Starts a workflow as Lena; resolves when everything that this started has settled. @returns its log */
async function dispatch(scene: Scene, file: string, inputs: Record<string, string>): Promise<string> {
  const before = scene.runsOf(file).length;
  const answer = await fetch(`${scene.github.apiUrl}/repos/${team}/actions/workflows/${file}/dispatches`, {
    method: "POST",
    headers: { authorization: `token ${scene.github.tokenOf("lena")}`, "content-type": "application/json" },
    body: JSON.stringify({ ref: "main", inputs }),
  });
  assert.ok(answer.ok, `${file}: ${answer.status} ${await answer.text()}`);
  await scene.github.settled();
  const run = scene.runsOf(file)[before]!;
  const log = scene.logs(run);
  if (!/FAIL {2}fares/.test(log)) assert.equal(run.conclusion, "success", log);
  return log;
}

/** A look of the controller, and in one line what it did. */
async function look(scene: Scene, inputs: Record<string, string> = {}): Promise<string> {
  const log = await dispatch(scene, "rollout.yml", { model: id, ...inputs });
  const line = /(?:PASS|FAIL|INCONCLUSIVE) {2}fares [^\n]*/.exec(log)?.[0];
  assert.ok(line, log);
  return line;
}

const url = (scene: Scene): string => `http://${scene.hubs.of(space).domain}`;

async function statusOf(scene: Scene): Promise<RolloutStatus | null> {
  const answer = await fetch(`${url(scene)}/models/${id}/rollout`).catch(() => null);
  return answer?.ok === true ? rolloutStatus.parse(await answer.json()) : null;
}

const differencesOf = (status: RolloutStatus | null): number =>
  status?.evidence.reduce((sum, { differences }) => sum + differences, 0) ?? 0;

let users = 0;

/**
 * Rides of as many users, each with the fare that was paid a moment later. Every third is longer than any of the test set. @returns how many answers each version gave, until `done` holds
 */
async function traffic(
  scene: Scene,
  count: number,
  done: (status: RolloutStatus) => boolean = () => false,
): Promise<Record<string, number>> {
  const by: Record<string, number> = {};
  const post = (path: string, body: object, headers = {}) =>
    fetch(`${url(scene)}/models/${id}/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  for (let i = 0; i < count; i += 1) {
    users += 1;
    const [km, minutes, zones, airport] = [users % 3 === 0 ? 12 + (users % 9) : users % 7, users % 5, users % 4, 0];
    const answer = await post("predict", { km, minutes, zones, airport }, { "x-user": `user ${users}` });
    assert.equal(answer.status, 200, "no request is lost in a roll-out");
    const version = answer.headers.get(VERSION_HEADER) ?? "live";
    by[version] = (by[version] ?? 0) + 1;
    const { predictionId } = (await answer.json()) as { predictionId: string };
    for (let tries = 0; tries < 100 && ((await statusOf(scene))?.shadow.waiting ?? 0) > 0; tries += 1) await sleep(2);
    await post("feedback", { predictionId, label: km + 10 * minutes + 100 * zones + 0.5 });
    const status = await statusOf(scene);
    if (status !== null && done(status)) break;
  }
  return by;
}

/** Kills the Space's process; resolves when another one answers, with its candidate. */
async function kill(scene: Scene): Promise<void> {
  const before = (await statusOf(scene))?.instance;
  await scene.hubs.of(space).space.restart(false);
  for (let tries = 0; tries < 400; tries += 1) {
    const status = await statusOf(scene);
    if (status !== null && status.instance !== before && status.candidate.state === "ready") return;
    await sleep(50);
  }
  throw new Error("the Space did not come back");
}

/** Makes sure that production serves a version that a candidate can stand beside. */
async function baseline(scene: Scene): Promise<string> {
  const serves = await scene.serves(space);
  if (serves !== null) return serves;
  await ship(scene, { version: "1.0.1", beside: false });
  return "1.0.1";
}

const productionTags = async (scene: Scene): Promise<number> =>
  (await scene.ask<unknown[]>(`git/matching-refs/tags%2F${id}-production@`)).length;

export const goodRollout: Story = {
  number: 12,
  title: "A good candidate goes from the shadow to everybody by evidence; the Space is killed in each step",
  async play(scene, log) {
    const live = await baseline(scene);
    const tags = await productionTags(scene);
    await ship(scene, { version: "2.0.0", beside: true });
    assert.equal(await scene.serves(space), live, "to the outside the Space is the live version");
    assert.deepEqual(await traffic(scene, 5), { [live]: 5 });
    log(await look(scene));
    for (const step of ["shadow", "canary 20 %", "canary 50 %"]) {
      await traffic(scene, 12);
      // Too early to go on: this look only notes the evidence so far.
      await look(scene);
      const before = await statusOf(scene);
      await kill(scene);
      assert.deepEqual(await traffic(scene, 5), { [live]: 5 }, "until the next look everybody gets the live version");
      const back = await look(scene);
      assert.match(back, /the Space was restarted/);
      const after = await statusOf(scene);
      assert.equal(after?.step, before?.step);
      assert.equal(after?.handedBack?.differences, differencesOf(before), "no evidence of the look before is lost");
      log(`killed in ${step}; ${back.replace(/^.*?: /, "")}`);
      await traffic(scene, 400, ({ decision }) => decision.action === "NEXT" || decision.action === "PROMOTE");
      log(await look(scene));
    }
    assert.equal(await scene.serves(space), "2.0.0");
    assert.equal(await productionTags(scene), tags + 1, "production is tagged when everybody has it, and not before");
    log(`live for everybody; ${live} answered until then wherever the candidate did not`);
  },
};

export const worseRollout: Story = {
  number: 13,
  title: "A candidate that is worse only where the test set has no rows is ended by the Space itself",
  async play(scene, log) {
    const live = await baseline(scene);
    await ship(scene, { version: "2.1.0", beside: true, wrongOnLongRides: 0.2 });
    log(await look(scene));
    const by = await traffic(scene, 500, ({ decision }) => decision.action === "ABORT");
    const status = await statusOf(scene);
    assert.equal(status?.decision.action, "ABORT", JSON.stringify(status));
    assert.equal(status.decision.metric, "labels");
    assert.deepEqual(Object.keys(by), [live], "a shadow's answers are never returned");
    log(`ended after ${status.rows.candidateTotal} rows in the shadow, before anybody had got an answer of it`);
    assert.deepEqual(await traffic(scene, 10), { [live]: 10 });
    const found = await look(scene);
    assert.match(found, /^FAIL/);
    assert.equal(await scene.serves(space), live);
    log(found);
  },
};

export const pausedRollout: Story = {
  number: 14,
  title: "Low traffic pauses a roll-out; omar overrides with a reason in the chat, and lena's end stays",
  async play(scene, log) {
    const live = await baseline(scene);
    await ship(scene, { version: "2.2.0", beside: true });
    await scene.startBot();
    log(await look(scene));
    await traffic(scene, 4);
    await sleep(61_000);
    const paused = await look(scene);
    assert.match(paused, /fewer than 5 rows of the candidate in 1 minutes/);
    assert.equal((await statusOf(scene))?.decision.action, "PAUSE");
    log(paused);

    assert.match(await answerTo(scene, "omar", `/rollout ${id}`, /roll-out of fares/), /PAUSE/);
    const runs = scene.runsOf("rollout.yml").length;
    scene.telegram.people.says(scene.people.omar, `/rollout ${id} override the holidays begin`, { chat });
    const button = (label: string) =>
      scene.until(() => scene.buttons().find((one) => one.label === label), `the button ${label}`);
    scene.pressButton("omar", await button("Override…"));
    scene.pressButton("omar", await button("Yes, override: the holidays begin"));
    const run = await scene.until(() => scene.runsOf("rollout.yml")[runs], "the workflow to be dispatched");
    await scene.until(() => run.status === "completed", "the workflow to end", 120_000);
    await scene.github.settled();
    assert.equal(run.conclusion, "success", scene.logs(run));
    assert.equal(run.actor, "omar", "GitHub knows who acted");
    assert.match(scene.logs(run), /overridden by omar: the holidays begin – omar, through Telegram, sl-/);
    assert.equal((await statusOf(scene))?.step, 1);
    log(`overridden by omar, with the reason in the record: the candidate answers 20 %`);
    const spoken = await traffic(scene, 60);
    assert.ok((spoken["2.2.0"] ?? 0) > 0, "the candidate answers some");
    const ended = await look(scene, { does: "abort", reason: "complaints" });
    assert.match(ended, /^FAIL.*ended by lena: complaints/);
    await kill(scene);
    assert.match(await look(scene), /^FAIL.*ended by lena: complaints/);
    assert.deepEqual(await traffic(scene, 10), { [live]: 10 });
    log(ended);
  },
};
