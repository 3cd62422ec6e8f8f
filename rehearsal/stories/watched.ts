import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pushTo } from "../github/stories.ts";
import { answerTo } from "../scene/asking.ts";
import { root } from "../scene/repository.ts";
import { chat, team, textOf, type Scene } from "../scene/scene.ts";
import type { Story } from "./story.ts";
import { birthDays, trainingLines } from "./watched/births-days.ts";
import { Ledger } from "./watched/ledger.ts";
import { labelDays, live, margin, release, setting, type Watched } from "./watched/team.ts";
import { Traffic, type World } from "./watched/traffic.ts";

const dayMs = 86_400_000;
/** Days before the true present at which the story begins. By then births has an alert, and a person acts on it. */
const before = 3 * 365;
/** The mean error of up to a year, and of four months at least, tells whether births is really worse. */
const judgedDays = { least: 120, most: 365 };
const both = ["births", "fares"] as const;

export const watched: Story = {
  number: 15,
  title:
    "births and fares are live for years: what drifts, breaks, fails or is poisoned, what people are told, and a retrained births",
  beside: true,
  // It plays years in about six minutes.
  rehearsalOnly: true,
  setting,
  async play(scene, log) {
    const { github, hubs } = scene;
    await goLive(scene);
    log("births 1.1.0 and fares 1.1.0 are live");

    const days = birthDays();
    const midnight = Math.floor(Date.now() / dayMs) * dayMs;
    const ledger = new Ledger(scene, midnight - before * dayMs);
    const traffic = new Traffic(scene);
    await scene.clocks!.bot.set(ledger.timeOf(0, 6));
    await scene.startBot();
    await answerTo(scene, "lena", "/subscribe all watch", /hears of/);

    let limit = await limitOf(scene);
    let day = 0;
    /** Plays days. @param every days between two looks */
    const play = async (count: number, world: World | null, every: number, watch: readonly Watched[] = both) => {
      for (const end = day + count; day < end; day++) {
        await scene.clocks!.spaces.set(ledger.timeOf(day, 12));
        if (world !== null) await traffic.rides(day, world);
        await traffic.births(days[day]!);
        judgeBirths();
        if (day % every === every - 1 || day === end - 1) await ledger.look(day, watch);
      }
    };
    const judgeBirths = () => {
      const latest = traffic.errors.slice(-judgedDays.most);
      const worse = latest.length >= judgedDays.least && mean(latest) > limit;
      const open = ledger.troubles.find(({ model, to }) => model === "births" && to === null);
      if (worse && open === undefined) ledger.begins("births", "mean error beyond the margin", day);
      else if (!worse && open !== undefined) open.to = day;
    };
    const alertsOf = (model: Watched) => ledger.alerts.filter((one) => one.model === model);

    await play(60, {}, 3);
    assert.deepEqual(ledger.alerts, [], "no alert in stable months");
    log(`day ${day}: two stable months, ${traffic.rows} answers, no alert`);

    await play(28, { short: true }, 2);
    const inputs = await answerTo(scene, "lena", "/watch fares", /^fares/);
    assert.deepEqual(ledger.alerts, [], `a drift of inputs alone is no alert\n${inputs}`);
    await play(14, {}, 3);
    assert.deepEqual(ledger.alerts, []);
    log(`day ${day}: rides got short for four weeks; answers' figures held, and nobody was alarmed`);

    // A Space forgets everything at a restart. What it had counted is with the bot.
    await restarted(scene, "fares");
    const dearer = ledger.begins("fares", `fares rose, and true fares come ${labelDays} days later`, day);
    for (let i = 0; i < 20 && alertsOf("fares").length === 0; i++) await play(1, { dearer: 1 }, 1);
    dearer.to = day - 1;
    assert.equal(alertsOf("fares").length, 1, "a drift of the concept is an alert");
    log(`day ${day - 1}: fares had risen ${day - 1 - dearer.from} days before; FAIL`);
    for (let i = 0; i < 40 && alertsOf("fares")[0]!.closed === null; i++) await play(1, {}, 1);
    assert.notEqual(alertsOf("fares")[0]!.closed, null, "the alert is closed when fares are again what they were");
    log(`day ${day - 1}: fares fell again; the alert is closed`);

    const outage = ledger.begins("fares", "its Space does not answer", day);
    await hubs.of(live.fares).space.fallAsleep();
    await play(5, {}, 1);
    await restarted(scene, "fares");
    outage.to = day - 1;
    await play(3, {}, 1);
    const [, unreachable] = alertsOf("fares");
    assert.equal(unreachable?.state, "UNREACHABLE");
    assert.notEqual(unreachable.closed, null, "it answers again");
    log(`day ${day - 1}: the Space was down for five days; told on day ${unreachable.day}, and that it answers again`);

    const known = { ...traffic.feedback.fares };
    for (let i = 0; i < 7; i++) {
      await play(1, {}, 1);
      await poison(traffic);
    }
    await play(labelDays + 2, {}, 1);
    const refused = difference(traffic.feedback.fares, known);
    assert.equal(alertsOf("fares").length, 2, "labels for guessed ids, and second labels, change nothing");
    log(`day ${day - 1}: a poisoned feedback stream; of ${total(refused)} labels ${words(refused)}; no alert`);

    await restarted(scene, "births");
    const quietDays = day;
    for (let left = before - day; left > 0 && alertsOf("births").length === 0; left -= 7)
      await play(Math.min(7, left), null, 7, ["births"]);
    const [alert] = alertsOf("births");
    assert.notEqual(alert, undefined, `births from 2004 on: an alert within ${before} days`);
    assert.equal(alert!.state, "FAIL");
    log(
      `day ${day - 1}: births on ${days[day - 1]!.date}, ${day - quietDays} days of its own later: mean error ${mean(traffic.errors.slice(-90)).toFixed(0)} in 90 days, ${limit.toFixed(0)} is the limit; FAIL`,
    );

    const learnt = days.slice(0, day);
    await retrained(scene, learnt, log);
    const was = traffic.errors.slice(-judgedDays.least);
    limit = await limitOf(scene);
    // A day has passed for everybody.
    day = before + 1;
    const first = day;
    const open = ledger.troubles.find(({ model, to }) => model === "births" && to === null);
    if (open !== undefined) open.to = day - 1;
    traffic.errors.length = 0;
    for (let i = 0; i < 26 && alertsOf("births").length === 1; i++) await play(7, null, 7, ["births"]);
    assert.notEqual(alertsOf("births")[0]!.closed, null, "the alert of the version before is closed");
    const alertMessages = scene.said().filter((message) => /watch of (births|fares)/.test(textOf(message)));
    assert.ok(alertMessages.length >= ledger.alerts.filter(({ state }) => state === "FAIL").length, scene.chats());
    for (const message of alertMessages)
      assert.notEqual(message.photo, null, `a picture shows why: ${textOf(message)}`);
    log(
      `day ${day - 1}: births 1.1.1 is live for ${day - first} days: mean error ${mean(traffic.errors).toFixed(0)}, ${mean(was).toFixed(0)} in the ${was.length} days before`,
    );
    for (const model of both)
      for (const { day: alertDay, state, trouble } of alertsOf(model))
        if (trouble === null) log(`day ${alertDay}: a false alert of ${model}, ${state}`);
    assert.equal(github.violations().length, 0);
    return ledger.lines();
  },
};

const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
const total = (tally: Readonly<Record<string, number>>) => Object.values(tally).reduce((sum, one) => sum + one, 0);
const words = (tally: Readonly<Record<string, number>>) =>
  Object.entries(tally)
    .map(([result, count]) => `${count} ${result}`)
    .join(", ");
const difference = (after: Readonly<Record<string, number>>, before_: Readonly<Record<string, number>>) =>
  Object.fromEntries(
    Object.entries(after)
      .map(([key, count]) => [key, count - (before_[key] ?? 0)] as const)
      .filter(([, count]) => count > 0),
  );

/** The mean error that the live births may have: what its gate measured, as its Space says, and the margin. */
async function limitOf({ hubs }: Scene): Promise<number> {
  const response = await fetch(`http://${hubs.of(live.births).domain}/models/births/watch`);
  const { profile } = (await response.json()) as {
    profile: { performance: { metric: string; value: number }[] };
  };
  const measured = profile.performance.find(({ metric }) => metric === "mae");
  assert.ok(measured !== undefined);
  return (1 + margin) * measured.value;
}

/** Both models through gate and deployment into production. */
async function goLive(scene: Scene): Promise<void> {
  const { github } = scene;
  github.setVariable(team, "SLUICE_DEPLOY_AFTER_MERGE", "production");
  for (const id of both) github.createEnvironment(team, `${id}-production`);
  const sha = await pushTo(github, {
    repository: team,
    branch: "main",
    files: release(),
    message: "births 1.1.0 and fares 1.1.0",
    by: "acme",
  });
  await github.settled();
  const gate = scene.runsOf("gate.yml", sha).at(-1);
  assert.equal(gate?.conclusion, "success", gate === undefined ? "the gate did not start" : scene.logs(gate));
  const deploy = scene.runsOf("deploy.yml", sha).at(-1);
  assert.equal(deploy?.conclusion, "success", deploy === undefined ? "nothing was deployed" : scene.logs(deploy));
  for (const id of both) assert.equal(await scene.serves(live[id]), "1.1.0");
}

async function restarted(scene: Scene, model: Watched): Promise<void> {
  const { space } = scene.hubs.of(live[model]);
  const old = space.live;
  await space.restart(false);
  await scene.until(
    () => space.stage === "RUNNING" && space.live !== null && space.live !== old,
    `${model} to restart`,
  );
}

/** Labels of ids that were never given out, and other labels for answers that have one. */
async function poison(traffic: Traffic): Promise<void> {
  const { latest } = traffic;
  assert.ok(latest !== null);
  await traffic.sendFeedback(
    "fares",
    latest.fares.map((_, i) => ({ predictionId: `0123456789ab.${i}.000000000000`, label: 9999 })),
  );
  if (traffic.labelled !== null)
    await traffic.sendFeedback(
      "fares",
      traffic.labelled.fares.map((_, i) => ({ predictionId: `${traffic.labelled!.id}:${i}`, label: 9999 })),
    );
}

/** New data, the training that it makes due, its pull request, the gate, the merge and the deployment. */
async function retrained(
  scene: Scene,
  learnt: Parameters<typeof trainingLines>[0],
  log: (line: string) => void,
): Promise<void> {
  const { github } = scene;
  github.allowActionsToOpenPulls(team);
  await scene.clocks!.spaces.set(Date.now());
  await scene.clocks!.bot.set(Date.now());
  const file = "models/births/data/train.csv";
  await pushTo(github, {
    repository: team,
    branch: "main",
    files: { [file]: readFileSync(join(root, file), "utf8") + trainingLines(learnt) },
    message: "Births until last month",
    by: "acme",
  });
  await github.settled();
  log(`new data: ${learnt.length} days, to ${learnt.at(-1)!.date}`);

  scene.telegram.people.says(scene.people.omar, "/retrain births its errors grew", { chat });
  scene.pressButton(
    "omar",
    await scene.until(
      () => scene.buttons().find(({ label }) => label === "Retrain"),
      "the question about the training",
    ),
  );
  await scene.until(() => scene.runsOf("retrain.yml").length > 0, "the training to start");
  await github.settled();
  const run = scene.runsOf("retrain.yml").at(-1)!;
  assert.equal(run.conclusion, "success", scene.logs(run));
  const [pull] = await scene.ask<{ number: number; title: string; head: { sha: string }; body: string }[]>("pulls");
  assert.equal(pull?.title, "Retrain births: 1.1.1", scene.logs(run));
  assert.match(pull.body, /its errors grew/);
  const gate = scene.runsOf("gate.yml", pull.head.sha).at(-1);
  assert.equal(gate?.conclusion, "success", gate === undefined ? "the gate was not dispatched" : scene.logs(gate));
  log(`${pull.title}: pull request ${pull.number} is opened with the reason, and the gate is started: PASS`);

  const merged = await scene.merge(pull.number, "lena");
  const deploy = scene.runsOf("deploy.yml", merged).at(-1);
  assert.equal(deploy?.conclusion, "success", deploy === undefined ? "nothing was deployed" : scene.logs(deploy));
  assert.equal(await scene.serves(live.births), "1.1.1");
  log("merged by a person, gated again, proved and live");
}
