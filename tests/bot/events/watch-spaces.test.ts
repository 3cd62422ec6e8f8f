import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { lookAtSpaces } from "../../../bot/events/watch-spaces.ts";
import { digestLine } from "../../../bot/watch/alert.ts";
import { spaceHeaders } from "../../../bot/spaces/key.ts";
import type { Profile } from "../../../models/profile/schema.ts";
import { folderWith } from "../../eval/dataset/build.ts";
import { gatedModel, riskRows, served } from "../../watch/live-model.ts";
import { ana, ben, botInProcess, group, type InProcessBot } from "../in-process.ts";

const bots: InProcessBot[] = [];
const started = async (live: string, { config = {}, path = ":memory:" } = {}) => {
  const bot = await botInProcess(
    { models: [{ id: "risk", live }, { id: "plain" }], watch: {}, ...config },
    2_000,
    path,
  );
  bots.push(bot);
  bot.link(ana, "ana-gh");
  return bot;
};
afterEach(async () => {
  for (const bot of bots.splice(0)) await bot.close();
});

/** The next look, and the alerts that there are after it, oldest first. */
async function look(bot: InProcessBot): Promise<string[]> {
  bot.later(300_000);
  await lookAtSpaces(bot.context);
  return bot.context.store.messages.withPrefix("watch:").map(({ key }) => key);
}
const lastAlert = async (bot: InProcessBot) => (await look(bot)).at(-1)!;

describe("the watch beside the bot, of a real server", () => {
  let dir = "";
  beforeAll(async () => {
    ({ dir } = await gatedModel());
  }, 60_000);

  it("tells of drift once, over restarts of both, and of a Space that does not answer", async () => {
    const path = join(folderWith({}), "bot.sqlite");
    const server = await served(dir);
    let bot = await started(server.url, { path });
    await bot.says(ana, "/subscribe risk watch", group);
    await server.ask(riskRows(1000, 2));
    expect(await look(bot)).toEqual([]);
    const state = await bot.says(ana, "/watch");
    expect(bot.text(state)).toMatch(/risk 1\.0\.0: ✅ PASS, looked at 0 min ago.*1,000 rows answered, 0 refused/s);

    await bots.pop()!.close();
    bot = await started(server.url, { path });
    // The clock of the bot that ended was ahead.
    bot.later(300_000);
    await server.ask(riskRows(3000, 4, { scoreShift: 2.5 }));
    const alert = await lastAlert(bot);
    expect(bot.text(alert)).toMatch(/^❌ FAIL watch of risk 1\.0\.0 in production, after PASS\n• risk\.score: drift/);
    expect(bot.text(alert)).toContain("4,000 rows answered");
    expect(bot.labels(alert)).toEqual(["Acknowledge", "Snooze 1 d", "State"]);
    expect(await look(bot)).toEqual([alert]);
    expect(digestLine(bot.context, "risk")).toMatch(
      /watch ❌ FAIL · drift \(PSI\) <code>.+<\/code> .* · not acknowledged/,
    );

    await server.stop();
    expect(await look(bot)).toEqual([alert]);
    expect(await look(bot)).toEqual([alert]);
    expect(bot.text(await lastAlert(bot))).toMatch(/^🔴 risk in production does not answer, after FAIL/);
    await served(dir, { port: Number(new URL(server.url).port) });
    const again = await lastAlert(bot);
    expect(bot.text(again)).toMatch(/^❌ FAIL watch of risk 1\.0\.0 in production, after UNREACHABLE/);
    expect(bot.text(again)).toContain("4,000 rows answered");
  });
});

const profile: Profile = {
  schemaVersion: 1,
  model: { id: "risk", version: "1.0.0", sha256: "a" },
  dataset: { id: "d", digest: "", rows: 1000 },
  rows: { answered: 1000, refused: 0, observed: 1000 },
  variables: [],
  left: 0,
  labels: [{ head: "risk", kind: "classes", classes: ["no", "yes"], confusion: [450, 50, 50, 450] }],
  performance: [{ head: "risk", metric: "accuracy", value: 0.9, interval: null, unit: "fraction", n: 1000 }],
};

describe("alerts on a change", () => {
  /** A server that answers `GET /models/risk/watch` as told. */
  let right = 0;
  let wrong = 0;
  let refused = 0;
  let answered = 1000;
  let version = "1.0.0";
  let asked = 0;
  let key: string | undefined;
  const server = createServer((request, response) => {
    asked += 1;
    key = request.headers.authorization;
    const at = new Date().toISOString();
    const counts = { missing: refused, outside: 0, unseen: 0, tooLong: 0, other: 0 };
    const labelled = [[right, 0, wrong, 0]];
    const hour = { hour: at.slice(0, 13), answered, refused: counts, counts: [], labelled, events: {} };
    const model = { id: "risk", version, sha256: version };
    const body = { schemaVersion: 1, model, instance: { id: version, startedAt: at }, at, profile, hours: [hour] };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ ...body, profileSha256: version, pending: 0, feedback: {} }));
  });
  let url = "";
  beforeAll(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());
  const answers = (given: { right?: number; wrong?: number; refused?: number; answered?: number; version?: string }) =>
    ({ right = 900, wrong = 100, refused = 0, answered = 1000, version = "1.0.0" } = given);

  const subscribed = async (config = {}) => {
    answers({});
    const bot = await started(url, { config });
    await bot.says(ana, "/subscribe all all", group);
    expect(await look(bot)).toEqual([]);
    return bot;
  };

  it("are none before the interval is over, and none of a model without a Space", async () => {
    const bot = await subscribed();
    const before = asked;
    await lookAtSpaces(bot.context);
    expect(asked).toBe(before);
    expect(bot.context.store.watches.find("plain")).toBeNull();
  });

  it("are muted, but for labels that show it worse, which is told even after a muted FAIL", async () => {
    const bot = await subscribed({ quietHours: { from: "00:00", to: "23:59" } });
    await bot.says(ana, "/mute risk 2h", group);
    answers({ refused: 500 });
    expect(await look(bot)).toEqual([]);
    answers({ refused: 500, right: 600, wrong: 400 });
    const alert = await lastAlert(bot);
    expect(bot.text(alert)).toMatch(/• accuracy of risk: live accuracy 0\.6 on 1000 labels.*: worse since/);
    expect(bot.context.store.messages.byKey(alert)).toMatchObject({ silent: false, urgent: true });
    expect(await look(bot)).toEqual([alert]);
  });

  it("make no sound in quiet hours, where only data quality is broken, and tell when it is well again", async () => {
    const bot = await subscribed({ quietHours: { from: "00:00", to: "23:59" } });
    answers({ refused: 500 });
    const alert = await lastAlert(bot);
    expect(bot.context.store.messages.byKey(alert)).toMatchObject({ silent: true });
    answers({});
    expect(bot.text(await lastAlert(bot))).toMatch(/^✅ PASS watch of risk 1\.0\.0 in production, after FAIL/);
  });

  it("are acknowledged by people with the right, in every chat, and stand in the audit", async () => {
    const bot = await subscribed();
    await bot.says(ana, "/subscribe risk watch");
    bot.link(ben, "ben-gh", "read");
    answers({ refused: 500 });
    const [here, there] = (await look(bot)) as [string, string];
    await bot.presses(ben, here, "Acknowledge", group);
    expect(bot.toasts.at(-1)).toContain("ben-gh has read");
    await bot.presses(ana, here, "Acknowledge", group);
    for (const one of [here, there]) {
      expect(bot.text(one)).toContain("👀 acknowledged by ana-gh");
      expect(bot.labels(one)).toEqual(["State"]);
    }
    const events = bot.context.store.audit.latest(2).map(({ event, login }) => [event, login]);
    expect(events).toEqual([
      ["acknowledges watch", "ana-gh"],
      ["refused acknowledges watch", "ben-gh"],
    ]);
    expect(bot.text(await bot.says(ana, "/watch risk"))).toContain("acknowledged by ana-gh");
  });

  it("that are snoozed wait until the snooze ends, and a button of an older alert does nothing", async () => {
    const bot = await subscribed();
    answers({ refused: 500 });
    const alert = await lastAlert(bot);
    await bot.presses(ana, alert, "Snooze 1 d", group);
    expect(bot.text(alert)).toContain("💤 snoozed by ana-gh until");
    answers({});
    expect(await look(bot)).toEqual([alert]);
    const view = await bot.says(ana, "/watch risk");
    expect(bot.labels(view)).toContain("End snooze");
    await bot.presses(ana, view, "End snooze");
    expect(bot.text(await lastAlert(bot))).toMatch(/^✅ PASS/);
    await bot.presses(ana, view, "Acknowledge").catch(() => undefined);
    expect(bot.context.store.watches.find("risk")).toMatchObject({ reported: "PASS", acknowledgedBy: null });
  });

  it("end with the version that they were of", async () => {
    const bot = await subscribed();
    answers({ refused: 500 });
    await look(bot);
    answers({ version: "2.0.0", right: 0, wrong: 0, answered: 20 });
    expect(bot.text(await lastAlert(bot))).toMatch(/^⚪ risk 2\.0\.0 in production is new/);
    expect(bot.text(await bot.says(ana, "/watch risk"))).not.toContain("alert");
  });

  it("are none where bot.yaml does not ask for a watch", async () => {
    const bot = await started(url, { config: { watch: null } });
    const before = asked;
    expect(await look(bot)).toEqual([]);
    expect(asked).toBe(before);
    expect(bot.text(await bot.says(ana, "/watch"))).toContain("watches nothing");
    expect(digestLine(bot.context, "risk")).toBeNull();
  });

  it("come from Spaces with a key too, which does not travel unencrypted", async () => {
    const bot = await subscribed();
    Object.assign(bot.context.spaces, { headersOf: (origin: string) => spaceHeaders(origin, "sesame") });
    await look(bot);
    expect(key).toBe("Bearer sesame");
    expect(spaceHeaders("http://models.example.org", "sesame")).toEqual({});
    expect(spaceHeaders("https://models.example.org", null)).toEqual({});
  });
});
