import { badRequest, Refusal } from "./refusal.ts";
import type { StoredChat, TelegramState } from "./state.ts";

export const maxTextLength = 4096;
export const maxCaptionLength = 1024;

type Markup = { inline_keyboard: Record<string, unknown>[][] };

/** The chat that a call names. @throws Refusal if the bot may not write there */
export function chatFor(state: TelegramState, id: number | string, thread?: number): StoredChat {
  const chat = typeof id === "number" ? state.chats.get(id) : undefined;
  if (chat === undefined) throw badRequest("chat not found");
  if (chat.refuses !== null) throw chat.refuses;
  if (thread !== undefined) {
    const topic = chat.topics?.get(thread);
    if (topic === undefined) throw badRequest("message thread not found");
    if (topic === "closed") throw badRequest("TOPIC_CLOSED");
  }
  return chat;
}

/** Applies Telegram's flood control: counts the messages that pass, and refuses those above the limit. */
export function countAgainstLimit(state: TelegramState, chat: StoredChat): void {
  if (state.limits === null) return;
  const limit = chat.type === "private" ? state.limits.private : state.limits.group;
  const now = state.now();
  const recent = (state.sent.get(chat.id) ?? []).filter((at) => at > now - limit.perMs);
  if (recent.length >= limit.count) {
    const seconds = Math.max(1, Math.ceil(((recent[0] as number) + limit.perMs - now) / 1000));
    throw new Refusal(429, `Too Many Requests: retry after ${seconds}`, { retry_after: seconds });
  }
  state.sent.set(chat.id, [...recent, now]);
}

export function checkKeyboard(markup: Markup | undefined): Markup | null {
  if (markup === undefined || !("inline_keyboard" in markup)) return null;
  const buttons = markup.inline_keyboard.flat();
  if (buttons.length > 100 || markup.inline_keyboard.some((row) => row.length > 8))
    throw badRequest("REPLY_MARKUP_TOO_LONG");
  for (const button of buttons) {
    if ((button["text"] as string).trim() === "")
      throw badRequest('can\'t parse inline keyboard button: Field "text" must be non-empty');
    if ("callback_data" in button) {
      const size = Buffer.byteLength(button["callback_data"] as string);
      if (size < 1 || size > 64) throw badRequest("BUTTON_DATA_INVALID");
    }
    if ("url" in button && !isLink(button["url"] as string))
      throw badRequest(`inline keyboard button URL '${button["url"] as string}' is invalid: Wrong HTTP URL`);
  }
  return buttons.length === 0 ? null : markup;
}

/** Whether Telegram accepts a URL: its host could be public, which means that it has a dot, and there are no spaces. */
function isLink(url: string): boolean {
  if (/^tg:\/\/\w/.test(url)) return true;
  return (
    /^https?:\/\/[^\s/?#]+\.[^\s/?#.]+([/?#]\S*)?$/i.test(url) && URL.canParse(url) && Buffer.byteLength(url) <= 2048
  );
}

/** The text as Telegram keeps it, without surrounding white space. */
export function checkLength(text: string, longest: number, words: string): string {
  if (text.length > longest) throw badRequest(words);
  return text.replace(/^\s*\n|\s+$/g, "");
}

type Block = { type: string; [key: string]: unknown };
const richCharacters = 32_768;
const richBlocks = 500;
const richDepth = 16;
const richColumns = 20;

/** Checks the limits of rich messages in Bot API 10. */
export function checkRich(message: { blocks: Block[] }): void {
  let characters = 0;
  let blocks = 0;
  const walk = (value: unknown, depth: number): void => {
    if (depth > 4 * richDepth) throw badRequest("RICH_MESSAGE_TOO_DEEP");
    if (typeof value === "string") characters += [...value].length;
    else if (Array.isArray(value)) for (const one of value) walk(one, depth + 1);
    else if (typeof value === "object" && value !== null) {
      const { type, url: _url, language: _language, align: _align, valign: _valign, ...rest } = value as Block;
      if ("cells" in rest) {
        const rows = rest["cells"] as { colspan?: number }[][];
        blocks += rows.length;
        if (rows.some((row) => row.reduce((sum, one) => sum + (one.colspan ?? 1), 0) > richColumns))
          throw badRequest("RICH_MESSAGE_TABLE_TOO_WIDE");
      }
      if (type !== undefined) blocks += 1;
      for (const one of Object.values(rest)) walk(one, depth + 1);
    }
  };
  walk(message.blocks, 0);
  if (characters > richCharacters || blocks > richBlocks) throw badRequest("RICH_MESSAGE_TOO_LONG");
  if (characters === 0) throw badRequest("message text is empty");
}

/** Refuses text that cannot be encoded as UTF-8: a surrogate without its other half. */
export function checkEncoding(value: unknown): void {
  if (typeof value === "string" && !value.isWellFormed()) throw badRequest("strings must be encoded in UTF-8");
  if (value instanceof Uint8Array || typeof value !== "object" || value === null) return;
  for (const one of Object.values(value)) checkEncoding(one);
}
