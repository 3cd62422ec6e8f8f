import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { methods } from "../../../rehearsal/telegram/schemas.ts";
import { addChat, startTelegram, type StandInTelegram } from "../../../rehearsal/telegram/server.ts";

// The stand-in may refuse more than Telegram, never less. The limits are those in the Bot API's own words, which
// @grammyjs/types carries as comments.

const types = dirname(createRequire(import.meta.url).resolve("@grammyjs/types/package.json"));
const source = readFileSync(join(types, "methods.d.ts"), "utf8");

/** Parameters of the methods that are played here, with the most characters or the largest value that they take. */
const limits = [...source.matchAll(/^ {4}(\w+)\(args\??: \{\n([\s\S]*?)^ {4}\}/gm)].flatMap(
  ([, method = "", body = ""]) =>
    (methods as readonly string[]).includes(method)
      ? [...body.matchAll(/\/\*\* (.*?) \*\/\s*(\w+)\??: (\w+)/g)].flatMap(([, words = "", name = "", type = ""]) => {
          const characters = /\b(\d+)-(\d+) characters/.exec(words);
          const values = /Values between (\d+)-(\d+) are accepted/.exec(words);
          const found = type === "string" ? characters : values;
          return found === null ? [] : [{ method, name, type, least: Number(found[1]), most: Number(found[2]) }];
        })
      : [],
);

const group = -1001234567890;
/** A call of each method that is right but for what a test changes. */
const base: Record<string, object> = {
  answerCallbackQuery: { callback_query_id: "1" },
  editMessageCaption: { chat_id: group, message_id: 2 },
  editMessageText: { chat_id: group, message_id: 1 },
  getUpdates: {},
  sendDocument: { chat_id: group, document: "id" },
  sendMessage: { chat_id: group },
  sendPhoto: { chat_id: group, photo: "id" },
  setWebhook: { url: "https://bot.example.org/x" },
};

let telegram: StandInTelegram;
beforeEach(async () => {
  telegram = await startTelegram();
  addChat(telegram.state, { id: group });
  await ask("sendMessage", { chat_id: group, text: "x" });
  await ask("sendPhoto", { chat_id: group, photo: "id" });
});
afterEach(() => telegram.close());

type Answer = { ok: boolean; result?: { message_id: number }; error_code?: number; description?: string };
async function ask(method: string, parameters: object): Promise<Answer> {
  const answer = await fetch(`${telegram.url}/bot${telegram.token}/${method}`, {
    method: "POST",
    body: JSON.stringify(parameters),
    headers: { "content-type": "application/json" },
  });
  return (await answer.json()) as Answer;
}

describe("a parameter's limit", () => {
  it("is read from the description, for every method of which one is known", () => {
    expect(limits).toContainEqual({ method: "sendMessage", name: "text", type: "string", least: 1, most: 4096 });
    expect(limits).toContainEqual({ method: "getUpdates", name: "limit", type: "number", least: 1, most: 100 });
    expect(limits.map(({ method }) => method).filter((method) => base[method] === undefined)).toEqual([]);
  });

  it.each(limits)("$method $name: at most $most, at least $least", async ({ method, name, type, least, most }) => {
    const with_ = (size: number) =>
      ask(method, { ...base[method], [name]: type === "string" ? "x".repeat(size) : size });
    expect(await with_(most + 1)).toMatchObject({ ok: false, error_code: 400 });
    if (least > 0) expect(await with_(least - 1)).toMatchObject({ ok: false, error_code: 400 });
    // What is wrong with a callback query that nobody pressed is another thing.
    if (method !== "answerCallbackQuery") expect(await with_(most)).toMatchObject({ ok: true });
  });
});

it("a button's data has 1 to 64 bytes, and its secret only the characters that a header may have", async () => {
  const send = (data: string) =>
    ask("sendMessage", {
      chat_id: group,
      text: "x",
      reply_markup: { inline_keyboard: [[{ text: "b", callback_data: data }]] },
    });
  expect((await send("x".repeat(64))).ok).toBe(true);
  for (const data of ["", "x".repeat(65), "é".repeat(33)])
    expect(await send(data)).toMatchObject({ description: "Bad Request: BUTTON_DATA_INVALID" });
  const hook = (secret_token: string) => ask("setWebhook", { url: "https://bot.example.org/x", secret_token });
  expect((await hook("aZ09_-")).ok).toBe(true);
  for (const secret of ["a b", "é", "a.b", "a\n"]) expect(await hook(secret)).toMatchObject({ error_code: 400 });
});

describe("message ids", () => {
  const send = async (chat: number) => (await ask("sendMessage", { chat_id: chat, text: "x" })).result?.message_id;
  it("grow within a supergroup, of which each counts for itself", async () => {
    addChat(telegram.state, { id: -1009 });
    expect([await send(group), await send(group), await send(-1009), await send(group)]).toEqual([3, 4, 1, 5]);
  });
  it("grow over all private chats and small groups of the bot together", async () => {
    addChat(telegram.state, { id: 7 });
    addChat(telegram.state, { id: 8 });
    const ids = [await send(7), await send(8), await send(7)] as number[];
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    expect(new Set(ids).size).toBe(3);
  });
  it("of what was deleted are not given again", async () => {
    await ask("deleteMessage", { chat_id: group, message_id: 2 });
    expect(await send(group)).toBe(3);
    expect(await ask("editMessageText", { chat_id: group, message_id: 2, text: "y" })).toMatchObject({ ok: false });
  });
  it("of another chat are another message", async () => {
    addChat(telegram.state, { id: -1009 });
    expect(await ask("editMessageText", { chat_id: -1009, message_id: 1, text: "y" })).toMatchObject({
      description: "Bad Request: message to edit not found",
    });
  });
});

describe("updates", () => {
  it("of kinds that the Bot API does not know are not asked for", async () => {
    expect(await ask("getUpdates", { allowed_updates: ["messages"] })).toMatchObject({ error_code: 400 });
  });
  it("have growing ids, come in that order, and are gone once a higher offset was asked for", async () => {
    const ana = telegram.people.person(7, "Ana");
    for (const text of ["/a", "/b", "/c"]) telegram.people.says(ana, text);
    const ids = async (parameters: object) =>
      ((await ask("getUpdates", parameters)).result as unknown as { update_id: number }[]).map((one) => one.update_id);
    const first = await ids({});
    expect(first).toEqual(first.toSorted((a, b) => a - b));
    expect(first).toHaveLength(3);
    expect(await ids({ offset: first[1]! })).toEqual(first.slice(1));
    expect(await ids({})).toEqual(first.slice(1));
    expect(await ids({ offset: first[2]! + 1 })).toEqual([]);
  });
  it("from a negative offset on are the last ones, and the others are forgotten", async () => {
    const ana = telegram.people.person(7, "Ana");
    for (const text of ["/a", "/b", "/c"]) telegram.people.says(ana, text);
    const count = async (parameters: object) =>
      ((await ask("getUpdates", parameters)).result as unknown as object[]).length;
    expect([await count({ offset: -1 }), await count({})]).toEqual([1, 1]);
  });
});
