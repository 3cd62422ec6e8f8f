import { parseHtml } from "./html.ts";
import { badRequest } from "./refusal.ts";
import {
  chatFor,
  checkKeyboard,
  checkLength,
  checkRich,
  countAgainstLimit,
  maxCaptionLength,
  maxTextLength,
} from "./rules.ts";
import type { Parameters, Upload } from "./schemas.ts";
import { findMessage, messageJson, nextMessageId, type StoredMessage, type TelegramState } from "./state.ts";

type Sending = Parameters<"sendMessage" | "sendPhoto" | "sendRichMessage" | "sendDocument">;
type Content = Pick<StoredMessage, "text" | "entities" | "rich" | "photo" | "caption">;
type Markup = { inline_keyboard: Record<string, unknown>[][] };

const empty: Content = { text: null, entities: [], rich: null, photo: null, caption: null };
const tooLong = "message is too long";
const captionTooLong = "message caption is too long";

function formatted(
  text: string,
  mode: "HTML" | undefined,
  longest: number,
  words: string,
): Pick<StoredMessage, "text" | "entities"> {
  const { text: parsed, entities } = mode === "HTML" ? parseHtml(text) : { text, entities: [] };
  const kept = checkLength(parsed, longest, words);
  return { text: kept, entities };
}

function send(state: TelegramState, parameters: Sending, content: Content): unknown {
  const chat = chatFor(state, parameters.chat_id, parameters.message_thread_id);
  const markup = checkKeyboard(parameters.reply_markup as Markup | undefined);
  let replyTo: number | null = null;
  if (parameters.reply_parameters !== undefined) {
    const { message_id, allow_sending_without_reply = false } = parameters.reply_parameters;
    if (findMessage(state, chat.id, message_id) !== undefined) replyTo = message_id;
    else if (!allow_sending_without_reply) throw badRequest("message to be replied not found");
  }
  countAgainstLimit(state, chat);
  const message: StoredMessage = {
    ...content,
    message_id: nextMessageId(state, chat),
    chat: chat.id,
    thread: parameters.message_thread_id ?? null,
    from: state.bot,
    date: Math.floor(state.now() / 1000),
    markup,
    replyTo,
    silent: parameters.disable_notification === true,
    edits: 0,
    pinned: false,
  };
  state.messages.push(message);
  return messageJson(state, message);
}

export function sendMessage(state: TelegramState, parameters: Parameters<"sendMessage">): unknown {
  const { text, entities } = formatted(parameters.text, parameters.parse_mode, maxTextLength, tooLong);
  if (text === "" || text === null) throw badRequest("message text is empty");
  return send(state, parameters, { ...empty, text, entities });
}

export function sendRichMessage(state: TelegramState, parameters: Parameters<"sendRichMessage">): unknown {
  checkRich(parameters.rich_message as { blocks: { type: string }[] });
  return send(state, parameters, { ...empty, rich: parameters.rich_message });
}

export function sendPhoto(state: TelegramState, parameters: Parameters<"sendPhoto">): unknown {
  if (typeof parameters.photo !== "string") {
    if (!isPicture(parameters.photo)) throw badRequest("IMAGE_PROCESS_FAILED");
    checkDimensions(parameters.photo);
  }
  return send(state, parameters, { ...empty, photo: parameters.photo, ...captionOf(parameters) });
}

export function sendDocument(state: TelegramState, parameters: Parameters<"sendDocument">): unknown {
  return send(state, parameters, { ...empty, photo: parameters.document, ...captionOf(parameters) });
}

function captionOf({
  caption,
  parse_mode,
}: {
  caption?: string | undefined;
  parse_mode?: "HTML" | undefined;
}): Pick<StoredMessage, "caption" | "entities"> {
  if (caption === undefined) return { caption: null, entities: [] };
  const { text, entities } = formatted(caption, parse_mode, maxCaptionLength, captionTooLong);
  return { caption: text, entities };
}

/** Width and height together at most 10,000, and one at most 20 times the other. */
function checkDimensions({ bytes }: Upload): void {
  const png = Buffer.from(bytes.subarray(0, 24));
  // Of a JPEG only the beginning was looked at.
  if (png.length < 24 || png.toString("latin1", 12, 16) !== "IHDR") return;
  const [wide, high] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  if (wide + high > 10_000 || Math.max(wide, high) > 20 * Math.min(wide, high))
    throw badRequest("PHOTO_INVALID_DIMENSIONS");
}

function isPicture({ bytes }: Upload): boolean {
  const start = Buffer.from(bytes.subarray(0, 8)).toString("latin1");
  return (
    bytes.length <= 10 * 1024 * 1024 && (start === "\u0089PNG\r\n\u001a\n" || start.startsWith("\u00ff\u00d8\u00ff"))
  );
}

export function editMessageText(state: TelegramState, parameters: Parameters<"editMessageText">): unknown {
  if (parameters.rich_message !== undefined && state.rich) {
    if (parameters.text !== undefined) throw badRequest("text and rich_message can't be used together");
    checkRich(parameters.rich_message as { blocks: { type: string }[] });
    return edit(state, parameters, { ...empty, rich: parameters.rich_message });
  }
  const { text, entities } = formatted(parameters.text ?? "", parameters.parse_mode, maxTextLength, tooLong);
  if (text === "" || text === null) throw badRequest("message text is empty");
  return edit(state, parameters, { ...empty, text, entities });
}

export function editMessageCaption(state: TelegramState, parameters: Parameters<"editMessageCaption">): unknown {
  const message = own(state, parameters);
  if (message.photo === null) throw badRequest("there is no caption in the message to edit");
  return edit(state, parameters, { ...empty, photo: message.photo, ...captionOf(parameters) });
}

export function editMessageReplyMarkup(
  state: TelegramState,
  parameters: Parameters<"editMessageReplyMarkup">,
): unknown {
  const { text, entities, rich, photo, caption } = own(state, parameters);
  return edit(state, parameters, { text, entities, rich, photo, caption });
}

type Editing = Parameters<"editMessageReplyMarkup">;

function own(state: TelegramState, { chat_id, message_id }: Editing): StoredMessage {
  const chat = chatFor(state, chat_id);
  const message = findMessage(state, chat.id, message_id);
  if (message === undefined) throw badRequest("message to edit not found");
  if (message.from.id !== state.bot.id) throw badRequest("message can't be edited");
  return message;
}

function edit(state: TelegramState, parameters: Editing, content: Content): unknown {
  const message = own(state, parameters);
  if (message.photo !== null && content.photo === null) throw badRequest("there is no text in the message to edit");
  const markup = checkKeyboard(parameters.reply_markup as Markup | undefined);
  const same =
    JSON.stringify([content.text, content.entities, content.rich, content.caption, markup]) ===
    JSON.stringify([message.text, message.entities, message.rich, message.caption, message.markup]);
  if (same)
    throw badRequest(
      "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
    );
  countAgainstLimit(state, chatFor(state, parameters.chat_id));
  Object.assign(message, content, { markup, edits: message.edits + 1 });
  return messageJson(state, message);
}

export function deleteMessage(state: TelegramState, { chat_id, message_id }: Parameters<"deleteMessage">): true {
  const chat = chatFor(state, chat_id);
  const message = findMessage(state, chat.id, message_id);
  if (message === undefined) throw badRequest("message to delete not found");
  state.messages.splice(state.messages.indexOf(message), 1);
  return true;
}

export function pinChatMessage(state: TelegramState, { chat_id, message_id }: Parameters<"pinChatMessage">): true {
  const message = findMessage(state, chatFor(state, chat_id).id, message_id);
  if (message === undefined) throw badRequest("message to pin not found");
  message.pinned = true;
  return true;
}
