import { afterEach, describe, expect, it } from "vitest";
import { createTelegram } from "../../../bot/telegram/client.ts";
import { sendOrEdit, type Content } from "../../../bot/telegram/send-or-edit.ts";
import { Refusal } from "../../../rehearsal/telegram/refusal.ts";
import {
  addChat,
  startTelegram,
  type StandInOptions,
  type StandInTelegram,
} from "../../../rehearsal/telegram/server.ts";
import { quickClock } from "./clock.ts";

const group = -1001234567890;
let telegram: StandInTelegram;
afterEach(async () => {
  await telegram.close();
  if (telegram.violations.length > 0) throw new Error(telegram.violations.join("\n"));
});

async function start(options: StandInOptions = {}) {
  telegram = await startTelegram(options);
  addChat(telegram.state, { id: group, topics: new Map([[9, "open"]]) });
  return createTelegram({ token: telegram.token, apiRoot: telegram.url, clock: quickClock(), timeoutMs: 400 });
}
const buttons = [[{ text: "Run", url: "https://github.com/octo/models" }]];
const content = (text: string): Content => ({
  rich: { blocks: [{ type: "paragraph", text }] },
  html: `<b>${text}</b>`,
  plain: text,
  buttons,
});
const refuse = (method: string, words: string, times = 1) => {
  telegram.fail({ method, times, does: { kind: "refuse", refusal: new Refusal(400, `Bad Request: ${words}`) } });
};

describe("the best form that Telegram accepts", () => {
  it("sends and edits a rich message", async () => {
    const client = await start();
    const shown = await sendOrEdit(client, { chat: group, topic: 9 }, content("a"), null, { silent: true });
    expect(shown).toEqual({ messageId: 1, chat: group, topic: 9, form: "rich", outcome: "sent" });
    expect(telegram.state.messages[0]).toMatchObject({
      rich: { blocks: [{ text: "a" }] },
      silent: true,
      thread: 9,
      markup: { inline_keyboard: buttons },
    });
    expect(await sendOrEdit(client, { chat: group, topic: 9 }, content("b"), 1)).toMatchObject({
      messageId: 1,
      form: "rich",
      outcome: "edited",
    });
    expect(telegram.state.messages).toHaveLength(1);
  });

  it("sends and edits HTML on an older Bot API", async () => {
    const client = await start({ rich: false });
    expect(await sendOrEdit(client, { chat: group }, content("a"), null)).toMatchObject({ form: "html" });
    expect(await sendOrEdit(client, { chat: group }, content("b"), 1)).toMatchObject({
      form: "html",
      outcome: "edited",
    });
    expect(telegram.state.messages[0]).toMatchObject({ text: "b", entities: [{ type: "bold" }], edits: 1 });
  });

  it("falls back to <pre> if the HTML is refused, then to plain text without buttons", async () => {
    const client = await start({ rich: false });
    expect(
      await sendOrEdit(client, { chat: group }, { html: "<h1>x</h1>", plain: "a < b", buttons }, null),
    ).toMatchObject({
      form: "pre",
    });
    expect(telegram.state.messages[0]).toMatchObject({ text: "a < b", entities: [{ type: "pre" }] });
    expect(
      await sendOrEdit(
        client,
        { chat: group },
        { html: "x", plain: "a < b", buttons: [[{ text: "b", url: "http://localhost" }]] },
        null,
      ),
    ).toMatchObject({ form: "plain" });
    expect(telegram.state.messages[1]).toMatchObject({ text: "a < b", entities: [], markup: null });
  });

  it("cuts a text that is too long", async () => {
    const client = await start({ rich: false });
    await sendOrEdit(client, { chat: group }, { html: "<i>x</i>".repeat(5000), plain: "x" }, null);
    expect(telegram.state.messages[0]?.text).toHaveLength(4096);
  });
});

describe("messages, topics and chats that no longer exist", () => {
  it("an unchanged message counts as edited", async () => {
    const client = await start();
    await sendOrEdit(client, { chat: group }, content("a"), null);
    expect(await sendOrEdit(client, { chat: group }, content("a"), 1)).toMatchObject({ outcome: "edited" });
    expect(telegram.state.messages).toHaveLength(1);
  });

  it("a deleted message is sent anew, with sound if requested", async () => {
    const client = await start();
    expect(await sendOrEdit(client, { chat: group }, content("a"), 77)).toMatchObject({
      outcome: "resent",
      messageId: 1,
    });
    refuse("editMessageText", "message can't be edited");
    expect(await sendOrEdit(client, { chat: group }, content("b"), 1)).toMatchObject({
      outcome: "resent",
      messageId: 2,
    });
    expect(telegram.state.messages.map((one) => one.silent)).toEqual([false, false]);
  });

  it("without its topic, a message goes to the chat", async () => {
    const client = await start();
    expect(await sendOrEdit(client, { chat: group, topic: 4 }, content("a"), null)).toMatchObject({
      outcome: "sent",
      topic: null,
    });
    telegram.state.chats.get(group)?.topics?.set(9, "closed");
    expect(await sendOrEdit(client, { chat: group, topic: 9 }, content("a"), 55)).toMatchObject({
      outcome: "resent",
      topic: null,
    });
  });

  it("a group that became a supergroup is followed", async () => {
    const client = await start();
    addChat(telegram.state, {
      id: -55,
      refuses: new Refusal(400, "Bad Request: group chat was upgraded to a supergroup chat", {
        migrate_to_chat_id: group,
      }),
    });
    expect(await sendOrEdit(client, { chat: -55 }, content("a"), 3)).toMatchObject({ chat: group, messageId: 1 });
  });

  it.each([
    [new Refusal(400, "Bad Request: chat not found"), "chat-gone"],
    [new Refusal(403, "Forbidden: bot was kicked from the supergroup chat"), "chat-gone"],
    [new Refusal(401, "Unauthorized"), "token"],
  ] as const)("%s fails at once", async (refusal, kind) => {
    const client = await start();
    telegram.fail({ method: "*", times: 1, does: { kind: "refuse", refusal } });
    await expect(sendOrEdit(client, { chat: group }, content("a"), null)).rejects.toMatchObject({ kind });
    expect(telegram.transcript).toHaveLength(1);
  });
});

describe("a picture", () => {
  const picture =
    '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="100"><rect width="200" height="100" fill="#0a0"/></svg>';
  const shown = (html: string, svg = picture): Content => ({ html, plain: html, buttons, picture: svg });

  it("goes as a photo whose caption is the text, with the buttons; an edit changes the caption", async () => {
    const client = await start();
    const place = { chat: group, topic: 9 };
    expect(await sendOrEdit(client, place, shown("<b>a</b>"), null, { replyTo: 77 })).toMatchObject({ form: "photo" });
    const [message] = telegram.state.messages;
    expect(message).toMatchObject({ caption: "a", entities: [{ type: "bold" }], text: null, thread: 9 });
    expect(message!.markup).toEqual({ inline_keyboard: buttons });
    expect(Buffer.from((message!.photo as { bytes: Uint8Array }).bytes).toString("latin1", 1, 4)).toBe("PNG");
    expect(await sendOrEdit(client, place, shown("b"), 1)).toMatchObject({ form: "photo", outcome: "edited" });
    expect(telegram.state.messages).toHaveLength(1);
    expect(message).toMatchObject({ caption: "b", edits: 1 });
  });

  it("is left out where it cannot be drawn, where Telegram refuses it, and where the text is no caption", async () => {
    const client = await start();
    expect(await sendOrEdit(client, { chat: group }, shown("a", "<svg"), null)).toMatchObject({ form: "html" });
    expect(await sendOrEdit(client, { chat: group }, shown("b", "<svg"), 1)).toMatchObject({ form: "html" });
    const wide = picture.replace('width="200"', 'width="4000"');
    expect(await sendOrEdit(client, { chat: group }, shown("c", wide), null)).toMatchObject({ form: "html" });
    refuse("sendPhoto", "IMAGE_PROCESS_FAILED");
    expect(await sendOrEdit(client, { chat: group }, shown("d"), null)).toMatchObject({ form: "html" });
    expect(await sendOrEdit(client, { chat: group }, shown("x".repeat(1025)), null)).toMatchObject({ form: "html" });
    expect(telegram.state.messages.map(({ text, photo }) => [text?.slice(0, 2), photo])).toEqual([
      ["b", null],
      ["c", null],
      ["d", null],
      ["xx", null],
    ]);
  });
});
