import type { Opts } from "@grammyjs/types";
import { z } from "zod";

/** A file from a multipart body. */
const upload = z.strictObject({ filename: z.string(), type: z.string(), bytes: z.instanceof(Uint8Array) });
export type Upload = z.infer<typeof upload>;

const chatId = z.union([z.int(), z.string().regex(/^@\w{4,}$/)]);
const parseMode = z.enum(["HTML"]).describe("The product writes HTML only.");
const linkPreview = z
  .strictObject({
    is_disabled: z.boolean(),
    url: z.string(),
    prefer_small_media: z.boolean(),
    prefer_large_media: z.boolean(),
    show_above_text: z.boolean(),
  })
  .partial();
const replyParameters = z.strictObject({ message_id: z.int(), allow_sending_without_reply: z.boolean().optional() });

const look = { text: z.string(), style: z.enum(["danger", "success", "primary"]).optional() };
const inlineButton = z.union([
  z.strictObject({ ...look, url: z.string() }),
  z.strictObject({ ...look, callback_data: z.string() }),
  z.strictObject({ ...look, copy_text: z.strictObject({ text: z.string().min(1).max(256) }) }),
]);
const inlineKeyboard = z.strictObject({ inline_keyboard: z.array(z.array(inlineButton)) });
const otherMarkup = z.union([
  z.strictObject({ remove_keyboard: z.literal(true), selective: z.boolean().optional() }),
  z.strictObject({
    force_reply: z.literal(true),
    input_field_placeholder: z.string().min(1).max(64).optional(),
    selective: z.boolean().optional(),
  }),
]);

const richText: z.ZodType = z.lazy(() =>
  z.union([
    z.string(),
    z.array(richText),
    styled,
    z.strictObject({ type: z.literal("url"), text: richText, url: z.string() }),
  ]),
);
const styled = z.strictObject({
  type: z.enum([
    "bold",
    "italic",
    "underline",
    "strikethrough",
    "spoiler",
    "subscript",
    "superscript",
    "marked",
    "code",
  ]),
  text: richText,
});
const cell = z.strictObject({
  text: richText.optional(),
  is_header: z.literal(true).optional(),
  colspan: z.int().min(2).optional(),
  rowspan: z.int().min(2).optional(),
  align: z.enum(["left", "center", "right"]),
  valign: z.enum(["top", "middle", "bottom"]),
});
const flag = z.literal(true).optional();
const richBlock: z.ZodType = z.lazy(() =>
  z.discriminatedUnion("type", [
    z.strictObject({ type: z.literal("paragraph"), text: richText }),
    z.strictObject({ type: z.literal("heading"), text: richText, size: z.int().min(1).max(6) }),
    z.strictObject({ type: z.literal("pre"), text: richText, language: z.string().optional() }),
    z.strictObject({ type: z.literal("footer"), text: richText }),
    z.strictObject({ type: z.literal("divider") }),
    z.strictObject({
      type: z.literal("list"),
      items: z.array(
        z.strictObject({ blocks: z.array(richBlock), has_checkbox: flag, is_checked: flag, value: z.int().optional() }),
      ),
    }),
    z.strictObject({ type: z.literal("blockquote"), blocks: z.array(richBlock), credit: richText.optional() }),
    z.strictObject({
      type: z.literal("table"),
      cells: z.array(z.array(cell)).min(1),
      is_bordered: flag,
      is_striped: flag,
      is_compact: flag,
      caption: richText.optional(),
    }),
    z.strictObject({ type: z.literal("details"), summary: richText, blocks: z.array(richBlock), is_open: flag }),
  ]),
);
const richMessage = z.strictObject({
  blocks: z.array(richBlock).min(1),
  skip_entity_detection: z.boolean().optional(),
  is_rtl: z.boolean().optional(),
});

const addressed = { chat_id: chatId, message_thread_id: z.int().positive().optional() };
const sending = {
  ...addressed,
  disable_notification: z.boolean().optional(),
  protect_content: z.boolean().optional(),
  reply_parameters: replyParameters.optional(),
  reply_markup: z.union([inlineKeyboard, otherMarkup]).optional(),
};
const editing = { chat_id: chatId, message_id: z.int().positive(), reply_markup: inlineKeyboard.optional() };
const updateKinds = z.array(
  z.enum([
    "message",
    "edited_message",
    "channel_post",
    "callback_query",
    "my_chat_member",
    "chat_member",
    "inline_query",
  ]),
);
const command = z.strictObject({
  command: z.string().regex(/^[a-z0-9_]{1,32}$/),
  description: z.string().min(1).max(256),
});
const scope = z.union([
  z.strictObject({ type: z.enum(["default", "all_private_chats", "all_group_chats", "all_chat_administrators"]) }),
  z.strictObject({ type: z.enum(["chat", "chat_administrators"]), chat_id: chatId }),
]);

/**
 * Parameters by method, as strict as Telegram's own documentation (Bot API 10): types, ranges, nothing unknown.
 * Telegram itself silently ignores unknown parameters. Here each one counts as a bug of the product.
 */
export const schemas = {
  getMe: z.strictObject({}),
  getUpdates: z.strictObject({
    offset: z.int().optional(),
    limit: z.int().min(1).max(100).optional(),
    timeout: z.int().min(0).max(50).optional(),
    allowed_updates: updateKinds.optional(),
  }),
  setWebhook: z.strictObject({
    url: z.string(),
    secret_token: z
      .string()
      .regex(/^[\w-]{1,256}$/)
      .optional(),
    allowed_updates: updateKinds.optional(),
    max_connections: z.int().min(1).max(100).optional(),
    drop_pending_updates: z.boolean().optional(),
    ip_address: z.string().optional(),
  }),
  deleteWebhook: z.strictObject({ drop_pending_updates: z.boolean().optional() }),
  getWebhookInfo: z.strictObject({}),
  sendMessage: z.strictObject({
    ...sending,
    text: z.string(),
    parse_mode: parseMode.optional(),
    link_preview_options: linkPreview.optional(),
  }),
  sendRichMessage: z.strictObject({ ...sending, rich_message: richMessage }),
  sendPhoto: z.strictObject({
    ...sending,
    photo: z.union([z.string(), upload]),
    caption: z.string().optional(),
    parse_mode: parseMode.optional(),
  }),
  sendDocument: z.strictObject({
    ...sending,
    document: z.union([z.string(), upload]),
    caption: z.string().optional(),
    parse_mode: parseMode.optional(),
  }),
  editMessageText: z.strictObject({
    ...editing,
    text: z.string().optional(),
    rich_message: richMessage.optional(),
    parse_mode: parseMode.optional(),
    link_preview_options: linkPreview.optional(),
  }),
  editMessageCaption: z.strictObject({ ...editing, caption: z.string().optional(), parse_mode: parseMode.optional() }),
  editMessageReplyMarkup: z.strictObject(editing),
  deleteMessage: z.strictObject({ chat_id: chatId, message_id: z.int().positive() }),
  pinChatMessage: z.strictObject({
    chat_id: chatId,
    message_id: z.int().positive(),
    disable_notification: z.boolean().optional(),
  }),
  answerCallbackQuery: z.strictObject({
    callback_query_id: z.string().min(1),
    text: z.string().max(200).optional(),
    show_alert: z.boolean().optional(),
    url: z.string().optional(),
    cache_time: z.int().min(0).optional(),
  }),
  sendChatAction: z.strictObject({ ...addressed, action: z.enum(["typing", "upload_photo", "upload_document"]) }),
  setMyCommands: z.strictObject({
    commands: z.array(command).max(100),
    scope: scope.optional(),
    language_code: z
      .string()
      .regex(/^[a-z]{2}$/)
      .optional(),
  }),
  getMyCommands: z.strictObject({ scope: scope.optional(), language_code: z.string().optional() }),
  deleteMyCommands: z.strictObject({ scope: scope.optional(), language_code: z.string().optional() }),
  getChat: z.strictObject({ chat_id: chatId }),
  getChatMember: z.strictObject({ chat_id: chatId, user_id: z.int() }),
  leaveChat: z.strictObject({ chat_id: chatId }),
} as const;

export type Method = keyof typeof schemas;
export type Parameters<M extends Method> = z.infer<(typeof schemas)[M]>;
export const methods = Object.keys(schemas) as Method[];

/** Ensures that every parameter in a schema exists in Telegram's API. An unknown name does not compile. */
type Unknown = { [M in Method]: Exclude<keyof (typeof schemas)[M]["shape"], keyof Opts<Upload>[M]> }[Method];
const allKnown: [Unknown] extends [never] ? true : Unknown = true;
void allKnown;

/** Names of the parameters whose values are JSON text inside a multipart body. */
export const jsonFields = new Set([
  "reply_markup",
  "reply_parameters",
  "link_preview_options",
  "rich_message",
  "entities",
  "caption_entities",
  "commands",
  "scope",
  "allowed_updates",
]);
