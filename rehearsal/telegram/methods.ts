import {
  deleteMessage,
  editMessageCaption,
  editMessageReplyMarkup,
  editMessageText,
  pinChatMessage,
  sendDocument,
  sendMessage,
  sendPhoto,
  sendRichMessage,
} from "./messages.ts";
import { badRequest, Refusal } from "./refusal.ts";
import { chatFor, checkEncoding } from "./rules.ts";
import { methods, schemas, type Method, type Parameters } from "./schemas.ts";
import { chatJson, type TelegramState } from "./state.ts";
import type { Updates } from "./updates.ts";

type Surroundings = {
  state: TelegramState;
  updates: Updates;
  violations: string[];
  disconnected: Promise<void>;
};

const richMethods: readonly string[] = ["sendRichMessage"];

/**
 * Answers one call.
 *
 * @returns the `result` of Telegram's answer
 * @throws Refusal with Telegram's code and description
 */
export async function answerMethod(
  around: Surroundings,
  name: string,
  given: Record<string, unknown>,
): Promise<unknown> {
  const { state, violations } = around;
  // Telegram ignores the case of method names.
  const method = methods.find((one) => one.toLowerCase() === name.toLowerCase());
  if (method === undefined || (!state.rich && richMethods.includes(method))) {
    if (method === undefined) violations.push(`${name}: no such method here`);
    throw new Refusal(404, "Not Found: method not found");
  }
  checkEncoding(given);
  const parsed = schemas[method].safeParse(given);
  if (!parsed.success) {
    const words = parsed.error.issues
      .map((issue) => `${method}${issue.path.length === 0 ? "" : `: ${issue.path.join(".")}`}: ${issue.message}`)
      .join("; ");
    violations.push(words);
    throw badRequest(`not by the documentation: ${words}`);
  }
  return (answers[method] as (around: Surroundings, parameters: unknown) => unknown)(around, parsed.data);
}

const answers: { [M in Method]: (around: Surroundings, parameters: Parameters<M>) => unknown } = {
  getMe: ({ state }) => ({
    ...state.bot,
    can_join_groups: state.joinsGroups,
    can_read_all_group_messages: false,
    supports_inline_queries: false,
  }),
  getUpdates: ({ updates, disconnected }, parameters) => updates.poll(parameters, disconnected),
  setWebhook: ({ updates }, parameters) => updates.setWebhook(parameters),
  deleteWebhook: ({ updates }, parameters) => updates.setWebhook({ url: "", ...parameters }),
  getWebhookInfo: ({ updates }) => ({
    url: updates.webhookUrl,
    has_custom_certificate: false,
    pending_update_count: updates.unconfirmed.length,
    ...updates.lastError,
  }),
  sendMessage: ({ state }, parameters) => sendMessage(state, parameters),
  sendRichMessage: ({ state }, parameters) => sendRichMessage(state, parameters),
  sendPhoto: ({ state }, parameters) => sendPhoto(state, parameters),
  sendDocument: ({ state }, parameters) => sendDocument(state, parameters),
  editMessageText: ({ state }, parameters) => editMessageText(state, parameters),
  editMessageCaption: ({ state }, parameters) => editMessageCaption(state, parameters),
  editMessageReplyMarkup: ({ state }, parameters) => editMessageReplyMarkup(state, parameters),
  deleteMessage: ({ state }, parameters) => deleteMessage(state, parameters),
  pinChatMessage: ({ state }, parameters) => pinChatMessage(state, parameters),
  answerCallbackQuery: ({ state }, { callback_query_id }) => {
    const query = state.callbackQueries.get(callback_query_id);
    if (query === undefined || query.answered)
      throw badRequest("query is too old and response timeout expired or query ID is invalid");
    query.answered = true;
    return true;
  },
  sendChatAction: ({ state }, { chat_id, message_thread_id, action }) => {
    state.chatActions.push({ chat: chatFor(state, chat_id, message_thread_id).id, action });
    return true;
  },
  setMyCommands: ({ state }, { commands }) => {
    state.commands = commands;
    return true;
  },
  getMyCommands: ({ state }) => state.commands,
  deleteMyCommands: ({ state }) => {
    state.commands = [];
    return true;
  },
  getChat: ({ state }, { chat_id }) => ({
    ...chatJson(state, chatFor(state, chat_id).id),
    accent_color_id: 0,
    max_reaction_count: 11,
  }),
  getChatMember: ({ state }, { chat_id, user_id }) => {
    const status = chatFor(state, chat_id).members.get(user_id);
    if (status === undefined) throw badRequest("user not found");
    return {
      status,
      user: { id: user_id, is_bot: user_id === state.bot.id, first_name: "member" },
      ...(status === "creator" ? { is_anonymous: false } : {}),
    };
  },
  leaveChat: ({ state }, { chat_id }) => {
    const chat = chatFor(state, chat_id);
    chat.refuses = new Refusal(403, "Forbidden: bot is not a member of the supergroup chat");
    return true;
  },
};
