import { personName } from "./context/person-name.ts";
import { Telegraf, type Composer } from "telegraf";
import { callbackQuery } from "./approvals/callback-query.ts";
import { renderReply } from "./approvals/render-buttons.ts";
import { openDeepLink } from "./commands/link.ts";
import { commands, help } from "./commands/table.ts";
import { unknown } from "./commands/unknown.ts";
import type { BotContext } from "./context/context.ts";
import { errorLine } from "./context/log.ts";
import { resolve, toContent } from "./context/reply.ts";
import type { SluiceContext } from "./context/telegraf-context.ts";
import { safe } from "./context/text.ts";
import { explainFailure } from "./github/explain.ts";
import type { CallbackAnswers } from "./inbox/callback-answers.ts";
import type { UpdateHandler } from "./inbox/inbox-worker.ts";
import { asWritten, readUpdate, type RawUpdate, type UserUpdate } from "./telegram/update.ts";
import type { TelegramClient } from "./telegram/client.ts";
import { throughClient } from "./telegram/telegraf.ts";

// The bot as Telegraf sees it. inbox/ stores every update before it comes here and gives it again after a kill, so a
// handler may run twice. What it answers is therefore not sent but stored, in the transaction that marks the update as
// handled: docs/decisions/0018-an-inbox-in-front-of-telegraf.md.

/** What the bot answers to: the one place where commands and buttons are bound to what they do. */
function register(bot: Composer<SluiceContext>): void {
  bot.use(explainErrors);
  bot.start(async (ctx) => {
    ctx.answer(await (ctx.payload === "" ? help.run(ctx) : openDeepLink(ctx, ctx.payload)));
  });
  for (const command of commands)
    bot.command(new RegExp(`^${command.name}$`, "i"), async (ctx) => {
      ctx.answer(await command.run(ctx));
    });
  bot.action(/^n:(.+)$/, callbackQuery);
  bot.on("callback_query", callbackQuery);
  bot.on("text", unknown);
}

/** If GitHub or a Space fails, that becomes the answer, so that nobody is left waiting. */
async function explainErrors(ctx: SluiceContext, next: () => Promise<void>): Promise<void> {
  try {
    await next();
  } catch (error) {
    const { log, now } = ctx.services;
    log.warn("handler-failed", { updateId: ctx.act.updateId, error: errorLine(error) });
    const { what, next: then } = explainFailure(error, "bot", now());
    if (ctx.act.act.kind === "callback") ctx.toast(`${what}. Nothing was done. ${then}`);
    else ctx.answer({ html: `🛑 ${safe(what)}: ${safe(errorLine(error), 200)}\nNothing was done. ${then}` });
  }
}

export type UpdateHandlerDeps = BotContext & {
  client: TelegramClient;
  token: string;
  /** What Telegram says of the bot. */
  me: () => NonNullable<Telegraf["botInfo"]>;
  callbacks: Pick<CallbackAnswers, "answer">;
  /** Called after storing a message that is to be sent. */
  kick: () => void;
};

/** Key of the message that the answer becomes, and how to store the answer. */
type Handling = { key: string; commit: () => void };

/** Hands an update of the inbox to Telegraf. @returns how to store what it answered */
export function updateHandler(deps: UpdateHandlerDeps): UpdateHandler {
  const telegraf = new Telegraf<SluiceContext>(deps.token, { handlerTimeout: Infinity });
  const handlings = new WeakMap<object, Handling>();
  const handle = async (update: RawUpdate, key: string): Promise<() => void> => {
    const handling = { key, commit: () => {} };
    handlings.set(update, handling);
    telegraf.botInfo = deps.me();
    await telegraf.handleUpdate(update as unknown as Parameters<Telegraf["handleUpdate"]>[0]);
    return handling.commit;
  };
  // The inbox gives a failed update again.
  telegraf.catch((error) => {
    throw error;
  });
  throughClient(telegraf, deps.client);
  telegraf.use(async (ctx, next) => {
    const update = ctx.update as unknown as RawUpdate;
    const act = readUpdate(update);
    if (act === null) return;
    Object.assign(ctx, extension(deps, act, handlings.get(ctx.update)!));
    ctx.runCommand = async (text, key) => {
      const commit = await handle(asWritten(update, text), key);
      handlings.get(ctx.update)!.commit = commit;
    };
    await next();
  });
  register(telegraf);
  return async (update) => handle(update, `u${update.update_id}`);
}

function extension(
  deps: UpdateHandlerDeps,
  act: UserUpdate,
  handling: Handling,
): Pick<SluiceContext, "services" | "act" | "place" | "key" | "answer" | "acknowledge" | "toast"> {
  const { chat, topic, user, updateId } = act;
  // In a group somebody else may have written meanwhile.
  const answers = act.act.kind === "text" && !act.privateChat && handling.key === `u${updateId}`;
  const place = { chat, topic, ...(answers ? { replyTo: act.messageId } : {}) };
  const storeText = (html: string, key: string) => {
    deps.store.messages.want(key, place, toContent(deps, { html }, chat, key), deps.now());
    deps.kick();
  };
  return {
    services: deps,
    act,
    place,
    key: handling.key,
    answer: (outcome, key = handling.key) => {
      handling.commit = () => {
        renderReply(deps, key, place, resolve(outcome), `${key}:${updateId}`);
      };
    },
    acknowledge: (html) => {
      storeText(html, handling.key);
    },
    toast: (text, alert = false) => {
      if (act.act.kind !== "callback") return;
      deps.callbacks.answer(act.act.query, { text: text.slice(0, 200), alert }, () => {
        storeText(`${personName(deps, user)}: ${safe(text, 300)}`, `u${updateId}:late`);
      });
    },
  };
}
