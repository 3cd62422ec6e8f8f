import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Fault as GitHubFault } from "../../rehearsal/github/exchange.ts";
import { alreadyLinked, ask, changes, said, until, world, type World } from "./harness.ts";

/** Where the process is killed: at a request whose effect has or has not happened. */
type Boundary = {
  name: string;
  telegram?: { method: string; effect: boolean };
  github?: { method: string; path: RegExp; effect: boolean };
};

const boundaries: Boundary[] = [
  { name: "the answer is sent", telegram: { method: "sendMessage", effect: true } },
  { name: "the answer is about to be sent", telegram: { method: "sendMessage", effect: false } },
  { name: "the message is edited", telegram: { method: "editMessageText", effect: true } },
  { name: "the message is about to be edited", telegram: { method: "editMessageText", effect: false } },
  { name: "a tap is acknowledged", telegram: { method: "answerCallbackQuery", effect: true } },
  { name: "the permission is looked up", github: { method: "GET", path: /\/permission$/, effect: true } },
  { name: "the lock is looked up", github: { method: "GET", path: /\/matching-refs\//, effect: true } },
  { name: "the report is looked up", github: { method: "GET", path: /\/artifacts$/, effect: true } },
  { name: "the workflow is about to be started", github: { method: "POST", path: /\/dispatches$/, effect: false } },
  { name: "the workflow was started", github: { method: "POST", path: /\/dispatches$/, effect: true } },
];

describe("kill -9", () => {
  let here: World;

  beforeAll(async () => {
    here = await world({ config: { github: { pollSeconds: 3600 } } });
    alreadyLinked(here, here.ana, "ana-gh");
    await here.start();
  });

  afterAll(async () => {
    const { violations } = here.telegram;
    await here.close();
    expect(violations).toEqual([]);
  });

  /** What the bot said after so many messages, without what it sends and deletes to find a message that may be lost. */
  const answersAfter = (count: number) =>
    said(here, here.ana.id)
      .slice(count)
      .filter(({ text }) => text !== "…");

  const killAt = ({ telegram, github }: Boundary): { hit: () => boolean } => {
    let hit = false;
    const kill = () => {
      hit = true;
      here.bot?.child.kill("SIGKILL");
    };
    if (github !== undefined) {
      // The request hangs first: it has arrived but has no effect. Then the process is killed.
      const fault: GitHubFault = {
        method: github.method,
        path: github.path,
        times: 1,
        does: github.effect ? { kind: "accept-then", run: kill } : { kind: "hang" },
      };
      here.github.state.faults.push(fault);
      if (!github.effect) void until(() => fault.times === 0, "the request", 30_000).then(kill, () => undefined);
    }
    if (telegram !== undefined) {
      const fault = {
        method: telegram.method,
        times: 1,
        does: { kind: telegram.effect ? ("accept-then-reset" as const) : ("reset" as const) },
      };
      here.telegram.fail(fault);
      void until(() => fault.times === 0, "the call", 30_000).then(kill, () => undefined);
    }
    return { hit: () => hit };
  };

  it.each(boundaries)("when $name: one answer, one deployment", async (boundary) => {
    const messages = said(here, here.ana.id).length;
    const dispatches = changes(here).filter((one) => one.endsWith("/dispatches")).length;
    const { hit } = killAt(boundary);
    const guardian = until(hit, "the kill", 30_000).then(async () => {
      await here.kill();
      await here.start();
    });
    here.telegram.people.says(here.ana, "/deploy mood staging");
    const message = await until(() => answersAfter(messages)[0], `an answer: ${here.printed().slice(-1500)}`, 20_000);
    // The answer may be in the chat before the process knows. Its button must work all the same.
    await until(() => message.markup !== null, `the buttons of: ${message.text}`);
    here.telegram.people.presses(here.ana, { chat: here.ana.id, message_id: message.message_id }, "Deploy");
    await until(
      () => /: done/.test(message.text ?? ""),
      `the end: ${message.text}; ${here.printed().slice(-1500)}`,
      20_000,
    );
    await guardian;
    expect(hit()).toBe(true);
    await ask(here, here.ana, "/help");
    expect(said(here, here.ana.id).length - messages, "one answer and /help").toBe(2);
    expect(changes(here).filter((one) => one.endsWith("/dispatches")).length - dispatches).toBe(1);
  });

  it("a tap on a message whose sending was never confirmed: the message is found, and not sent again", async () => {
    const messages = said(here, here.ana.id).length;
    here.telegram.fail({ method: "sendMessage", times: 1, does: { kind: "accept-then-reset" } });
    here.telegram.people.says(here.ana, "/deploy mood staging");
    const message = await until(() => answersAfter(messages)[0], "the card whose answer was lost", 20_000);
    here.telegram.people.presses(here.ana, { chat: here.ana.id, message_id: message.message_id }, "Deploy");
    await until(
      () => /: done/.test(message.text ?? ""),
      `the end: ${message.text}; ${here.printed().slice(-1500)}`,
      20_000,
    );
    await ask(here, here.ana, "/help");
    expect(said(here, here.ana.id).length - messages, "one answer and /help").toBe(2);
  });

  it("every step is in the audit table once", async () => {
    await here.stop();
    const database = here.database();
    const events = database.prepare("SELECT event, count(*) AS n FROM audit GROUP BY event").all() as {
      event: string;
      n: number;
    }[];
    const count = (event: string) => events.find((one) => one.event === event)?.n;
    expect([count("asks deploy"), count("confirms deploy"), count("deploy done")]).toEqual([
      boundaries.length + 1,
      boundaries.length + 1,
      boundaries.length + 1,
    ]);
    expect(() => database.exec("UPDATE audit SET event = 'nothing'")).toThrow("append-only");
    expect(() => database.exec("DELETE FROM audit")).toThrow("append-only");
    database.close();
  });
});
