import { didYouMean } from "../models/core/did-you-mean.ts";
import { handleCallback } from "./approvals/handle-callback.ts";
import { renderReply } from "./approvals/render-buttons.ts";
import { personName } from "./approvals/request.ts";
import { commandButton, type CommandRequest } from "./commands/command.ts";
import { start } from "./commands/link.ts";
import { commands } from "./commands/table.ts";
import type { BotContext } from "./context/context.ts";
import { errorLine } from "./context/log.ts";
import { resolve, toContent, type Outcome } from "./context/reply.ts";
import { safe } from "./context/text.ts";
import { explainFailure } from "./github/explain.ts";
import type { UpdateHandler } from "./inbox/inbox-worker.ts";
import type { CallbackAnswers } from "./inbox/callback-answers.ts";
import type { UserUpdate } from "./inbox/update.ts";
import { isCardKey } from "./store/cards.ts";
import type { Nonce } from "./store/nonces.ts";
import type { Store } from "./store/store.ts";

// Handles what a listed person wrote or tapped. A command goes to commands/, a tap that leads to an action on GitHub to
// approvals/handle-callback.ts. Both first find out what to answer. They return a function that stores the answer in
// the same transaction that marks the update as handled.

export type UpdateHandlerDeps = BotContext & {
  callbacks: Pick<CallbackAnswers, "answer">;
  /** Called after storing a message that is to be sent. */
  kick: () => void;
};

type Commit = () => void;

export function updateHandler(deps: UpdateHandlerDeps): UpdateHandler {
  return async (update) => {
    const { act } = update;
    const commit = act.kind === "text" ? await handleText(deps, update, act.text) : await handleTap(deps, update, act);
    return commit ?? (() => {});
  };
}

/** Stores an outcome as the message of `key`. */
function store(deps: UpdateHandlerDeps, update: UserUpdate, key: string, outcome: Outcome): Commit {
  return () => {
    renderReply(deps, key, chatAndTopic(update), resolve(outcome), `${key}:${update.updateId}`);
  };
}

const chatAndTopic = ({ chat, topic }: UserUpdate) => ({ chat, topic });

/** A command, or other text. Other text is answered only in a private chat. */
async function handleText(
  deps: UpdateHandlerDeps,
  update: UserUpdate,
  text: string,
  key = `u${update.updateId}`,
): Promise<Commit | null> {
  const [, name, bot, rest = ""] = /^\/(\w{1,32})(?:@(\w+))?(?:\s+([\s\S]*))?$/.exec(text.trim()) ?? [];
  // A command for another bot is ignored, and so is ordinary talk in a group.
  if (bot !== undefined && bot.toLowerCase() !== deps.username().toLowerCase()) return null;
  if (name === undefined)
    return update.privateChat ? store(deps, update, key, suggestions(text.trim().split(/\s+/, 1)[0] ?? "")) : null;
  const request: CommandRequest = {
    args: rest.split(/\s+/).filter((word) => word !== ""),
    rest,
    update,
    place: chatAndTopic(update),
    key,
    acknowledge: (html) => {
      deps.store.messages.want(key, chatAndTopic(update), toContent(deps, { html }, update.chat, key), deps.now());
      deps.kick();
    },
  };
  return store(deps, update, key, await runCommand(deps, request, name));
}

/** Runs a command. If GitHub or a Space fails, that becomes the answer, so that nobody is left waiting. */
async function runCommand(deps: UpdateHandlerDeps, request: CommandRequest, name: string): Promise<Outcome> {
  const run = (wanted: string): Promise<Outcome> | Outcome =>
    commands.find((one) => one.name === wanted.toLowerCase())?.run(deps, request) ?? suggestions(wanted);
  try {
    return await (name.toLowerCase() === "start" ? ((await start(deps, request)) ?? run("help")) : run(name));
  } catch (error) {
    deps.log.warn("command-failed", { updateId: request.update.updateId, error: errorLine(error) });
    const { what, next } = explainFailure(error, "bot", deps.now());
    return { html: `🛑 ${safe(what)}: ${safe(errorLine(error), 200)}\nNothing was done. ${next}` };
  }
}

function suggestions(word: string): Outcome {
  const close = didYouMean(
    word.replace(/^\//, ""),
    commands.map(({ name }) => name),
  );
  const names = close === null ? ["status", "runs", "help"] : [close, "help"];
  return {
    html: word === "" ? "What would you like?" : `There is no command ${safe(word, 40)}.`,
    buttons: [names.map((name) => commandButton(`/${name}`))],
  };
}

/** A tap on one of the bot's buttons: the button's nonce says what it does. */
async function handleTap(
  deps: UpdateHandlerDeps,
  update: UserUpdate,
  { query, data }: { query: string; data: string },
): Promise<Commit | null> {
  /** A toast; a message to the person if the press can't be answered any more. */
  const say = (text: string, alert = false) => {
    deps.callbacks.answer(query, { text: text.slice(0, 200), alert }, () => {
      const html = `${personName(deps, update.user)}: ${safe(text, 300)}`;
      const late = `u${update.updateId}:late`;
      deps.store.messages.want(late, chatAndTopic(update), toContent(deps, { html }, update.chat, late), deps.now());
      deps.kick();
    });
  };
  const nonce = deps.store.nonces.find(data.startsWith("n:") ? data.slice(2) : "");
  const refusal = whyUnusable(deps, nonce, update);
  if (nonce === null || refusal !== null) {
    say(refusal ?? "");
    return null;
  }
  // One card of actions/notify may carry several questions. A button's family says which one it belongs to.
  const key = isCardKey(nonce.family) ? nonce.family : keyUnder(deps.store, update, nonce.family);
  if (nonce.callback.kind === "command") {
    say("");
    return handleText(deps, update, nonce.callback.text, key);
  }
  try {
    const { toast, outcome, alert = false } = await handleCallback(deps, update, nonce, key);
    say(toast, alert);
    return outcome === null ? null : store(deps, update, key, outcome);
  } catch (error) {
    deps.log.warn("callback-failed", { updateId: update.updateId, error: errorLine(error) });
    const { what, next } = explainFailure(error, "bot", deps.now());
    say(`${what}. Nothing was done. ${next}`);
    return null;
  }
}

/** @returns null, or why a button does nothing for this person here and now */
function whyUnusable(context: BotContext, nonce: Nonce | null, { chat, user }: UserUpdate): string | null {
  // A button of another chat does not exist here.
  if (nonce === null || nonce.chat !== context.store.messages.whereIs(chat)) return "This button is not known.";
  if (nonce.user !== null && nonce.user !== user) return `This button is ${personName(context, nonce.user)}'s.`;
  if (nonce.usedAt !== null) return "This button was used already.";
  if (nonce.expiresAt <= context.now()) return "This button is too old: ask again.";
  return null;
}

/**
 * The key of the message whose button was tapped. The bot may not yet know that the message was sent, because
 * Telegram's answer was lost or is still on its way. Then the button's family names the message, and the update
 * contains its id.
 */
function keyUnder({ messages }: Store, { chat, messageId, updateId }: UserUpdate, family: string): string {
  const known = messages.keyOf(chat, messageId);
  if (known !== null) return known;
  const sent = [family, family.replace(/:\d+$/, "")]
    .map((key) => messages.byKey(key))
    .find((one) => one?.chat === chat && one.messageId === null);
  if (sent == null) return `u${updateId}`;
  messages.found(sent.key, messageId);
  return sent.key;
}
