import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../../../bot/commands/table.ts";
import { addRun } from "../../../rehearsal/github/seeded/state.ts";
import {
  ask,
  changes,
  group,
  labels,
  linkAccount,
  tap,
  remember,
  requireRemembered,
  said,
  space,
  until,
  world,
  type World,
} from "../harness.ts";
import { released } from "../released.ts";
import { anyText } from "../telegram/hostile.ts";

describe("commands", () => {
  let here: World;
  let spaces: Awaited<ReturnType<typeof space>>[];

  beforeAll(async () => {
    spaces = [await space("1.1.0", 0.75), await space("1.2.0", 0.8)];
    here = await world({
      spaces: { live: (spaces[0] as { url: string }).url, candidate: (spaces[1] as { url: string }).url },
    });
    released(here);
    await here.start();
  });

  afterAll(async () => {
    const violations = here.telegram.violations;
    await here.close();
    await Promise.all(spaces.map((one) => one.close()));
    expect(violations).toEqual([]);
    remember(here);
    requireRemembered();
  });

  it("puts every command into the menu", () => {
    expect(here.telegram.state.commands.map(({ command }) => command)).toEqual(commands.map(({ name }) => name));
  });

  it("/help lists every command with its usage", async () => {
    const { text } = await ask(here, here.ana, "/help");
    for (const { usage } of commands) expect(text).toContain(usage);
    expect((await ask(here, here.ana, "/help predict")).text).toMatch(/side by side/);
  });

  it("answers in a group reply to whoever asked, also when the command names the bot in capitals", async () => {
    const { messages } = here.telegram.state;
    const asked = await ask(here, here.ana, `/WHOAMI@${here.telegram.state.bot.username}`, group);
    const question = messages.findLast(({ chat, text }) => chat === group && text?.startsWith("/WHOAMI"));
    expect(asked.replyTo).toBe(question?.message_id);
    expect((await ask(here, here.ana, "/whoami")).replyTo).toBeNull();
  });

  it("/status shows the live version, its verdict and the Space's health", async () => {
    const { text } = await ask(here, here.ana, "/status");
    expect(text).toMatch(/mood: 1\.1\.0 ✅ PASS/);
    expect(text).toMatch(/🟢 Space ready, \d+ ms/);
    expect(text).toContain("births: no live version");
  });

  it("/gates shows runs and the verdict of the last release", async () => {
    expect((await ask(here, here.ana, "/gates")).text).toMatch(/✅ success main 1a2b3c4/);
    expect((await ask(here, here.ana, "/gates mood")).text).toMatch(
      /mood 1\.1\.0: ✅ PASS[\s\S]*auroc +0\.92 \[0\.91, 0\.93\]/,
    );
  });

  it("/runs lists workflow runs", async () => {
    expect((await ask(here, here.ana, "/runs")).text).toMatch(/✅ success gate main 1a2b3c4/);
  });

  it("/logs shows what the failed steps of a run printed, without times and colours", async () => {
    const step = (name: string, number: number, conclusion: string, from: string, to: string) => ({
      name,
      number,
      status: "completed" as const,
      conclusion,
      startedAt: `2026-11-21T08:00:${from}Z`,
      completedAt: `2026-11-21T08:00:${to}Z`,
    });
    const { id } = addRun(here.github.state.workflows, {
      name: "gate",
      title: "A larger vocabulary",
      conclusion: "failure",
      jobs: [
        {
          id: 9001,
          key: "gate",
          name: "gate (cpu)",
          status: "completed",
          conclusion: "failure",
          startedAt: null,
          completedAt: null,
          steps: [
            step("Set up job", 1, "success", "00", "02"),
            step("sluice gate", 2, "failure", "02", "05"),
            step("Post checkout", 3, "success", "05", "06"),
          ],
          log: [
            "\uFEFF2026-11-21T08:00:01.1Z Getting ready",
            "2026-11-21T08:00:03.2Z \u001B[31mmood\u001B[0m is judged",
            "2026-11-21T08:00:05.0000000Z ##[error]mood FAIL: auroc <fell> by .02",
            "2026-11-21T08:00:06.9Z Cleaning up",
          ].join("\n"),
          summary: "",
          annotations: [],
          environment: null,
        },
      ],
    });
    const { text } = await ask(here, here.ana, `/logs ${id}`);
    expect(text).toBe(
      `❌ failure gate A larger vocabulary (run ${id})\ngate (cpu) · sluice gate\nmood FAIL: auroc <fell> by .02`,
    );
    expect(labels(await ask(here, here.ana, "/runs"))).toContain(`/logs ${id}`);
    expect((await ask(here, here.ana, "/logs")).text).toBe(text);
    Object.assign(here.github.state.workflows.runs.find((one) => one.id === id) as object, { fork: "mallory" });
    expect((await ask(here, here.ana, `/logs ${id}`)).text).toContain("read its log on GitHub");
    expect((await ask(here, here.ana, "/logs ../x")).text).toContain("is not a run's number");
    here.github.state.workflows.runs = here.github.state.workflows.runs.filter((one) => one.id !== id);
  });

  it("/pin keeps one silent, pinned status message in a chat; /pin off ends it", async () => {
    expect((await ask(here, here.ana, "/pin on")).text).toContain('on is not "off"');
    await ask(here, here.ana, "/pin");
    const pinned = () => here.telegram.state.messages.filter((one) => one.pinned);
    await until(() => pinned().length === 1, "the pinned message");
    expect(pinned()).toMatchObject([{ chat: here.ana.id, silent: true }]);
    expect(pinned()[0]?.text).toMatch(
      /^Status of production\nmood: 1\.1\.0 ✅ PASS[\s\S]*as of \d{4}-\d\d-\d\d \d\d:\d\d UTC$/,
    );
    expect((await ask(here, here.ana, "/pin off")).text).toContain("no more");
    expect((await ask(here, here.ana, "/pin off")).text).toContain("has no status message");
  });

  it("/history shows versions, the metric and where each is live", async () => {
    const { text } = await ask(here, here.ana, "/history mood");
    expect(text).toMatch(/mood, auroc ▁█/);
    expect(text).toMatch(/✅ PASS 1\.1\.0 1a2b3c4 0\.92 · live in production\n✅ PASS 1\.0\.0/);
  });

  it("/predict asks candidate and live side by side", async () => {
    const { text } = await ask(here, here.ana, "/predict mood what a day <b>&");
    expect(text).toMatch(
      /candidate 1\.2\.0 \(\d+ ms\): mood: positive 0\.8\nlive 1\.1\.0 \(\d+ ms\): mood: positive 0\.75\ncandidate − live: mood: \+0\.05/,
    );
    expect(spaces.map((one) => one.asked.at(-1))).toEqual([{ text: "what a day <b>&" }, { text: "what a day <b>&" }]);
    expect((await ask(here, here.ana, '/predict mood {"text": ')).text).toContain("That is not JSON");
    // What is shown is what was sent.
    const named = await ask(here, here.ana, "/predict mood text=I love this film");
    expect(named.text).toContain('says of {"text":"I love this film"}');
    expect(spaces.map((one) => one.asked.at(-1))).toEqual([{ text: "I love this film" }, { text: "I love this film" }]);
  });

  it("/predict without an input offers the model's examples, and a tap asks", async () => {
    const message = await ask(here, here.ana, "/predict mood");
    expect(labels(message)).toEqual(["so good"]);
    await tap(here, here.ana, message, "so good");
    await until(() => message.text?.includes("candidate 1.2.0"), "the prediction");
  });

  it("/predict says which Space does not answer", async () => {
    await spaces[1]?.close();
    expect((await ask(here, here.ana, "/predict mood hi")).text).toMatch(
      /candidate 🔴 cannot be reached\nlive 1\.1\.0/,
    );
  });

  it("/plan changes nothing and says what would be refused", async () => {
    const { text } = await ask(here, here.ana, "/plan mood production");
    expect(text).toMatch(/now: 1\.1\.0 \(1a2b3c4\)\nthen: main \(1a2b3c4\), ✅ PASS, gate run 500/);
    expect((await ask(here, here.ana, "/plan mood production 9.9.9")).text).toContain("no tag mood@\u200b9.9.9");
    expect(changes(here)).toEqual([]);
  });

  it("answers partial and unknown input with the usage, and the likely choices as buttons", async () => {
    const deploy = await ask(here, here.ana, "/deploy");
    expect(deploy.text).toContain("/deploy MODEL ENVIRONMENT [VERSION]");
    expect(labels(deploy)).toEqual([
      "/deploy mood staging",
      "/deploy mood production",
      "/deploy births staging",
      "/deploy births production",
    ]);
    expect(labels(await ask(here, here.ana, "/deploy mood"))).toEqual([
      "/deploy mood staging",
      "/deploy mood production",
    ]);
    expect((await ask(here, here.ana, "/deploy mood production ../x")).text).toContain("is not a version");
    expect(labels(await ask(here, here.ana, "/statsu"))).toContain("/status");
    expect(labels(await ask(here, here.ana, "hello?"))).toContain("/help");
    expect((await ask(here, here.ana, "/mute mood soon")).text).toContain("soon is not a time");
    const history = await ask(here, here.ana, "/history nothing");
    await tap(here, here.ana, history, "/history mood");
    await until(() => history.text?.includes("auroc"), "the history");
    expect(changes(here)).toEqual([]);
  });

  it("ignores commands for another bot, and talk in a group", async () => {
    const before = said(here, group).length;
    here.telegram.people.says(here.ana, "/status@other_bot", { chat: group });
    here.telegram.people.says(here.ana, "lunch?", { chat: group });
    expect((await ask(here, here.ana, "/whoami@sluice_test_bot", group)).text).toContain("user 11, chat -1001");
    expect(said(here, group).length).toBe(before + 1);
  });

  it("/link in a group leads to the private chat, by a link that works once and only for that person", async () => {
    const message = await ask(here, here.ben, "/link", group);
    const url = message.markup?.inline_keyboard[0]?.[0]?.["url"] as string;
    const [, id] = /^https:\/\/t\.me\/sluice_test_bot\?start=([\w-]{22})$/.exec(url) ?? [];
    expect((await ask(here, here.ana, `/start ${id}`)).text).toContain("not yours");
    expect((await ask(here, here.ben, `/start ${id}`)).text).toMatch(/enter ABCD-\d+/);
    expect((await ask(here, here.ben, `/start ${id}`)).text).toContain("was used");
  });

  it("/link refuses a login that bot.yaml does not expect, and links the right one", async () => {
    const message = await ask(here, here.ana, "/link");
    const { codes } = here.github.state.workflows.device;
    Object.assign(codes[Object.keys(codes).at(-1) as string] as object, { login: "ben-gh" });
    await until(() => message.text?.includes("lets you link only ana-gh"), "the refusal");
    await linkAccount(here, here.ana, "ana-gh");
    expect((await ask(here, here.ana, "/whoami")).text).toContain("GitHub: ana-gh, write in octo/models");
  });

  it("/audit shows who did what, and that its chain holds", async () => {
    const { text } = await ask(here, here.ana, "/audit");
    expect(text).toMatch(/its chain of hashes holds\n.* ana-gh link/);
  });

  it("/subscribe, /mute and /digest say what they did", async () => {
    expect((await ask(here, here.ana, "/subscribe mood deploy", group)).text).toContain("hears of mood: deploy");
    expect((await ask(here, here.ana, "/subscribe", group)).text).toContain("This chat hears of: mood: deploy");
    expect((await ask(here, here.ana, "/mute mood 2h", group)).text).toMatch(/No alerts of mood until \d{4}/);
    expect((await ask(here, here.ana, "/digest daily", group)).text).toContain("every day at 7:00 UTC");
    expect((await ask(here, here.ana, "/subscribe mood off", group)).text).toContain("no more of mood");
    expect((await ask(here, here.ana, "/digest off", group)).text).toContain("No digest");
  });

  it("whatever people write and GitHub contains, every request to Telegram is valid and every command is answered", async () => {
    const texts = fc.sample(anyText, { numRuns: 120, seed: 20_261_121 }).map((text) => text.slice(0, 4000));
    for (const [i, text] of texts.slice(0, 8).entries())
      addRun(here.github.state.workflows, {
        file: i % 2 === 0 ? "gate.yml" : "x.yml",
        name: text.toWellFormed(),
        branch: text.toWellFormed() || "x",
        title: text.toWellFormed(),
        actor: "octo",
        conclusion: "failure",
        sha: "9".repeat(40),
      });
    await ask(here, here.ana, "/runs");
    await ask(here, here.ana, "/gates");
    const before = said(here, here.ana.id).length;
    const prefixes = [
      "/status",
      "/history",
      "/deploy mood",
      "/predict mood",
      "/mute mood",
      "/subscribe",
      "/rollback",
      "/nothing",
      "/plan mood production",
    ];
    for (const [i, text] of texts.entries())
      here.telegram.people.says(here.ana, `${prefixes[i % prefixes.length] as string} ${text}`);
    here.telegram.people.says(here.ana, "/help");
    await until(
      () => said(here, here.ana.id).at(-1)?.text?.includes("This chat\n/subscribe"),
      "the last answer",
      40_000,
    );
    expect(said(here, here.ana.id).length - before).toBe(texts.length + 1);
    expect(said(here, here.ana.id).some(({ text }) => text?.startsWith("🛑"))).toBe(false);
    expect(here.telegram.violations).toEqual([]);
    const refusals = here.telegram.transcript.filter(
      ({ method, status }) => status === 400 && method !== "answerCallbackQuery",
    );
    expect(refusals.map(({ answer }) => answer)).toEqual([]);
    expect(changes(here)).toEqual([]);
  });
});
