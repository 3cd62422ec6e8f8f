import { didYouMean } from "../models/core/did-you-mean.ts";
import { pressed, whyDead } from "./approvals/handle-callback.ts";
import { who } from "./approvals/card.ts";
import { paint } from "./approvals/render-buttons.ts";
import type { Handler } from "./intake/inbox-worker.ts";
import type { Said } from "./intake/update.ts";
import { isCardKey } from "./store/cards.ts";
import type { Store } from "./store/store.ts";
import { inWords } from "./config/log.ts";
import { statusOf } from "./github/client.ts";
import { toContent, type Ask, type Outcome, type BotContext } from "./context/command.ts";
import { start } from "./commands/link.ts";
import { commands } from "./commands/table.ts";
import { commandButton } from "./context/usage.ts";
import { safe } from "./context/words.ts";

export type ResponderDeps = BotContext & {
  /** Tells a presser that the press arrived; never fails. */
  answer: (query: string, toast: string, alert?: boolean) => void;
  /** Runs after something was written down to be shown. */
  kick: () => void;
};

/** Handles what somebody said: finds out what to answer, and returns what to write down, all in one transaction. */
export function responder(deps: ResponderDeps): Handler {
  return async (said) => {
    const outcome =
      said.act.kind === "text" ? await written(deps, said, said.act.text) : await press(deps, said, said.act);
    return outcome ?? (() => {});
  };
}

/** Writes an outcome down as the message of `key`. */
function show(deps: ResponderDeps, said: Said, key: string, outcome: Outcome): () => void {
  return () => {
    const reply = typeof outcome === "function" ? outcome() : outcome;
    paint(deps, key, placeOf(said), reply, `${key}:${said.updateId}`);
  };
}

const placeOf = (said: Said) => ({ chat: said.chat, topic: said.topic });

async function written(
  deps: ResponderDeps,
  said: Said,
  text: string,
  key = `u${said.updateId}`,
): Promise<(() => void) | null> {
  const [, name, bot, rest = ""] = /^\/(\w{1,32})(?:@(\w+))?(?:\s+([\s\S]*))?$/.exec(text.trim()) ?? [];
  // In a group, talk is not for the bot, nor are other bots' commands.
  if (bot !== undefined && bot.toLowerCase() !== deps.username().toLowerCase()) return null;
  if (name === undefined)
    return said.privateChat ? show(deps, said, key, suggestions(text.trim().split(/\s+/, 1)[0] ?? "")) : null;
  const ask: Ask = {
    args: rest.split(/\s+/).filter((word) => word !== ""),
    rest,
    said,
    place: placeOf(said),
    key,
    acknowledge: (html) => {
      deps.store.messages.want(key, placeOf(said), toContent(deps, { html }, said.chat, key), deps.now());
      deps.kick();
    },
  };
  return show(
    deps,
    said,
    key,
    await guarded(deps, said, async () => {
      if (name.toLowerCase() === "start") return (await start(deps, ask)) ?? run(deps, ask, "help");
      return run(deps, ask, name);
    }),
  );
}

async function run(deps: ResponderDeps, ask: Ask, name: string): Promise<Outcome> {
  const command = commands.find((one) => one.name === name.toLowerCase());
  return command === undefined ? suggestions(name) : command.run(deps, ask);
}

/** A failure of GitHub's or a Space's becomes an answer; nobody is left waiting. */
async function guarded(deps: ResponderDeps, said: Said, work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work();
  } catch (error) {
    deps.log.warn("command-failed", { updateId: said.updateId, error: inWords(error) });
    const status = statusOf(error);
    return {
      html: `🛑 ${status === null ? "GitHub did not answer" : `GitHub answered ${status}`}: ${safe(inWords(error), 200)}\nNothing was done. Try again.`,
    };
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

/**
 * The key of the message that was pressed. A press may come before the bot knows that its message was sent (the answer
 * was lost, or is still on its way): the button says which message it stands under, and the press where that one is.
 */
function keyUnder({ messages }: Store, { chat, messageId, updateId }: Said, family: string): string {
  const known = messages.keyOf(chat, messageId);
  if (known !== null) return known;
  const sent = [family, family.replace(/:\d+$/, "")]
    .map((key) => messages.byKey(key))
    .find((one) => one?.chat === chat && one.messageId === null);
  if (sent == null) return `u${updateId}`;
  messages.found(sent.key, messageId);
  return sent.key;
}

async function press(
  deps: ResponderDeps,
  said: Said,
  { query, data }: { query: string; data: string },
): Promise<(() => void) | null> {
  const { store, now, answer } = deps;
  const id = data.startsWith("n:") ? data.slice(2) : "";
  const nonce = store.nonces.find(id);
  const dead = whyDead(nonce, said, now(), (user) => who(deps, user));
  if (nonce === null || dead !== null) {
    answer(query, dead ?? "");
    return null;
  }
  // Under a card of notify's, several questions may stand; a button's family is its question.
  const key = isCardKey(nonce.family) ? nonce.family : keyUnder(store, said, nonce.family);
  if (nonce.press.kind === "command") {
    answer(query, "");
    return written(deps, said, nonce.press.text, key);
  }
  try {
    const { toast, outcome, alert = false } = await pressed(deps, said, nonce, key);
    answer(query, toast, alert);
    return outcome === null ? null : show(deps, said, key, outcome);
  } catch (error) {
    deps.log.warn("press-failed", { updateId: said.updateId, error: inWords(error) });
    answer(query, "GitHub did not answer. Nothing was done; press again.");
    return null;
  }
}
