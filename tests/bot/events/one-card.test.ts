import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { placeDigest } from "../../../github/registry/card.ts";
import { addRun, type StoredRun } from "../../../rehearsal/github/seeded/state.ts";
import type { StoredMessage } from "../../../rehearsal/telegram/state.ts";
import type { UnpackedAction } from "../../actions/gate/runner.ts";
import { receipt, runNotify, unpackNotify, type NotifyOptions } from "../../actions/notify/step.ts";
import { stories } from "../../eval/report/stories.ts";
import {
  alreadyLinked,
  ask,
  group,
  labels,
  main,
  polledTwice,
  remember,
  requireRemembered,
  said,
  until,
  world,
  type World,
} from "../harness.ts";
import { released } from "../released.ts";

// Tests the built step and the bundled bot together, with one Telegram and one GitHub. They exchange data only through
// GitHub.

let action: UnpackedAction;
let here: World;

beforeAll(async () => {
  action = await unpackNotify();
});
afterAll(() => {
  action.remove();
  requireRemembered();
});
afterEach(async () => {
  const { violations } = here.telegram;
  await here.close();
  expect(violations).toEqual([]);
  remember(here);
});

async function begun(config: object = {}): Promise<void> {
  here = await world({ config });
  here.github.state.viewer = "github-actions[bot]";
  here.github.state.commitPulls[main] = [{ number: 12, head: "octo:topic", headSha: main }];
  released(here);
  alreadyLinked(here, here.ana, "ana-gh");
  await here.start();
  await ask(here, here.ana, "/subscribe all all", group);
  await polledTwice(here);
}

const push = { name: "push", payload: {} };
/** Verdicts of the commit that is deployed. */
const [pass, fail] = [
  { ...stories.pass, commit: main },
  { ...stories.fail, commit: main },
];

async function notify(phase: string, options: Partial<NotifyOptions> = {}) {
  const run = await runNotify({
    action,
    inputFiles: { verdict: pass },
    event: push,
    sha: main,
    apiUrl: here.github.url,
    ...options,
    inputs: {
      token: here.telegram.token,
      chat: String(group),
      "api-root": here.telegram.url,
      "github-token": "ghs_a1b2c3d4e5f6",
      phase,
      ...options.inputs,
    },
  });
  expect([run.code, run.outputs["status"]], run.log).toEqual([0, expect.stringMatching(/sent|edited|resent/)]);
  return run;
}

function waits(environment = "mood-production"): StoredRun {
  return addRun(here.github.state.workflows, {
    file: "deploy.yml",
    title: `Deploy mood to production at ${main}`,
    status: "waiting",
    sha: main,
    actor: "octo",
    event: "workflow_dispatch",
    pending: [{ id: 77, name: environment, reviewers: ["ana-gh"] }],
  });
}

/** The bot's messages in the group, without the answer to /subscribe and the reply that made the sound. */
const posted = () => said(here, group).filter(({ text, replyTo }) => replyTo === null && !/hears of/.test(text ?? ""));
const words = (message: StoredMessage | undefined) => JSON.stringify(message?.rich ?? message?.text);
const shows = (message: StoredMessage, ...wanted: string[]) =>
  until(
    () => labels(message).join("|") === wanted.join("|"),
    `${wanted.join("|")}: ${labels(message).join("|")}; ${here.bot?.log().slice(-1500)}`,
  );
const tap = (button: string, message: StoredMessage) =>
  here.telegram.people.presses(here.ana, { chat: group, message_id: message.message_id }, button);
const links = ["Run", "Report", "Pull request"];
const asked = ["Approve mood-production", "Reject mood-production"];

async function cardThatAsks(): Promise<{ card: StoredMessage; run: StoredRun }> {
  await notify("waiting");
  const run = waits();
  const card = posted()[0] as StoredMessage;
  await shows(card, ...links, ...asked);
  return { card, run };
}

describe("one card, kept by the step and the bot", () => {
  it("from the gate to production: buttons appear, work, and are replaced by who decided; nothing else is posted", async () => {
    await begun();
    await notify("verdict");
    const { card, run } = await cardThatAsks();
    expect(words(card)).toContain("waiting for approval");
    tap("Approve mood-production", card);
    await shows(card, ...links, "Yes, approve", "Cancel");
    expect(here.telegram.succeeded("answerCallbackQuery").at(-1)?.parameters).toMatchObject({
      show_alert: true,
      text: expect.stringMatching(
        /^Really approve mood at 1a2b3c4 for mood-production \(run 501\)\? Commit 1a2b3c4, report [0-9a-f]{12}\./,
      ) as string,
    });
    tap("Yes, approve", card);
    await shows(card, ...links, "✅ mood-production approved by ana-gh");
    expect(run.reviews).toMatchObject([{ state: "approved", user: "ana-gh", environment: "mood-production" }]);
    // The step's next edit removes the line. The bot puts it back under the new text and the new links.
    await notify("build");
    await shows(card, ...links, "✅ mood-production approved by ana-gh");
    expect(words(card)).toContain("deploying");
    const { rows, deployments } = here.github.state;
    rows.push({
      id: 7500,
      sha: main,
      ref: main,
      task: "sluice",
      environment: "mood-production",
      description: "",
      payload: { model: { id: "mood", version: "1.1.0", sha256: "x" }, verdictSha256: "y" },
      transient_environment: false,
      production_environment: true,
    });
    deployments[7500] = [{ id: 1, state: "success", description: "live", log_url: "", environment_url: "" }];
    await notify("auto", {
      inputFiles: {
        verdict: pass,
        deployment: receipt("live", {
          deployed: { model: { id: "mood", version: "1.1.0" }, source: { commit: main } },
        }),
      },
    });
    await shows(card, ...links, "Space", "✅ mood-production approved by ana-gh");
    Object.assign(run, { status: "completed", conclusion: "success" });
    await polledTwice(here);
    expect(words(card)).toContain("live in production");
    expect(posted()).toHaveLength(1);
  });

  it("both edit in any order while the run waits: the text is the newest, and the buttons work", async () => {
    await begun();
    const { card } = await cardThatAsks();
    await notify("waiting", { inputFiles: { verdict: fail } });
    await shows(card, ...links, ...asked);
    expect(words(card)).toContain("FAIL");
    // Both edit at once, several times. Whichever is last, both results are visible in the end.
    for (const story of [pass, fail, pass]) {
      await Promise.all([notify("waiting", { inputFiles: { verdict: story } }), polledTwice(here)]);
    }
    await shows(card, ...links, ...asked);
    tap("Approve mood-production", card);
    await shows(card, ...links, "Yes, approve", "Cancel");
    await notify("waiting", { inputFiles: { verdict: fail } });
    await shows(card, ...links, "Yes, approve", "Cancel");
    tap("Cancel", card);
    await shows(card, ...links, "⚪ cancelled by ana-gh", ...asked);
    expect(words(card)).toContain("FAIL");
    expect(posted()).toHaveLength(1);
  });

  it("the buttons come back even after an edit whose marker GitHub refused", async () => {
    await begun();
    const { card } = await cardThatAsks();
    here.github.state.faults.push({
      method: "PATCH",
      path: /comments/,
      times: 9,
      does: { kind: "answer", status: 403, message: "Resource not accessible by integration" },
    });
    const edits = card.edits;
    await notify("waiting", { inputFiles: { verdict: fail } });
    await until(() => card.edits > edits, "the edit");
    await shows(card, ...links, ...asked);
    expect(words(card)).toContain("FAIL");
  });

  it("a decision on an older report is refused, and asked again on the new one", async () => {
    await begun();
    const { card, run } = await cardThatAsks();
    const report = (digest: string) =>
      Object.assign(here.github.state.workflows.runs[0] as object, {
        artifacts: [{ name: "sluice-gate-cpu-0", digest: `sha256:${digest.repeat(64)}` }],
      });
    tap("Approve mood-production", card);
    await shows(card, ...links, "Yes, approve", "Cancel");
    report("c");
    tap("Yes, approve", card);
    await shows(card, ...links, "⛔ the report has changed since it was shown", ...asked);
    expect(run.reviews).toEqual([]);
    tap("Reject mood-production", card);
    const reasons = ["the figures", "not now", "not this version"].map((reason) => `Yes, reject: ${reason}`);
    await shows(card, ...links, ...reasons, "Cancel");
    tap("Yes, reject: not now", card);
    await shows(card, ...links, "❌ mood-production rejected by ana-gh");
    expect(run.reviews.map(({ state }) => state)).toEqual(["rejected"]);
  });

  it("a question that nobody confirms in time is asked again", async () => {
    await begun({ approvals: { expireSeconds: 1 } });
    const { card, run } = await cardThatAsks();
    tap("Approve mood-production", card);
    await shows(card, ...links, "⚪ nobody confirmed in time", ...asked);
    expect(run.reviews).toEqual([]);
  });

  it("a question that nobody decides in time loses its buttons and says how to go on", async () => {
    await begun({ approvals: { waitSeconds: 1 } });
    await notify("waiting");
    waits();
    await shows(posted()[0] as StoredMessage, ...links, "⌛ not decided in time: /approve");
    expect(posted()).toHaveLength(1);
  });

  it("shows a decision on GitHub's own page, and a cancelled run", async () => {
    await begun();
    const { card, run } = await cardThatAsks();
    run.reviews.push({ state: "approved", user: "carla", environment: "mood-production", comment: "fine" });
    Object.assign(run, { status: "in_progress", pending: [] });
    await shows(card, ...links, "✅ mood-production approved by carla");
    const second = waits("mood-staging");
    await shows(card, ...links, "Approve mood-staging", "Reject mood-staging");
    Object.assign(second, { status: "completed", conclusion: "cancelled", pending: [] });
    await shows(card, ...links, "⚪ mood-staging: the run ended, cancelled");
    expect(posted()).toHaveLength(1);
  });

  it("a kill between the tap and the edit loses nothing", async () => {
    await begun();
    const { card, run } = await cardThatAsks();
    tap("Approve mood-production", card);
    await shows(card, ...links, "Yes, approve", "Cancel");
    await here.kill();
    tap("Yes, approve", card);
    await notify("waiting", { inputFiles: { verdict: fail } });
    await here.start();
    await shows(card, ...links, "✅ mood-production approved by ana-gh");
    expect(run.reviews).toHaveLength(1);
    expect(words(card)).toContain("FAIL");
  });

  it("finds a card that a Deployment remembers", async () => {
    await begun();
    here.github.state.commitPulls = {};
    const { rows, deployments } = here.github.state;
    rows.push({
      id: 7700,
      sha: main,
      ref: main,
      task: "sluice",
      environment: "mood-production",
      description: "",
      payload: { model: { id: "mood", version: "1.1.0", sha256: "x" } },
      transient_environment: false,
      production_environment: true,
    });
    deployments[7700] = [
      {
        id: 1,
        state: "queued",
        description: "",
        log_url: "https://github.com/octo/models/actions/runs/42",
        environment_url: "",
      },
    ];
    await notify("waiting", { event: { name: "deployment", payload: { deployment: { id: 7700, sha: main } } } });
    waits();
    await shows(posted().find(({ rich }) => rich !== null) as StoredMessage, "Run", ...asked);
    expect(posted().some(({ text }) => text?.includes("waits for"))).toBe(false);
  });

  it("asks in a message of its own if there is no card, or its message was deleted", async () => {
    await begun();
    await notify("waiting");
    here.telegram.state.messages.splice(here.telegram.state.messages.indexOf(posted()[0] as StoredMessage), 1);
    waits();
    const own = await until(() => posted()[0], "the bot's own message");
    expect(own.text).toMatch(/^🔔 mood at 1a2b3c4 waits for mood-production/);
    expect(labels(own)).toEqual(asked);
  });

  it("does not believe a marker that somebody else wrote", async () => {
    await begun();
    const help = await ask(here, here.ana, "/help", group);
    here.github.state.comments.push({
      id: 900,
      issue: 12,
      author: "mallory",
      body: `<!-- sluice-card chat=${placeDigest(group, null)} cards={"mood":{"message":${help.message_id},"ring":null,"tone":"green"}} -->`,
    });
    const before = labels(help);
    waits();
    await until(
      () => posted().some(({ text }) => text?.includes("waits for mood-production")),
      "the bot's own message",
    );
    expect(labels(help)).toEqual(before);
  });
});
