import type { BotConfiguration } from "../config/config.ts";
import { inWords, type Log } from "../context/log.ts";
import type { Store } from "../store/store.ts";
import { isAllowed } from "./access.ts";
import { readUpdate, updateSchema, type Said } from "./update.ts";

export type IntakeDeps = {
  bot: BotConfiguration;
  store: Store;
  log: Log;
  now: () => number;
  /** Runs after an update was written down. */ kick: () => void;
};

/** What became of an update at the door. */
export type Taken = "taken" | "repeated" | "ignored" | "stranger" | "malformed";

/** The door: checks an update's shape and sender, writes it down, and is done. Work comes later, from the store. */
export function intake({ bot, store, log, now, kick }: IntakeDeps): (update: unknown) => Taken {
  return (update) => {
    const parsed = updateSchema.safeParse(update);
    if (!parsed.success) {
      log.warn("update-malformed", { where: parsed.error.issues[0]?.path.join(".") });
      return "malformed";
    }
    const moved = parsed.data.message?.migrate_to_chat_id;
    if (moved !== undefined && bot.telegram.chats.includes(parsed.data.message?.chat.id ?? 0))
      log.warn("chat-moved", {
        from: parsed.data.message?.chat.id,
        to: moved,
        hint: "put the new id into telegram.chats",
      });
    const said = readUpdate(parsed.data);
    if (said === null) return "ignored";
    if (!isAllowed(bot.telegram, said)) {
      log.info("stranger", { user: said.user, chat: said.chat });
      // One line, once for each, and in private only: a bot that answers everybody is a bot that can be made to spam.
      if (bot.telegram.stranger !== null && said.privateChat && said.act.kind === "text") {
        store.messages.want(
          `stranger:${said.user}`,
          { chat: said.chat, topic: null },
          {
            html: bot.telegram.stranger.replaceAll("&", "&amp;").replaceAll("<", "&lt;"),
            plain: bot.telegram.stranger,
          },
          now(),
        );
        kick();
      }
      return "stranger";
    }
    const fresh = store.transaction(() => {
      if (said.act.kind === "text") store.messages.heard(said.chat, said.messageId, now());
      return store.inbox.take(said.updateId, said.chat, JSON.stringify(said), now());
    });
    if (!fresh) return "repeated";
    kick();
    return "taken";
  };
}

export type Handler = (said: Said) => Promise<() => void>;

/** Handling is tried so often; an update that breaks it every time must not stop its chat for ever. */
const maxAttempts = 10;

/**
 * Works off the inbox: one update at a time in each chat, in the order they came, chats beside each other. What a
 * handler wants done is committed together with the update's end, so a kill in between changes nothing.
 */
export class Lines {
  private readonly busy = new Map<number, Promise<void>>();
  private readonly store: Store;
  private readonly handle: Handler;
  private readonly log: Log;
  private readonly after: () => void;
  private stopped = false;

  constructor(store: Store, handle: Handler, log: Log, after: () => void) {
    this.store = store;
    this.handle = handle;
    this.log = log;
    this.after = after;
  }

  kick(): void {
    if (this.stopped) return;
    for (const chat of new Set(this.store.inbox.waiting().map((one) => one.chat))) {
      if (!this.busy.has(chat))
        this.busy.set(
          chat,
          this.serve(chat).finally(() => {
            this.busy.delete(chat);
            if (this.store.inbox.nextFor(chat) !== null) this.kick();
          }),
        );
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.allSettled(this.busy.values());
  }

  private async serve(chat: number): Promise<void> {
    for (
      let one = this.store.inbox.nextFor(chat);
      one !== null && !this.stopped;
      one = this.store.inbox.nextFor(chat)
    ) {
      const { updateId, attempts, body } = one;
      let commit = () => {};
      this.store.inbox.begun(updateId);
      try {
        if (attempts < maxAttempts) commit = await this.handle(JSON.parse(body) as Said);
        else this.log.warn("update-given-up", { updateId });
      } catch (error) {
        this.log.warn("handler-failed", { updateId, attempts: attempts + 1, error: inWords(error) });
        continue;
      }
      this.store.transaction(() => {
        commit();
        this.store.inbox.done(updateId);
      });
      this.after();
    }
  }
}
