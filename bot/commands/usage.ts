import type { BotConfiguration } from "../config/config.ts";
import { escapeHtml } from "../telegram/format.ts";
import type { Button, Command, Reply } from "../context/command.ts";

/** A button that writes a command for the person who presses it; as long as it lives, it may be pressed again. */
export function commandButton(text: string, label = text): Button {
  return { text: label, press: { kind: "command", text }, single: false };
}

/** What was wrong, the usage, and buttons for the likely choices. */
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

export function modelIds(bot: BotConfiguration): string[] {
  return bot.models.map(({ id }) => id);
}

/** The listed name that was meant: the same in any case, or the only one that begins so. Null otherwise. */
export function named(given: string | undefined, names: readonly string[]): string | null {
  if (given === undefined || given === "") return null;
  const wanted = given.toLowerCase();
  const same = names.find((one) => one.toLowerCase() === wanted);
  if (same !== undefined) return same;
  const begin = names.filter((one) => one.toLowerCase().startsWith(wanted));
  return begin.length === 1 ? (begin[0] as string) : null;
}
