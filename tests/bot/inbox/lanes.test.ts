import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { addRun } from "../../../rehearsal/github/seeded/state.ts";
import { addChat } from "../../../rehearsal/telegram/server.ts";
import {
  alreadyLinked,
  ask,
  group,
  labels,
  main,
  polledTwice,
  said,
  tap,
  until,
  world,
  type World,
} from "../harness.ts";
import { released } from "../released.ts";

let here: World;
const closing: (() => void)[] = [];

afterEach(async () => {
  const { violations } = here.telegram;
  await here.close();
  for (const close of closing.splice(0)) close();
  expect(violations).toEqual([]);
});

/** A Space that never answers. */
async function hangingSpace(): Promise<string> {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const answers = () => here.telegram.succeeded("answerCallbackQuery").length;

async function begun(config: object = {}, spaces: Record<string, string> = {}): Promise<void> {
  here = await world({ config, spaces });
  released(here);
  alreadyLinked(here, here.ana, "ana-gh");
  alreadyLinked(here, here.ben, "ben-gh");
  await here.start();
}

describe("presses", () => {
  it("work while commands of the same person in the same chat hang", async () => {
    await begun({ predict: { timeoutSeconds: 60 } }, { live: await hangingSpace() });
    const message = await ask(here, here.ana, "/deploy mood staging", group);
    for (let i = 0; i < 3; i += 1) here.telegram.people.says(here.ana, "/status mood", { chat: group });
    await until(() => said(here, group).some(({ text }) => text?.startsWith("⏳")), "the hanging command");
    await tap(here, here.ana, message, "Deploy");
    await until(() => message.text?.includes(": done"), "the deployment");
    expect(said(here, group).filter(({ text }) => text?.startsWith("⏳"))).toHaveLength(1);
    // Another person's command does not wait either.
    expect((await ask(here, here.ben, "/whoami", group)).text).toContain("ben-gh");
  });

  it("are acknowledged though GitHub hangs, and a refusal that comes too late for a toast is a message", async () => {
    await begun();
    const message = await ask(here, here.ana, "/deploy mood staging", group);
    Object.assign(here.github.state.workflows.people["ana-gh"] as object, { role: "read" });
    here.github.state.faults.push({ method: "GET", path: /\/permission$/, times: 1, does: { kind: "hang" } });
    const pressedAt = Date.now();
    here.telegram.people.presses(here.ana, { chat: group, message_id: message.message_id }, "Deploy");
    await until(() => answers() === 1, "the acknowledgement", 5_000);
    const acknowledged = here.telegram.succeeded("answerCallbackQuery")[0];
    expect(acknowledged?.parameters["text"]).toBeUndefined();
    // GitHub's time limit is ten seconds: the press was acknowledged long before.
    expect((acknowledged?.atMs ?? 0) - pressedAt).toBeLessThan(5_000);
    const late = await until(
      () => said(here, group).find(({ text }) => text?.startsWith("ana-gh: ")),
      "the refusal as a message",
      30_000,
    );
    expect(late.text).toMatch(/GitHub did not answer|ana-gh has read/);
  });
});

describe("alerts", () => {
  it("do not wait for the commands of one person; these wait instead", async () => {
    await begun({ telegram: { commandsPerMinute: 4 } });
    await ask(here, here.ana, "/subscribe all all", group);
    await polledTwice(here);
    here.telegram.state.limits = { private: { count: 100, perMs: 1_000 }, group: { count: 20, perMs: 60_000 } };
    for (let i = 0; i < 60; i += 1) here.telegram.people.says(here.ben, "/whoami", { chat: group });
    await until(() => said(here, group).length >= 4, "the first answers");
    addRun(here.github.state.workflows, { file: "gate.yml", conclusion: "failure", sha: "d".repeat(40) });
    await until(
      () => said(here, group).some(({ text }) => /failure gate of main/.test(text ?? "")),
      "the alert",
      10_000,
    );
    expect(said(here, group).filter(({ text }) => text?.startsWith("user 12")).length).toBeLessThanOrEqual(5);
    expect(here.telegram.transcript.filter(({ status }) => status === 429)).toEqual([]);
  });

  it("are sent though a waiting run cannot be looked at for good", async () => {
    await begun();
    await ask(here, here.ana, "/subscribe all all", group);
    await polledTwice(here);
    const { workflows } = here.github.state;
    const deleted = addRun(workflows, {
      file: "deploy.yml",
      status: "waiting",
      sha: main,
      pending: [{ id: 77, name: "mood-production", reviewers: [] }],
    });
    here.github.state.faults.push({
      method: "GET",
      path: new RegExp(`/runs/${deleted.id}/`),
      times: 1_000,
      does: { kind: "answer", status: 404, message: "Not Found" },
    });
    await polledTwice(here);
    addRun(workflows, { file: "gate.yml", conclusion: "failure", sha: "d".repeat(40) });
    const alert = await until(
      () => said(here, group).find(({ text }) => text?.includes("failure gate of main")),
      "the alert",
    );
    expect(alert.silent).toBe(false);
  });

  it("of an approval and of a failed production come through a mute", async () => {
    await begun();
    await ask(here, here.ana, "/subscribe all all", group);
    await ask(here, here.ana, "/mute all 1h", group);
    await polledTwice(here);
    const { workflows, rows, deployments } = here.github.state;
    for (const [id, environment] of [
      [7600, "mood-staging"],
      [7601, "mood-production"],
    ] as const) {
      rows.push({
        id,
        sha: main,
        ref: main,
        task: "sluice",
        environment,
        description: "",
        payload: { model: "mood", version: "2" },
        transient_environment: false,
        production_environment: true,
      });
      deployments[id] = [{ id: 1, state: "failure", description: "", log_url: "", environment_url: "" }];
    }
    addRun(workflows, {
      file: "deploy.yml",
      status: "waiting",
      sha: main,
      pending: [{ id: 77, name: "mood-production", reviewers: [] }],
    });
    const texts = () => said(here, group).map(({ text }) => text ?? "");
    await until(() => texts().some((one) => one.includes("waits for mood-production")), "the question");
    await until(() => texts().some((one) => one.includes("failed mood 2 in mood-production")), "the alert");
    await polledTwice(here);
    expect(texts().some((one) => one.includes("mood-staging"))).toBe(false);
  });
});

describe("a send whose answer was lost", () => {
  it("is found among other private chats' messages, which share one sequence of numbers", async () => {
    await begun();
    const others = Array.from({ length: 12 }, (_, i) => here.telegram.people.person(200 + i, `P${i}`));
    await ask(here, here.ana, "/subscribe all all");
    await polledTwice(here);
    // Much is written in other private chats, also by people whom the bot does not answer.
    for (let i = 0; i < 40; i += 1) here.telegram.people.says(here.ben, `/nonsense${i}`);
    await until(() => said(here, here.ben.id).length === 40, "the answers to Ben");
    for (const other of others) here.telegram.people.says(other, "hello");
    here.telegram.fail({ method: "sendMessage", times: 1, does: { kind: "accept-then-reset" } });
    addRun(here.github.state.workflows, {
      file: "deploy.yml",
      status: "waiting",
      sha: main,
      pending: [{ id: 77, name: "mood-production", reviewers: ["ana-gh"] }],
    });
    const questions = () => said(here, here.ana.id).filter(({ text }) => text?.includes("waits for mood-production"));
    const question = await until(() => questions()[0], "the question");
    for (const other of others) here.telegram.people.says(other, "hello again");
    await until(() => here.printed().includes('"event":"send-settled"'), "the search");
    await ask(here, here.ana, "/whoami");
    expect(questions()).toEqual([question]);
    await tap(here, here.ana, question, "Approve mood-production");
  });
});

describe("a group that becomes a supergroup", () => {
  const old = -500;
  const supergroup = -1009876543210;

  async function grouped(): Promise<void> {
    here = await world({ config: { telegram: { chats: [old] } } });
    addChat(here.telegram.state, { id: old, type: "group" });
    released(here);
    alreadyLinked(here, here.ana, "ana-gh");
    await here.start();
    await ask(here, here.ana, "/subscribe all all", old);
    await polledTwice(here);
  }

  it.each([
    ["tells of it", true],
    ["is noticed only by the refusal of a message", false],
  ])("keeps its alerts and their buttons alive when it %s", async (_, deliver) => {
    await grouped();
    const earlier = await ask(here, here.ana, "/deploy mood staging", old);
    here.telegram.people.migrates(old, supergroup, { deliver });
    const run = addRun(here.github.state.workflows, {
      file: "deploy.yml",
      status: "waiting",
      sha: main,
      pending: [{ id: 77, name: "mood-production", reviewers: ["ana-gh"] }],
    });
    const question = await until(() => said(here, supergroup)[0], "the question in the supergroup");
    expect(labels(question)).toEqual(["Approve mood-production", "Reject mood-production"]);
    await tap(here, here.ana, question, "Approve mood-production");
    await tap(here, here.ana, question, "Yes, approve");
    await until(() => run.reviews.length === 1, "the review");
    // Commands and buttons from before are answered too.
    expect((await ask(here, here.ana, "/whoami", supergroup)).text).toContain(`chat ${supergroup}`);
    here.telegram.people.presses(here.ana, { chat: old, message_id: earlier.message_id }, "Deploy");
    await until(
      () => said(here, supergroup).some(({ text }) => /deploy mood .*: done/.test(text ?? "")),
      "the deployment, in the supergroup",
    );
    await here.kill();
    await here.start();
    expect((await ask(here, here.ana, "/audit", supergroup)).text).toContain("ana-gh deploy done");
  });
});

describe("a webhook of another program", () => {
  const foreign = "https://other.example.org/secret-path";

  it("is not deleted: the bot says so and ends with 2", async () => {
    here = await world();
    here.telegram.updates.setWebhook({ url: foreign });
    const bot = await here.start();
    expect(await bot.ended).toBe(2);
    expect(bot.log()).toContain("another program already gets this bot's updates");
    expect(bot.log()).toContain("other.example.org");
    expect(bot.log()).not.toContain("secret-path");
    expect(here.telegram.updates.webhookUrl).toBe(foreign);
    here.configure({ http: { host: "127.0.0.1", port: 0 }, telegram: { webhook: { url: "https://bot.example.org" } } });
    const hooked = await here.start({ TELEGRAM_WEBHOOK_SECRET: "telegram-webhook-secret-0123456789" });
    expect(await hooked.ended).toBe(2);
    expect(here.telegram.updates.webhookUrl).toBe(foreign);
  });

  it("that is set later is not deleted either, and polling goes on when it is gone", async () => {
    here = await world();
    await here.start();
    here.telegram.updates.setWebhook({ url: foreign });
    here.telegram.people.says(here.ana, "/whoami");
    await until(() => /another program's webhook is set, at other\.example\.org/.test(here.printed()), "the warning");
    expect(here.telegram.updates.webhookUrl).toBe(foreign);
    here.telegram.updates.setWebhook({ url: "" });
    await until(() => said(here, here.ana.id).length > 0, "an answer", 30_000);
  });

  it("the bot's own, from when it used one, is deleted when it polls", async () => {
    here = await world({
      config: { http: { host: "127.0.0.1", port: 0 }, telegram: { webhook: { url: "https://bot.example.org" } } },
    });
    await here.start({ TELEGRAM_WEBHOOK_SECRET: "telegram-webhook-secret-0123456789" });
    await here.stop();
    expect(here.telegram.updates.webhookUrl).toBe("https://bot.example.org/telegram");
    here.configure({ http: null, telegram: { webhook: null } });
    await here.start();
    expect((await ask(here, here.ana, "/whoami")).text).toContain("user 11");
    expect(here.telegram.updates.webhookUrl).toBe("");
  });
});
