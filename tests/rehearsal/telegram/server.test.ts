import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Refusal } from "../../../rehearsal/telegram/refusal.ts";
import { parseHtml } from "../../../rehearsal/telegram/html.ts";
import { addChat, startTelegram, type StandInTelegram } from "../../../rehearsal/telegram/server.ts";

let telegram: StandInTelegram;
beforeEach(async () => {
  telegram = await startTelegram();
});
afterEach(() => telegram.close());

type Answer = {
  ok: boolean;
  result?: unknown;
  error_code?: number;
  description?: string;
  parameters?: { retry_after?: number };
};
async function ask(method: string, parameters: object = {}, token = telegram.token): Promise<Answer> {
  const answer = await fetch(`${telegram.url}/bot${token}/${method}`, {
    method: "POST",
    body: JSON.stringify(parameters),
    headers: { "content-type": "application/json" },
  });
  return (await answer.json()) as Answer;
}
const group = -1001234567890;

describe("refusals in Telegram's words", () => {
  it.each<[method: string, parameters: object, words: string]>([
    ["sendMessage", { chat_id: 999, text: "x" }, "chat not found"],
    ["sendMessage", { chat_id: group, text: "  \n" }, "message text is empty"],
    ["sendMessage", { chat_id: group, text: "x".repeat(4097) }, "message is too long"],
    ["sendMessage", { chat_id: group, text: "x", message_thread_id: 3 }, "message thread not found"],
    ["sendMessage", { chat_id: group, text: "\ud800" }, "strings must be encoded in UTF-8"],
    [
      "sendMessage",
      { chat_id: group, text: "x", reply_parameters: { message_id: 5 } },
      "message to be replied not found",
    ],
    [
      "sendMessage",
      {
        chat_id: group,
        text: "x",
        reply_markup: { inline_keyboard: [[{ text: "b", callback_data: "é".repeat(33) }]] },
      },
      "BUTTON_DATA_INVALID",
    ],
    [
      "sendMessage",
      { chat_id: group, text: "x", reply_markup: { inline_keyboard: [[{ text: "b", url: "http://localhost:3000" }]] } },
      "inline keyboard button URL 'http://localhost:3000' is invalid: Wrong HTTP URL",
    ],
    ["editMessageText", { chat_id: group, message_id: 77, text: "x" }, "message to edit not found"],
    ["deleteMessage", { chat_id: group, message_id: 77 }, "message to delete not found"],
    [
      "answerCallbackQuery",
      { callback_query_id: "1" },
      "query is too old and response timeout expired or query ID is invalid",
    ],
    ["sendPhoto", { chat_id: group, photo: "id", caption: "x".repeat(1025) }, "message caption is too long"],
    [
      "sendRichMessage",
      {
        chat_id: group,
        rich_message: {
          blocks: [
            { type: "table", cells: [Array.from({ length: 21 }, () => ({ text: "x", align: "left", valign: "top" }))] },
          ],
        },
      },
      "RICH_MESSAGE_TABLE_TOO_WIDE",
    ],
    [
      "sendRichMessage",
      { chat_id: group, rich_message: { blocks: [{ type: "paragraph", text: "x".repeat(32_769) }] } },
      "RICH_MESSAGE_TOO_LONG",
    ],
  ])("%s #%#", async (method, parameters, words) => {
    addChat(telegram.state, { id: group });
    expect(await ask(method, parameters)).toEqual({ ok: false, error_code: 400, description: `Bad Request: ${words}` });
    expect(telegram.violations).toEqual([]);
  });

  it("of unknown parameters and wrong types, which Telegram would ignore, and records them", async () => {
    addChat(telegram.state, { id: group });
    expect(await ask("sendMessage", { chat_id: group, text: "x", silent: true })).toMatchObject({ error_code: 400 });
    expect(await ask("sendMessage", { chat_id: group, text: 5 })).toMatchObject({ error_code: 400 });
    expect(await ask("sendTelegram")).toMatchObject({ error_code: 404 });
    expect(telegram.violations).toHaveLength(3);
  });

  it("of tokens, blocked bots and edits that change nothing", async () => {
    expect(await ask("getMe", {}, "1:wrong")).toMatchObject({ error_code: 401, description: "Unauthorized" });
    expect(await ask("getMe", {}, "nonsense")).toMatchObject({ error_code: 404, description: "Not Found" });
    addChat(telegram.state, { id: 5, refuses: new Refusal(403, "Forbidden: bot was blocked by the user") });
    expect(await ask("sendMessage", { chat_id: 5, text: "x" })).toMatchObject({ error_code: 403 });
    addChat(telegram.state, { id: group });
    await ask("sendMessage", { chat_id: group, text: "<b>x</b>", parse_mode: "HTML" });
    expect(
      (await ask("editMessageText", { chat_id: group, message_id: 1, text: "<strong>x</strong>", parse_mode: "HTML" }))
        .description,
    ).toMatch(/message is not modified/);
    expect(await ask("editMessageText", { chat_id: group, message_id: 1, text: "x" })).toMatchObject({ ok: true });
  });

  it("of too many messages, until the window has room", async () => {
    let now = 0;
    await telegram.close();
    telegram = await startTelegram({
      now: () => now,
      limits: { private: { count: 1, perMs: 1000 }, group: { count: 2, perMs: 60_000 } },
    });
    addChat(telegram.state, { id: group });
    const send = () => ask("sendMessage", { chat_id: group, text: "x" });
    await send();
    now = 10_000;
    await send();
    expect(await send()).toMatchObject({
      error_code: 429,
      description: "Too Many Requests: retry after 50",
      parameters: { retry_after: 50 },
    });
    now = 60_001;
    expect(await send()).toMatchObject({ ok: true });
  });
});

describe("HTML as Telegram reads it", () => {
  it("gives text and entities", () => {
    expect(
      parseHtml(
        '<b>a &lt; <i>b</i></b> <a href="https://x.org/?a=1&amp;b=2">l</a><pre><code class="language-py">c</code></pre>',
      ),
    ).toEqual({
      text: "a < b lc",
      entities: [
        { type: "bold", offset: 0, length: 5 },
        { type: "italic", offset: 4, length: 1 },
        { type: "text_link", offset: 6, length: 1, url: "https://x.org/?a=1&b=2" },
        { type: "pre", offset: 7, length: 1, language: "py" },
      ],
    });
    expect(parseHtml("&unknown; & &#128512;&#x41;").text).toBe("&unknown; & 😀A");
  });

  it.each([
    ["<b>x", 'Can\'t find end tag corresponding to start tag "b"'],
    ["x</b>", "Unexpected end tag at byte offset 1"],
    ["é<h1>x</h1>", 'Unsupported start tag "h1" at byte offset 2'],
    ["<b><i>x</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'],
    ["a < b", 'Unsupported start tag "" at byte offset 2'],
    ["<b", "Unclosed start tag at byte offset 0"],
    ["<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'],
    [
      "&#55296;",
      "Text contains invalid Unicode characters after decoding HTML entities, check for unmatched surrogate code units",
    ],
  ])("refuses %j", (html, words) => {
    expect(() => parseHtml(html)).toThrow(`can't parse entities: ${words}`);
  });
});

describe("updates", () => {
  it("wait in a long poll, are repeated until confirmed, and go to one poller", async () => {
    const ana = telegram.people.person(7, "Ana");
    const waiting = ask("getUpdates", { timeout: 5 });
    await new Promise((resolve) => {
      setTimeout(resolve, 30);
    });
    const update = telegram.people.says(ana, "/status");
    expect((await waiting).result).toMatchObject([
      { update_id: update.update_id, message: { text: "/status", entities: [{ type: "bot_command", length: 7 }] } },
    ]);
    expect((await ask("getUpdates")).result).toHaveLength(1);
    expect((await ask("getUpdates", { offset: update.update_id + 1 })).result).toEqual([]);
    const first = ask("getUpdates", { timeout: 5 });
    await new Promise((resolve) => {
      setTimeout(resolve, 30);
    });
    const second = ask("getUpdates", { timeout: 1 });
    expect(await first).toMatchObject({
      error_code: 409,
      description: expect.stringContaining("terminated by other getUpdates"),
    });
    expect(await second).toMatchObject({ ok: true, result: [] });
  });

  it("go to a webhook with its secret, again and again until it answers 2xx", async () => {
    const got: { secret: unknown; body: string }[] = [];
    const hook = createServer((request, response) => {
      let body = "";
      request.on("data", (text: Buffer) => {
        body += text.toString();
      });
      request.on("end", () => {
        got.push({ secret: request.headers["x-telegram-bot-api-secret-token"], body });
        response.writeHead(got.length < 3 ? 500 : 200).end();
      });
    });
    await new Promise<void>((resolve) => {
      hook.listen(0, "127.0.0.1", resolve);
    });
    await ask("setWebhook", {
      url: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/hook`,
      secret_token: "s3cret",
    });
    telegram.people.says(telegram.people.person(7, "Ana"), "hello");
    await expect.poll(() => telegram.updates.deliveries.map((one) => one.status)).toEqual([500, 500, 200]);
    expect(new Set(got.map((one) => one.secret))).toEqual(new Set(["s3cret"]));
    expect(new Set(got.map((one) => one.body)).size).toBe(1);
    expect(await ask("getUpdates")).toMatchObject({
      error_code: 409,
      description: expect.stringContaining("webhook is active"),
    });
    hook.close();
  });

  it("come from pressed buttons, and each press is answered once", async () => {
    const ana = telegram.people.person(7, "Ana");
    await ask("sendMessage", {
      chat_id: 7,
      text: "sure?",
      reply_markup: { inline_keyboard: [[{ text: "Yes", callback_data: "n0nce" }]] },
    });
    const { callback_query: query } = telegram.people.presses(ana, { chat: 7, message_id: 1 }, "Yes");
    expect(query).toMatchObject({ data: "n0nce", from: { id: 7 }, message: { message_id: 1 } });
    expect(await ask("answerCallbackQuery", { callback_query_id: query?.id })).toMatchObject({ ok: true });
    expect(await ask("answerCallbackQuery", { callback_query_id: query?.id })).toMatchObject({ error_code: 400 });
    expect(() => telegram.people.presses(ana, { chat: 7, message_id: 1 }, "No")).toThrow('no button "No"');
  });
});
