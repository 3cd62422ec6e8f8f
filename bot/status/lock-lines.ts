import type { BotContext } from "../context/context.ts";
import { safe } from "../context/text.ts";
import type { Held } from "../github/github.ts";

/** The lock of one environment; null when it is free. */
export async function lockOf(
  { github, bot }: Pick<BotContext, "github" | "bot">,
  environment: string,
): Promise<Held | null> {
  return (await github.locks(bot.github.lock)).find((one) => one.environment === environment) ?? null;
}

/** One line for all locks of the same holder and reason. */
export function lockLines(held: readonly Held[]): string[] {
  const groups = Map.groupBy(held, ({ record }) => `${record.holder}: ${record.reason}`);
  return [...groups].map(
    ([words, all]) =>
      `🔒 ${safe(all.map(({ environment }) => environment).join(", "), 200)} locked by ${safe(words, 200)}`,
  );
}
