import type { BotConfiguration } from "../config/config.ts";
import { commandButton, type Outcome, type Reply } from "../context/reply.ts";
import type { SluiceContext } from "../context/telegraf-context.ts";
import { safe } from "../context/text.ts";
import { escapeHtml } from "../telegram/format.ts";

// To add a command: export one from a file of its name in this folder, and list it in table.ts.

export type Command = {
  name: string;
  /** E.g. "/deploy MODEL ENVIRONMENT [VERSION]". */
  usage: string;
  /** One line for the menu. */
  about: string;
  /** Returns what to answer, which is stored before it is sent. */
  run: (ctx: CommandContext) => Promise<Outcome> | Outcome;
};

/** The context within Telegraf's `command`: `payload` is everything after the command's name, `args` its words. */
type CommandContext = SluiceContext & { args: string[]; payload: string };

/** The answer to a wrong command: what was wrong, the usage, and buttons for the likely choices. */
export function usage(
  { usage: words, about }: Pick<Command, "usage" | "about">,
  problem: string,
  choices: readonly string[] = [],
): Reply {
  const rows = choices.slice(0, 9).map((text) => [commandButton(text)]);
  return {
    html: `${problem}\n<code>${escapeHtml(words)}</code>: ${escapeHtml(about)}`,
    ...(rows.length === 0 ? {} : { buttons: rows }),
  };
}

/**
 * The answer when a model's name is missing (then it asks `question`) or is not listed, with buttons for the likely
 * choices.
 */
export function askForModel(
  command: Command,
  given: string | undefined,
  question: string,
  choices: readonly string[],
): Reply {
  return usage(command, given === undefined ? question : `There is no model ${safe(given)}.`, choices);
}

export function modelIds(bot: BotConfiguration): string[] {
  return bot.models.map(({ id }) => id);
}

/**
 * The listed name that was meant: equal except for case, or the only one that begins with the given text. Null
 * otherwise.
 */
export function matchName(given: string | undefined, names: readonly string[]): string | null {
  if (given === undefined || given === "") return null;
  const wanted = given.toLowerCase();
  const same = names.find((one) => one.toLowerCase() === wanted);
  if (same !== undefined) return same;
  const begin = names.filter((one) => one.toLowerCase().startsWith(wanted));
  return begin.length === 1 ? (begin[0] as string) : null;
}
