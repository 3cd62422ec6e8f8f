import { afterAll, afterEach, describe, expect, it } from "vitest";
import { addRun } from "../../../rehearsal/github/seeded/state.ts";
import type { StoredMessage } from "../../../rehearsal/telegram/state.ts";
import {
  alreadyLinked,
  ask,
  changes,
  group,
  labels,
  main,
  tap,
  remember,
  requireRemembered,
  said,
  until,
  world,
  type World,
} from "../harness.ts";
import { released } from "../released.ts";

let here: World;

afterEach(async () => {
  const { violations } = here.telegram;
  await here.close();
  expect(violations).toEqual([]);
  remember(here);
});

const dispatches = () => changes(here).filter((one) => one.endsWith("/dispatches"));
const says = (message: StoredMessage, words: RegExp) =>
  until(() => words.test(message.text ?? ""), `${words} in ${message.text}; the bot says: ${here.bot?.log()}`);
/** The toasts that people saw, by the number of the tap. */
const toasts = () =>
  here.telegram.succeeded("answerCallbackQuery").map(({ parameters }) => String(parameters["text"] ?? ""));

async function begun(config: object = {}, both = false): Promise<void> {
  here = await world({ config });
  released(here);
  alreadyLinked(here, here.ana, "ana-gh");
  if (both) alreadyLinked(here, here.ben, "ben-gh");
  await here.start();
}

afterAll(requireRemembered);

describe("acting", () => {
  it("cancels a run that goes on after two taps, once, and not one that has ended", async () => {
    await begun();
    const going = addRun(here.github.state.workflows, {
      file: "gate.yml",
      title: "A long gate",
      status: "in_progress",
    });
    expect(labels(await ask(here, here.ana, "/cancel"))).toEqual([`/cancel ${going.id}`]);
    const message = await ask(here, here.ana, `/cancel ${going.id}`);
    expect(labels(message)).toEqual(["Cancel the run…", "Leave it"]);
    await tap(here, here.ana, message, "Cancel the run…");
    await says(message, /really cancel A long gate/);
    expect(going.status).toBe("in_progress");
    await tap(here, here.ana, message, "Yes, cancel the run");
    await says(message, /✅ cancel A long gate \(run \d+\): done/);
    expect(changes(here)).toEqual([`POST /actions/runs/${going.id}/cancel`]);
    expect((await ask(here, here.ana, `/cancel ${going.id}`)).text).toContain("has ended already: ⚪ cancelled");
    expect((await ask(here, here.ana, "/cancel 999")).text).toContain("There is no run 999");
  });

  it("deploys to an environment that is not dangerous after one tap, as the person, bound to the commit", async () => {
    await begun();
    const message = await ask(here, here.ana, "/deploy mood staging");
    expect(message.text).toMatch(
      /ana-gh wants to deploy mood main at 1a2b3c4 to staging\ncommit 1a2b3c4 · report [0-9a-f]{12}/,
    );
    expect(dispatches()).toEqual([]);
    await tap(here, here.ana, message, "Deploy");
    await says(message, /✅ deploy mood .*: done[\s\S]*run 501/);
    const [dispatch] = here.github.transcript.filter(({ path }) => path.endsWith("/dispatches"));
    expect(dispatch?.path).toBe("/repos/octo/models/actions/workflows/deploy.yml/dispatches");
    expect(dispatch?.body).toMatchObject({
      ref: "main",
      return_run_details: true,
      inputs: {
        model: "mood",
        environment: "staging",
        ref: main,
        reason: expect.stringMatching(/^ana-gh, through Telegram, sl-[0-9a-f]{16}$/) as string,
      },
    });
    expect(dispatch?.authorization).toContain("ghu_standinana-gh");
    expect((await ask(here, here.ana, "/audit")).text).toMatch(
      /ana-gh deploy done: mood staging run 501 · commit 1a2b3c4 · report [0-9a-f]{12} · started run 501 · sl-[0-9a-f]{16}\n.*ana-gh confirms deploy: mood staging · commit 1a2b3c4 · report [0-9a-f]{12} · sl-.*\n.*ana-gh asks deploy: mood staging/,
    );
    expect(here.github.state.workflows.runs.at(-1)?.actor).toBe("ana-gh");
  });

  it("asks a second time if the environment is dangerous, and shows the run's end in the same message", async () => {
    await begun();
    const message = await ask(here, here.ana, "/deploy mood production 1.1.0");
    await tap(here, here.ana, message, "Deploy…");
    expect(message.text).toContain("really deploy mood 1.1.0 to production?");
    expect(dispatches()).toEqual([]);
    await tap(here, here.ana, message, "Yes, deploy");
    await says(message, /: done/);
    expect(dispatches()).toHaveLength(1);
    const run = here.github.state.workflows.runs.at(-1);
    Object.assign(run as object, { status: "completed", conclusion: "success" });
    await says(message, /run 501: success/);
  });

  it("does nothing if cancelled, or if a button is tapped twice, by somebody else, elsewhere, forged or too late", async () => {
    await begun({ approvals: { expireSeconds: 3 } }, true);
    const message = await ask(here, here.ana, "/deploy mood staging", group);
    const place = { chat: group, message_id: message.message_id };
    const data = message.markup?.inline_keyboard[0]?.[0]?.["callback_data"] as string;
    here.telegram.people.presses(here.ben, place, "Deploy");
    await until(() => toasts().includes("This button is ana-gh's."), "ben's toast");
    here.telegram.people.forges(here.stranger, place, data);
    here.telegram.people.forges(here.ana, { chat: here.ana.id, message_id: 1 }, data);
    here.telegram.people.forges(here.ana, place, "n:AAAAAAAAAAAAAAAAAAAAAA");
    here.telegram.people.forges(here.ana, place, "sl-0123456789abcdef");
    await until(() => toasts().filter((one) => one === "This button is not known.").length === 3, "three toasts");
    await tap(here, here.ana, message, "Cancel");
    here.telegram.people.forges(here.ana, place, data);
    await until(() => toasts().includes("This button was used already."), "the toast of a used button");
    const late = await ask(here, here.ana, "/deploy mood staging");
    const lateData = late.markup?.inline_keyboard[0]?.[0]?.["callback_data"] as string;
    await new Promise((resolve) => {
      setTimeout(resolve, 3_100);
    });
    here.telegram.people.forges(here.ana, { chat: here.ana.id, message_id: late.message_id }, lateData);
    await until(() => toasts().includes("This button is too old: ask again."), "the toast of an old button");
    await says(late, /cancelled[\s\S]*nobody confirmed in time/);
    expect(labels(late)).toEqual([]);
    expect((await ask(here, here.ana, "/audit")).text).toMatch(
      /the bot deploy expired: mood staging · commit 1a2b3c4 · report [0-9a-f]{12} · nobody confirmed in time · sl-[\s\S]*ana-gh cancels deploy: mood staging · commit/,
    );
    expect(changes(here)).toEqual([]);
  });

  it("a tap that is delivered again, also under new update ids, acts once", async () => {
    await begun();
    const message = await ask(here, here.ana, "/deploy mood staging");
    const update = here.telegram.people.presses(
      here.ana,
      { chat: here.ana.id, message_id: message.message_id },
      "Deploy",
    );
    for (let i = 0; i < 5; i += 1) here.telegram.people.deliver(update);
    for (let i = 0; i < 5; i += 1)
      here.telegram.people.deliver({ ...update, update_id: here.telegram.people.nextUpdateId() });
    await says(message, /: done/);
    await ask(here, here.ana, "/whoami");
    expect(dispatches()).toHaveLength(1);
  });

  it("people who are not linked, or have lost the permission, cannot act", async () => {
    await begun();
    expect((await ask(here, here.ben, "/deploy mood staging")).text).toContain("no GitHub account is linked");
    const message = await ask(here, here.ana, "/deploy mood staging");
    Object.assign(here.github.state.workflows.people["ana-gh"] as object, { role: "read" });
    here.telegram.people.presses(here.ana, { chat: here.ana.id, message_id: message.message_id }, "Deploy");
    await until(() => toasts().some((one) => one.includes("ana-gh has read")), "the refusal");
    Object.assign(here.github.state.workflows.people["ana-gh"] as object, { role: "write", id: 9999 });
    here.telegram.people.presses(here.ana, { chat: here.ana.id, message_id: message.message_id }, "Deploy");
    await until(() => toasts().some((one) => one.includes("another GitHub account now")), "the refusal");
    expect(changes(here)).toEqual([]);
  });

  it("refuses when the commit, the report or the lock changed after the button was shown", async () => {
    await begun({ models: [{ id: "mood" }] });
    const { git, workflows } = here.github.state;
    const moved = await ask(here, here.ana, "/deploy mood staging");
    git.refs["refs/heads/main"] = { sha: "f".repeat(40), type: "commit" };
    await tap(here, here.ana, moved, "Deploy");
    await says(moved, /refused[\s\S]*main is at fffffff now, not at 1a2b3c4/);
    git.refs["refs/heads/main"] = { sha: main, type: "commit" };
    const replaced = await ask(here, here.ana, "/deploy mood staging");
    Object.assign(workflows.runs[0] as object, {
      artifacts: [{ name: "sluice-gate-cpu-0", digest: `sha256:${"c".repeat(64)}` }],
    });
    await tap(here, here.ana, replaced, "Deploy");
    await says(replaced, /refused[\s\S]*the report has changed/);
    const locked = await ask(here, here.ana, "/deploy mood staging");
    const lock = await ask(here, here.ana, "/lock incident 12 <b>");
    await tap(here, here.ana, lock, "Lock");
    await says(lock, /✅ lock[\s\S]*locked mood-staging, mood-production/);
    await tap(here, here.ana, locked, "Deploy");
    await says(locked, /refused[\s\S]*mood-staging is locked by ana-gh: incident 12/);
    expect((await ask(here, here.ana, "/deploy mood production")).text).toContain("🔒");
    const unlock = await ask(here, here.ana, "/unlock");
    await tap(here, here.ana, unlock, "Unlock…");
    await tap(here, here.ana, unlock, "Yes, unlock");
    await says(unlock, /unlocked mood-production, mood-staging/);
    expect(Object.keys(git.refs).filter((ref) => ref.startsWith("refs/sluice/"))).toEqual([]);
    expect(dispatches()).toEqual([]);
  });

  it("refuses a commit whose gate did not pass", async () => {
    await begun();
    Object.assign(here.github.state.workflows.runs[0] as object, { conclusion: "failure" });
    expect((await ask(here, here.ana, "/deploy mood staging")).text).toMatch(
      /⛔ mood at 1a2b3c4: ❌ FAILURE.*Only PASS is deployed/,
    );
    expect(changes(here)).toEqual([]);
  });

  it("takes two different persons with permission where two are required", async () => {
    await begun({ environments: { production: { danger: true, persons: 2 } } }, true);
    const message = await ask(here, here.ana, "/deploy mood production", group);
    await tap(here, here.ana, message, "Deploy…");
    await tap(here, here.ana, message, "Yes, deploy");
    expect(message.text).toContain("1 of 2 persons");
    here.telegram.people.presses(here.ana, { chat: group, message_id: message.message_id }, "Approve…");
    await until(() => toasts().some((one) => one.startsWith("You asked for it")), "the refusal");
    Object.assign(here.github.state.workflows.people["ben-gh"] as object, { role: "read" });
    here.telegram.people.presses(here.ben, { chat: group, message_id: message.message_id }, "Approve…");
    await until(() => toasts().some((one) => one.includes("ben-gh has read")), "the refusal");
    Object.assign(here.github.state.workflows.people["ben-gh"] as object, { role: "admin" });
    await tap(here, here.ben, message, "Approve…");
    expect(labels(message)).toEqual(["Yes, I approve (ben-gh)", "Approve…", "Cancel"]);
    expect(dispatches()).toEqual([]);
    await tap(here, here.ben, message, "Yes, I approve (ben-gh)");
    await says(message, /: done[\s\S]*by ana-gh, approved by ben-gh/);
    expect(dispatches()).toHaveLength(1);
  });

  it("/rollback names the last version that passed and goes back to it", async () => {
    await begun();
    const message = await ask(here, here.ana, "/rollback mood production");
    expect(message.text).toContain("roll mood in production back to 1.0.0");
    await tap(here, here.ana, message, "Roll back…");
    await tap(here, here.ana, message, "Yes, roll back");
    await says(message, /: done/);
    expect(here.github.transcript.find(({ path }) => path.endsWith("/dispatches"))?.body).toMatchObject({
      inputs: {
        model: "mood",
        environment: "production",
        version: "1.0.0",
        reason: expect.any(String) as string,
        request: expect.any(String) as string,
      },
    });
    expect(here.github.transcript.find(({ path }) => path.endsWith("/dispatches"))?.body).not.toHaveProperty(
      "inputs.ref",
    );
    expect((await ask(here, here.ana, "/rollback mood production 1.1.0")).text).toContain("1.1.0 is live already");
  });

  it("/approve reviews the pending deployment as the person, once, and the Deployment says who", async () => {
    await begun();
    const { workflows, rows, deployments } = here.github.state;
    const run = addRun(workflows, {
      file: "deploy.yml",
      title: `Deploy mood to production at ${main}`,
      status: "waiting",
      sha: main,
      actor: "octo",
      event: "workflow_dispatch",
      pending: [{ id: 77, name: "mood-production", reviewers: ["ana-gh"] }],
    });
    rows.push({
      id: 7100,
      sha: main,
      ref: main,
      task: "deploy",
      environment: "mood-production",
      description: "",
      payload: {},
      transient_environment: false,
      production_environment: true,
    });
    deployments[7100] = [{ id: 1, state: "queued", description: "", log_url: "", environment_url: "" }];
    const message = await ask(here, here.ana, "/approve");
    expect(labels(message)).toEqual(["Approve mood-production", "Reject mood-production"]);
    await tap(here, here.ana, message, "Approve mood-production");
    await tap(here, here.ana, message, "Yes, approve");
    await says(message, /✅ approve mood at 1a2b3c4 for mood-production \(run 501\): done/);
    expect(run.reviews).toEqual([
      {
        state: "approved",
        user: "ana-gh",
        environment: "mood-production",
        comment: expect.stringMatching(/^ana-gh, through Telegram, sl-/) as string,
      },
    ]);
    expect(deployments[7100].at(-1)?.description).toMatch(
      /^approved by ana-gh, through Telegram, sl-[0-9a-f]{16}, report [0-9a-f]{12}$/,
    );
    expect((await ask(here, here.ana, "/approve")).text).toContain("No run waits");
  });

  it("/reject takes two taps and a reason; a run is not approved for a commit other than the one shown", async () => {
    await begun();
    const run = addRun(here.github.state.workflows, {
      file: "deploy.yml",
      status: "waiting",
      sha: main,
      pending: [{ id: 77, name: "production", reviewers: ["ana-gh"] }],
    });
    const message = await ask(here, here.ana, "/approve");
    await tap(here, here.ana, message, "Approve production");
    run.sha = "e".repeat(40);
    await tap(here, here.ana, message, "Yes, approve");
    await says(message, /refused[\s\S]*the run is for eeeeeee, not for 1a2b3c4/);
    run.sha = main;
    const again = await ask(here, here.ana, "/reject 501");
    await tap(here, here.ana, again, "Reject production");
    expect(run.reviews).toEqual([]);
    expect(again.text).toContain("really reject a model at 1a2b3c4 for production (run 501)?");
    await tap(here, here.ana, again, "Yes, reject: not now");
    await says(again, /✅ reject a model at 1a2b3c4 for production \(run 501\): not now: done/);
    expect(run.reviews).toMatchObject([
      { state: "rejected", comment: expect.stringMatching(/^not now – ana-gh, through Telegram, sl-/) as string },
    ]);
  });

  it("the person who started a run cannot approve it if two persons are required", async () => {
    await begun({ environments: { production: { persons: 2 } } });
    const run = addRun(here.github.state.workflows, {
      file: "deploy.yml",
      status: "waiting",
      sha: main,
      actor: "ana-gh",
      pending: [{ id: 77, name: "production", reviewers: ["ana-gh"] }],
    });
    const message = await ask(here, here.ana, "/approve");
    here.telegram.people.presses(here.ana, { chat: here.ana.id, message_id: message.message_id }, "Approve production");
    await until(() => toasts().some((one) => one.startsWith("You started this run")), "the refusal");
    expect((await ask(here, here.ana, "/audit")).text).toMatch(
      /ana-gh refused approve: production run 501 · commit 1a2b3c4 · report [0-9a-f]{12} · You started this run/,
    );
    expect(run.reviews).toEqual([]);
  });

  it("strangers get no answer, whatever they send", async () => {
    await begun();
    const message = await ask(here, here.ana, "/deploy mood staging", group);
    const calls = here.telegram.transcript.length;
    for (let i = 0; i < 20; i += 1) {
      here.telegram.people.says(
        here.stranger,
        ["/status", "/deploy mood production", "/link", "/start x"][i % 4] as string,
        { chat: i % 2 === 0 ? group : here.stranger.id },
      );
      here.telegram.people.presses(here.stranger, { chat: group, message_id: message.message_id }, "Deploy");
    }
    // A listed user's id in somebody else's private chat is forged.
    here.telegram.people.says(here.ana, "/status", { chat: here.stranger.id });
    await ask(here, here.ana, "/whoami");
    const answered = here.telegram.transcript.slice(calls).filter(({ method }) => method !== "getUpdates");
    expect(answered.map(({ parameters }) => parameters["chat_id"])).toEqual([here.ana.id]);
    expect(said(here, here.stranger.id)).toEqual([]);
    expect(changes(here)).toEqual([]);
  });
});
