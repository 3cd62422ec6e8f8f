import { inspect } from "node:util";
import { Telegraf } from "telegraf";
import { afterEach, describe, expect, it } from "vitest";
import { createTelegram, type ClientDeps } from "../../../bot/telegram/client.ts";
import { TelegramFailure } from "../../../bot/telegram/failure.ts";
import { knowOneself, throughClient } from "../../../bot/telegram/telegraf.ts";
import { Refusal } from "../../../rehearsal/telegram/refusal.ts";
import {
  addChat,
  startTelegram,
  type StandInOptions,
  type StandInTelegram,
} from "../../../rehearsal/telegram/server.ts";
import { quickClock } from "./clock.ts";

const group = -1001234567890;
const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
let telegram: StandInTelegram;
afterEach(async () => {
  await telegram.close();
  if (telegram.violations.length > 0)
    throw new Error(`not by Telegram's documentation: ${telegram.violations.join("\n")}`);
});

async function start(deps: Partial<ClientDeps> = {}, options: StandInOptions = {}) {
  telegram = await startTelegram(options);
  addChat(telegram.state, { id: group, topics: new Map([[9, "open"]]) });
  addChat(telegram.state, { id: 5 });
  const clock = quickClock();
  const log: string[] = [];
  const client = createTelegram({
    token: telegram.token,
    apiRoot: telegram.url,
    clock,
    log: (line) => log.push(line),
    timeoutMs: 400,
    ...deps,
  });
  return { client, clock, log };
}
const failureOf = (call: Promise<unknown>) =>
  call.then(
    () => {
      throw new Error("it succeeded");
    },
    (error: unknown) => error as TelegramFailure,
  );
const hello = { chat_id: group, text: "hello" };
const limited = (seconds: number) => ({
  kind: "refuse" as const,
  refusal: new Refusal(429, `Too Many Requests: retry after ${seconds}`, { retry_after: seconds }),
});

describe("retries", () => {
  it("waits as long as a 429 asks and sends once", async () => {
    const { client, clock, log } = await start();
    telegram.fail({ method: "sendMessage", times: 2, does: limited(7) });
    await client.call("sendMessage", hello);
    expect(clock.slept).toEqual([7000, 7000]);
    expect(telegram.state.messages).toHaveLength(1);
    expect(log[0]).toContain("retry after 7; trying again in 7.0 s");
  });

  it("gives up on a 429 that asks for too much", async () => {
    const { client, clock } = await start({ maxPauseSeconds: 30 });
    telegram.fail({ method: "sendMessage", times: 1, does: limited(600) });
    expect(await failureOf(client.call("sendMessage", hello))).toMatchObject({
      kind: "rate",
      retryAfterSeconds: 600,
      attempts: 1,
    });
    expect(clock.slept).toEqual([]);
  });

  it("tries a 502 page again with growing pauses, at most five times", async () => {
    const { client, clock } = await start();
    telegram.fail({ method: "sendMessage", times: 9, does: { kind: "html", status: 502 } });
    expect(await failureOf(client.call("sendMessage", hello))).toMatchObject({ kind: "server", attempts: 5 });
    expect(clock.slept).toEqual([500, 1000, 2000, 4000]);
  });

  it.each([
    ["hang", "unsure"],
    ["reset", "unsure"],
    ["accept-then-reset", "unsure"],
  ] as const)("never sends twice after %s, but repeats an edit", async (kind, expected) => {
    const { client } = await start();
    const { message_id } = await client.call("sendMessage", hello);
    telegram.fail({ method: "*", times: 1, does: { kind } });
    expect(await failureOf(client.call("sendMessage", { ...hello, text: "second" }))).toMatchObject({
      kind: expected,
      attempts: 1,
    });
    expect(telegram.state.messages.filter((one) => one.text === "second").length).toBe(
      kind === "accept-then-reset" ? 1 : 0,
    );
    telegram.fail({ method: "editMessageText", times: 1, does: { kind } });
    await client.call("editMessageText", { chat_id: group, message_id, text: "edited" });
    expect(telegram.state.messages[0]).toMatchObject({ text: "edited", edits: 1 });
  });

  it("fails as unreachable where nothing listens", async () => {
    const { client } = await start({ apiRoot: "http://127.0.0.1:9", maxAttempts: 2 });
    expect(await failureOf(client.call("getMe", {}))).toMatchObject({ kind: "unreachable", attempts: 2 });
  });

  it("stops when the caller aborts", async () => {
    const { client } = await start();
    telegram.fail({ method: "getMe", times: 1, does: { kind: "hang" } });
    expect(await failureOf(client.call("getMe", {}, { signal: AbortSignal.timeout(50) }))).toMatchObject({
      kind: "aborted",
      name: "AbortError",
    });
  });
});

describe("what a refusal means", () => {
  it.each<[string, Refusal, string]>([
    ["a revoked token", new Refusal(401, "Unauthorized"), "token"],
    ["no such token", new Refusal(404, "Not Found"), "token"],
    ["an old server", new Refusal(404, "Not Found: method not found"), "method"],
    ["a blocked bot", new Refusal(403, "Forbidden: bot was blocked by the user"), "chat-gone"],
    ["another poller", new Refusal(409, "Conflict: terminated by other getUpdates request"), "conflict"],
    [
      "a supergroup",
      new Refusal(400, "Bad Request: group chat was upgraded to a supergroup chat", { migrate_to_chat_id: -100 }),
      "chat-migrated",
    ],
    ["a deleted topic", new Refusal(400, "Bad Request: message thread not found"), "topic-gone"],
    ["broken HTML", new Refusal(400, "Bad Request: can't parse entities: x"), "content"],
  ])("%s: fails without another try", async (_, refusal, kind) => {
    const { client, clock } = await start();
    telegram.fail({ method: "sendMessage", times: 1, does: { kind: "refuse", refusal } });
    expect(await failureOf(client.call("sendMessage", hello))).toMatchObject({ kind, attempts: 1 });
    expect(clock.slept).toEqual([]);
  });

  it("an edit that changes nothing is a success", async () => {
    const { client } = await start();
    const { message_id } = await client.call("sendMessage", hello);
    expect(await client.call("editMessageText", { chat_id: group, message_id, text: "hello" })).toBe(true);
  });
});

describe("the token", () => {
  it.each(["html", "reset", "hang"] as const)("is in no message and no stack after %s", async (kind) => {
    const { client, log } = await start({ maxAttempts: 2 });
    // For a page with status 200, telegraf puts the address into its message, including the token.
    telegram.fail({ method: "*", times: 9, does: kind === "html" ? { kind, status: 200 } : { kind } });
    const failure = await failureOf(client.call("getMe", {}));
    const seen = [
      failure.message,
      failure.stack,
      inspect(failure, { depth: 9, showHidden: true }),
      JSON.stringify(failure),
      ...log,
    ].join("\n");
    expect(seen).not.toContain(telegram.token);
    expect(seen).not.toContain(telegram.token.split(":")[1]);
  });

  it("is not in the message if the address cannot be reached or is not valid", async () => {
    const { client } = await start({ apiRoot: "http://no-such-host.invalid", maxAttempts: 1 });
    const failure = await failureOf(client.call("getMe", {}));
    expect(`${failure.message}${failure.stack ?? ""}`).not.toContain("AAF-stand_in");
    expect(
      client.redact(
        `https://x/bot${encodeURIComponent(telegram.token)}/y ${telegram.token} 987654321:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA`,
      ),
    ).toBe("https://x/bot[token]/y [token] [token]");
  });
});

describe("order and pace", () => {
  it("keeps the order within a chat through a 429, and delays no other chat", async () => {
    const { client } = await start({
      clock: {
        now: Date.now,
        sleep: (ms) =>
          new Promise((resolve) => {
            setTimeout(resolve, ms / 20);
          }),
      },
      pace: { private: { count: 99, perMs: 1 }, group: { count: 99, perMs: 1 } },
    });
    telegram.fail({ method: "sendMessage", times: 1, does: limited(2) });
    const sent = ["1", "2", "3"].map((text) => client.call("sendMessage", { chat_id: group, text }));
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
    await client.call("sendMessage", { chat_id: 5, text: "other" });
    await Promise.all(sent);
    expect(telegram.state.messages.map((one) => one.text)).toEqual(["other", "1", "2", "3"]);
  });

  it("a failed call does not block its chat", async () => {
    const { client } = await start();
    const [bad, good] = await Promise.allSettled([
      client.call("sendMessage", { chat_id: group, text: "<b>", parse_mode: "HTML" }),
      client.call("sendMessage", hello),
    ]);
    expect([bad.status, good.status]).toEqual(["rejected", "fulfilled"]);
  });

  it("stays within what Telegram allows, so that none of 45 messages meets a 429", async () => {
    const clock = quickClock();
    const { client } = await start(
      { clock },
      { now: clock.now, limits: { private: { count: 5, perMs: 5_000 }, group: { count: 20, perMs: 60_000 } } },
    );
    await Promise.all(
      Array.from({ length: 45 }, (_, i) => client.call("sendMessage", { chat_id: group, text: String(i) })),
    );
    expect(telegram.transcript.filter((call) => call.status === 429)).toEqual([]);
    expect(telegram.state.messages.map((one) => one.text)).toEqual(Array.from({ length: 45 }, (_, i) => String(i)));
  });
});

describe("what telegraf alone would lose", () => {
  it("reply and buttons arrive with an uploaded photo", async () => {
    const { client } = await start();
    const { message_id } = await client.call("sendMessage", hello);
    await client.call("sendPhoto", {
      chat_id: group,
      message_thread_id: 9,
      photo: { source: png, filename: "plot.png" },
      caption: "<b>5</b>",
      parse_mode: "HTML",
      reply_parameters: { message_id },
      reply_markup: { inline_keyboard: [[{ text: "x", callback_data: "1" }]] },
      disable_notification: true,
    });
    expect(telegram.state.messages[1]).toMatchObject({
      replyTo: message_id,
      caption: "5",
      thread: 9,
      silent: true,
      markup: { inline_keyboard: [[{ text: "x", callback_data: "1" }]] },
      photo: { filename: "plot.png", bytes: new Uint8Array(png) },
    });
  });

  it("the hide that Markup.button adds is removed", async () => {
    const { client } = await start();
    const { Markup } = await import("telegraf");
    const button = Markup.button.callback("Go", "1") as { text: string; callback_data: string };
    expect(button).toHaveProperty("hide", false);
    await client.call("sendMessage", { ...hello, reply_markup: { inline_keyboard: [[button]] } });
    expect(telegram.state.messages[0]?.markup?.inline_keyboard).toEqual([[{ text: "Go", callback_data: "1" }]]);
  });

  it("the path of an API root is kept", async () => {
    const { client } = await start({ maxAttempts: 1 });
    const below = createTelegram({
      token: telegram.token,
      apiRoot: `${telegram.url}/tg`,
      maxAttempts: 1,
      timeoutMs: 400,
    });
    await failureOf(below.call("getMe", {}));
    expect(telegram.transcript.at(-1)).toMatchObject({ method: "", status: 404 });
    await client.call("getMe", {});
  });
});

describe("a Telegraf bot through the client", () => {
  it("polls, answers from contexts with retries, and stops at once", async () => {
    const { client } = await start({ timeoutMs: 5000 });
    const bot = new Telegraf(telegram.token, { telegram: { apiRoot: telegram.url } });
    throughClient(bot, client);
    telegram.fail({ method: "getMe", times: 2, does: { kind: "html", status: 502 } });
    await knowOneself(bot, client);
    telegram.fail({ method: "sendMessage", times: 1, does: limited(1) });
    bot.command("ping", (context) => context.reply("pong"));
    const running = bot.launch();
    telegram.people.says(telegram.people.person(7, "Ana"), "/ping");
    await expect.poll(() => telegram.state.messages.map((one) => one.text)).toEqual(["/ping", "pong"]);
    expect(telegram.transcript.filter((call) => call.method === "sendMessage").map((call) => call.status)).toEqual([
      429, 200,
    ]);
    bot.stop();
    await running;
    expect(telegram.updates.unconfirmed).toEqual([]);
  });
});
