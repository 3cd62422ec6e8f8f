import { commandButton } from "../context/reply.ts";
import { didYouMean } from "../../models/core/did-you-mean.ts";
import type { SluiceContext } from "../context/telegraf-context.ts";
import { safe } from "../context/text.ts";
import { commands } from "./table.ts";

/**
 * Answers a text that is no command of ours: with the commands that may have been meant. A command for another bot is
 * left alone, and so is ordinary talk in a group.
 */
export function unknown(ctx: SluiceContext & { message: { text: string } }): void {
  const [, name, bot] = /^\/(\w{1,32})(?:@(\w+))?(?=\s|$)/.exec(ctx.message.text) ?? [];
  if (bot !== undefined && bot.toLowerCase() !== ctx.me.toLowerCase()) return;
  if (name === undefined && !ctx.act.privateChat) return;
  const word = name ?? ctx.message.text.trim().split(/\s+/, 1)[0] ?? "";
  const close = didYouMean(
    word.replace(/^\//, ""),
    commands.map((command) => command.name),
  );
  const likely = close === null ? ["status", "runs", "help"] : [close, "help"];
  ctx.answer({
    html: word === "" ? "What would you like?" : `There is no command ${safe(word, 40)}.`,
    buttons: [likely.map((one) => commandButton(`/${one}`))],
  });
}
