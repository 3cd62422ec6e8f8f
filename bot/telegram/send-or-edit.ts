import type { InlineKeyboardButton, InputRichMessage } from "@grammyjs/types";
import type { Method, Parameters, TelegramClient } from "./client.ts";
import { TelegramFailure } from "./failure.ts";

import { escapeMarkup, maxCaptionLength, maxTextLength, plainText, truncate, truncateHtml } from "./format.ts";
import type { InputFile } from "./payload.ts";
import { pngOf } from "./png.ts";

/** One message in each form that a Bot API server may accept, best first. `plain` must always be accepted. */
export type Content = {
  rich?: InputRichMessage<InputFile>;
  html: string;
  plain: string;
  buttons?: InlineKeyboardButton[][];
  /**
   * SVG of a picture above the text, which is then its caption. Where it cannot be drawn, or the text is too long for a
   * caption, the text is sent alone.
   */
  picture?: string;
  /** The text belongs to another program: only the buttons are set, and a missing message is not sent again. */
  onlyButtons?: true;
};

export type Address = { chat: number | string; topic?: number | null };

type Form = "photo" | "rich" | "html" | "pre" | "plain";

export type DeliveredMessage = {
  messageId: number;
  /** Where the message is now. A group that became a supergroup has another id. */
  chat: number | string;
  /** The topic of the message; null in the chat's general part, and when the requested topic no longer exists. */
  topic: number | null;
  form: Form;
  /** resent: the message to edit no longer existed, so it was sent again. */
  outcome: "sent" | "edited" | "resent";
};

export type SendOptions = {
  silent?: boolean;
  /** The message that a new one answers, where it still exists. */
  replyTo?: number | null;
  /** Does not wait behind other messages of the chat. */
  urgent?: boolean;
  signal?: AbortSignal;
};

const noPreview = { is_disabled: true } as const;

/**
 * Makes one message read as `content`: edits it if it exists, sends it otherwise.
 *
 * A picture goes as a photo with a caption. If Telegram refuses that, or the rich message, HTML is tried, then plain text in <pre>, then plain text without buttons. A
 * message that no longer exists is sent again. If the topic no longer exists, the message goes to the chat itself. If a
 * group became a supergroup, the message goes there. With `onlyButtons`, only the buttons are set.
 *
 * @param messageId the message to edit; null for a new one
 * @throws TelegramFailure when the chat does not exist, the token is wrong, or Telegram cannot be reached
 */
export async function sendOrEdit(
  client: TelegramClient,
  address: Address,
  content: Content,
  messageId: number | null,
  options: SendOptions = {},
): Promise<DeliveredMessage> {
  const { chat } = address;
  const topic = address.topic ?? null;
  const signal = {
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.urgent === true ? { urgent: true } : {}),
  };
  try {
    if (content.onlyButtons === true && messageId !== null) {
      await client.call(
        "editMessageReplyMarkup",
        { chat_id: chat, message_id: messageId, reply_markup: { inline_keyboard: content.buttons ?? [] } },
        signal,
      );
      return { messageId, chat, topic, form: "plain", outcome: "edited" };
    }
    if (messageId !== null) {
      const form = await edit(client, chat, messageId, content, signal).catch((error: unknown) =>
        nullIfMessageIsGone(error),
      );
      if (form !== null) return { messageId, chat, topic, form, outcome: "edited" };
    }
    const { id, form } = await send(client, { chat, topic }, content, options, signal);
    return { messageId: id, chat, topic, form, outcome: messageId === null ? "sent" : "resent" };
  } catch (error) {
    if (!(error instanceof TelegramFailure) || content.onlyButtons === true) throw error;
    if (error.kind === "chat-migrated" && error.migratedTo !== null && error.migratedTo !== chat)
      return sendOrEdit(client, { chat: error.migratedTo, topic }, content, null, options);
    if (error.kind === "topic-gone" && topic !== null)
      return {
        ...(await sendOrEdit(client, { chat }, content, null, options)),
        outcome: messageId === null ? "sent" : "resent",
      };
    throw error;
  }
}

function nullIfMessageIsGone(error: unknown): null {
  if (error instanceof TelegramFailure && error.kind === "message-gone") return null;
  throw error;
}

async function edit(
  client: TelegramClient,
  chat: number | string,
  messageId: number,
  content: Content,
  call: { signal?: AbortSignal; urgent?: boolean },
): Promise<Form> {
  const common = { chat_id: chat, message_id: messageId };
  // Whether it was sent as a photo depends on what could be drawn then: Telegram knows.
  if (content.picture !== undefined) {
    const caption = { caption: truncateHtml(content.html, maxCaptionLength), parse_mode: "HTML", ...markupOf(content) };
    try {
      await client.call("editMessageCaption", { ...common, ...caption } as Parameters<"editMessageCaption">, call);
      return "photo";
    } catch (error) {
      if (!isRefusedContent(error)) throw error;
    }
  }
  return firstAccepted(content, async (_form, body) => {
    await client.call("editMessageText", { ...common, ...body } as Parameters<"editMessageText">, call);
  });
}

async function send(
  client: TelegramClient,
  { chat, topic }: Address,
  content: Content,
  { silent = false, replyTo = null }: SendOptions,
  call: { signal?: AbortSignal; urgent?: boolean },
): Promise<{ id: number; form: Form }> {
  const common = {
    chat_id: chat,
    ...(topic === null || topic === undefined ? {} : { message_thread_id: topic }),
    ...(silent ? { disable_notification: true } : {}),
    ...(replyTo === null ? {} : { reply_parameters: { message_id: replyTo, allow_sending_without_reply: true } }),
  };
  let id = 0;
  // A caption is short. What does not fit must not be lost, so it goes without the picture.
  const fits = plainText(content.html).length <= maxCaptionLength;
  const source = content.picture === undefined || !fits ? null : await pngOf(content.picture);
  if (source !== null) {
    const caption = { caption: truncateHtml(content.html, maxCaptionLength), parse_mode: "HTML", ...markupOf(content) };
    const photo = { photo: { source, filename: "figure.png" }, ...caption };
    try {
      const sent = await client.call("sendPhoto", { ...common, ...photo } as Parameters<"sendPhoto">, call);
      return { id: sent.message_id, form: "photo" };
    } catch (error) {
      if (!isRefusedContent(error)) throw error;
    }
  }
  const form = await firstAccepted(content, async (form, body) => {
    const method: Method = form === "rich" ? "sendRichMessage" : "sendMessage";
    const message = (await client.call(method, { ...common, ...body } as Parameters<"sendMessage">, call)) as {
      message_id: number;
    };
    id = message.message_id;
  });
  return { id, form };
}

/** Tries each form until Telegram accepts one. Only a refusal of the content itself leads to the next form. */
async function firstAccepted(content: Content, attempt: (form: Form, body: object) => Promise<void>): Promise<Form> {
  const forms = bodies(content);
  for (const [i, [form, body]] of forms.entries()) {
    try {
      await attempt(form, body);
      return form;
    } catch (error) {
      if (!isRefusedContent(error) || i === forms.length - 1) throw error;
    }
  }
  throw new TypeError("no form to send");
}

const isRefusedContent = (error: unknown): boolean =>
  error instanceof TelegramFailure && (error.kind === "content" || error.kind === "method");

const markupOf = ({ buttons }: Content) =>
  buttons === undefined || buttons.length === 0 ? {} : { reply_markup: { inline_keyboard: buttons } };

function bodies(content: Content): [Form, object][] {
  const { rich, html, plain } = content;
  const markup = markupOf(content);
  const text = plain.trim() === "" ? "…" : plain;
  const pre = `<pre>${escapeMarkup(truncate(text, maxTextLength))}</pre>`;
  return [
    ...(rich === undefined ? [] : [["rich", { rich_message: rich, ...markup }] as [Form, object]]),
    ["html", { text: truncateHtml(html), parse_mode: "HTML", link_preview_options: noPreview, ...markup }],
    ["pre", { text: pre, parse_mode: "HTML", link_preview_options: noPreview, ...markup }],
    ["plain", { text: truncate(text, maxTextLength), link_preview_options: noPreview }],
  ];
}
