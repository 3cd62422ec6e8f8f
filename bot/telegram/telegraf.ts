import type { Telegraf } from "telegraf";
import type { Method, Parameters, TelegramClient } from "./client.ts";

/**
 * Sends everything that a Telegraf bot asks of Telegram through our client: its own calls (polling among them), and
 * those of every context, for which telegraf makes a new Telegram object per update.
 *
 * Call it before any other middleware is added.
 */
export function throughClient(bot: Telegraf, client: TelegramClient): void {
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

/** telegraf's polling aborts through a signal of the abort-controller package, which Node's own functions refuse. */
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

/** What getMe answers, asked until it answers: telegraf itself remembers one failed getMe for ever. */
export async function knowOneself(bot: Telegraf, client: TelegramClient): Promise<void> {
  bot.botInfo = (await client.call("getMe", {})) as NonNullable<typeof bot.botInfo>;
}
