import type { Context, Telegraf } from "telegraf";
import type { Method, Parameters, TelegramClient } from "./client.ts";

/**
 * Sends every call of a Telegraf bot through our client: the bot's own calls, including polling, and those of each
 * context, because telegraf makes a new Telegram object for each update.
 *
 * Call it before adding any other middleware.
 */
export function throughClient<C extends Context>(bot: Telegraf<C>, client: TelegramClient): void {
  const callApi = (method: string, payload: object, { signal }: { signal?: AbortLike } = {}) =>
    client.call(
      method as Method,
      payload as Parameters<Method>,
      signal === undefined ? {} : { signal: nativeSignal(signal) },
    );
  const redirect = (telegram: object) => {
    Object.assign(telegram, { callApi });
  };
  redirect(bot.telegram);
  bot.use((context, next) => {
    redirect(context.telegram);
    return next();
  });
}

type AbortLike = { aborted: boolean; addEventListener: (name: "abort", listener: () => void) => void };

/** telegraf's polling uses a signal of the abort-controller package, which Node's own functions do not accept. */
function nativeSignal(signal: AbortLike): AbortSignal {
  if (signal instanceof AbortSignal) return signal;
  const controller = new AbortController();
  if (signal.aborted) controller.abort();
  else
    signal.addEventListener("abort", () => {
      controller.abort();
    });
  return controller.signal;
}

/** Sets the bot's name from getMe. Telegraf's own way would remember one failed getMe for ever. */
export async function knowOneself(bot: Telegraf, client: TelegramClient): Promise<void> {
  bot.botInfo = (await client.call("getMe", {})) as NonNullable<typeof bot.botInfo>;
}
