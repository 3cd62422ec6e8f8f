import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { followRollouts } from "../../../bot/events/follow-rollouts.ts";
import { rolloutRef, writeRolloutNote, type RolloutNote } from "../../../github/registry/rollout.ts";
import { besideFolder, serveBeside, withThreshold, type Beside } from "../../spaces/server/rollout/beside.ts";
import { gatedModel, riskRows } from "../../watch/live-model.ts";
import { ana, ben, botInProcess, group, main, type InProcessBot } from "../in-process.ts";

let dir = "";
beforeAll(async () => {
  ({ dir } = await gatedModel());
}, 60_000);

const bots: InProcessBot[] = [];
afterEach(async () => {
  for (const bot of bots.splice(0)) await bot.close();
});

const settings = {
  steps: ["shadow", "50 %"],
  key: { header: "x-user" },
  metrics: { errors: { margin: 0.2 } },
  minimum: { rows: 10, recent: 0 },
};

async function started(server: Beside, config: object = {}): Promise<InProcessBot> {
  const bot = await botInProcess({ models: [{ id: "risk", live: server.url }], ...config });
  bots.push(bot);
  bot.state.workflows.workflows["rollout.yml"] = { inputs: ["model", "environment", "does", "reason", "request"] };
  bot.link(ana, "ana-gh");
  bot.link(ben, "ben-gh");
  return bot;
}

function note(bot: InProcessBot, changes: Partial<RolloutNote>): void {
  const at = new Date().toISOString();
  const whole: RolloutNote = {
    schemaVersion: 1,
    rollout: "roll-1",
    model: "risk",
    baseline: "1.0.0",
    candidate: "2.0.0",
    space: "octo/risk",
    startedAt: at,
    step: 0,
    instance: null,
    state: null,
    restarts: 0,
    waitsFor: null,
    seen: { at, verdict: "INCONCLUSIVE", action: "CONTINUE", reason: "errors is not decided yet", rows: 40 },
    ended: null,
    deployment: null,
    history: [{ at, words: "shadow: begun" }],
    ...changes,
  };
  const tag = String(Object.keys(bot.state.git.tags).length + 1).padEnd(40, "a");
  bot.state.git.tags[tag] = { tag: "sluice-rollout", message: writeRolloutNote(whole), object: main };
  bot.state.git.refs[rolloutRef("risk-production")] = { sha: tag, type: "tag" };
}

describe("/rollout", () => {
  it("shows one card with step and evidence, and starts the workflow after two taps", async () => {
    const server = await serveBeside(besideFolder(dir, {}, settings));
    const bot = await started(server);
    await server.begin(0);
    await server.traffic(riskRows(40, 3));
    const key = await bot.says(ana, "/rollout risk");
    expect(bot.text(key)).toMatch(
      /INCONCLUSIVE roll-out of risk 2\.0\.0 beside 1\.0\.0 in production\n▶ shadow {2}· canary 50 % {2}· everybody/,
    );
    expect(bot.text(key)).toMatch(/🟩 ▓▓▓▓▓▓▓▓ errors \+0\.0, margin 0\.2, \d+, keeps its margin/);
    expect(bot.labels(key)).toEqual(["Promote…", "Abort…", "Again"]);

    const asked = await bot.says(ana, "/rollout risk promote");
    await bot.presses(ana, asked, "Promote…");
    await bot.presses(ana, asked, "Yes, promote");
    await bot.settle();
    expect(bot.text(asked)).toMatch(/✅ promote risk 2\.0\.0 in production to its next step: done/);
    const [run] = bot.state.workflows.runs.filter(({ file }) => file === "rollout.yml");
    expect(run?.inputs).toMatchObject({ model: "risk", environment: "production", does: "promote" });
  }, 30_000);

  it("takes a reason for what goes against the evidence, and two persons where a deployment takes two", async () => {
    const server = await serveBeside(besideFolder(dir, {}, settings));
    await server.begin(0);
    const bot = await started(server, {
      environments: { staging: { danger: true }, production: { danger: true, persons: 2 } },
    });
    expect(bot.text(await bot.says(ana, "/rollout risk promote"))).toContain("the evidence does not say so any more");
    const over = await bot.says(ana, "/rollout risk override");
    await bot.presses(ana, over, "Override…");
    expect(bot.labels(over)).toEqual(["Yes, override: an urgent fix", "Yes, override: seen enough", "Cancel"]);
    await bot.presses(ana, over, "Yes, override: an urgent fix");
    await bot.settle();
    const runs = () => bot.state.workflows.runs.filter(({ file }) => file === "rollout.yml");
    expect(runs()).toHaveLength(0);
    expect(bot.text(over)).toContain("1 of 2 persons");

    const end = await bot.says(ben, "/rollout risk abort wrong on leap days");
    await bot.presses(ben, end, "Abort…");
    await bot.presses(ben, end, "Yes, abort: wrong on leap days");
    await bot.settle();
    expect(runs().map(({ inputs }) => inputs?.["does"])).toEqual(["abort"]);
    expect(runs()[0]?.inputs?.["reason"]).toMatch(/^wrong on leap days – ben-gh, through Telegram, sl-/);
  }, 30_000);

  it("lets nobody act who may not, and says when there is nothing", async () => {
    const server = await serveBeside(besideFolder(dir, {}, settings));
    await server.begin(0);
    const bot = await started(server);
    bot.state.workflows.people["ben-gh"] = { id: 1012, role: "read" };
    expect(bot.text(await bot.says(ben, "/rollout risk abort no"))).toContain("ben-gh has read");
    await server.command({ rollout: "roll-1", end: "ABORT", verdict: "FAIL", reason: "enough" });
    expect(bot.text(await bot.says(ana, "/rollout risk promote"))).toContain("it has ended: enough");
    const plain = await botInProcess({ models: [{ id: "risk" }] });
    bots.push(plain);
    expect(plain.text(await plain.says(ana, "/rollout"))).toContain("Which model?");
  }, 30_000);

  it("keeps one card up to date, and makes a sound where a person is needed and at the end", async () => {
    const server = await serveBeside(besideFolder(dir, withThreshold(0.51), settings));
    await server.begin(0);
    const bot = await started(server);
    await bot.says(ana, "/subscribe risk deploy", group);
    const cards = async () => {
      await followRollouts(bot.context);
      return bot.context.store.messages.withPrefix("rollout:").map(({ key }) => key.replace(`:${group}`, ""));
    };
    expect(await cards()).toEqual([]);
    note(bot, {});
    expect(await cards()).toEqual(["rollout:roll-1"]);
    note(bot, { waitsFor: 1 });
    expect(await cards()).toEqual(["rollout:roll-1", "rollout:roll-1:waits-1"]);
    expect(await cards()).toHaveLength(2);
    const at = new Date().toISOString();
    note(bot, { ended: { at, verdict: "FAIL", reason: "labels is worse than its margin", by: null, rows: 612 } });
    expect(await cards()).toEqual(["rollout:roll-1", "rollout:roll-1:ended", "rollout:roll-1:waits-1"]);
    expect(bot.text(`rollout:roll-1:${group}`)).toMatch(/FAIL roll-out of risk 2\.0\.0[^]*612 rows of the candidate/);
  }, 30_000);
});
