import { Telegraf } from "telegraf";
import { errorLine, type Log } from "../context/log.ts";
import type { TelegramClient } from "../telegram/client.ts";
import type { Clock } from "../telegram/clock.ts";
import { TelegramFailure } from "../telegram/failure.ts";
import { knowOneself, throughClient } from "../telegram/telegraf.ts";
import { allowedUpdates } from "../telegram/update.ts";
import { ForeignWebhook, foreignWebhook, foreignWebhookError } from "./webhook.ts";

export type PollDeps = {
  client: TelegramClient;
  token: string;
  receive: (update: unknown) => unknown;
  log: Log;
  clock: Clock;
  signal: AbortSignal;
  onLaunch: () => void;
  /** Whether this bot set a webhook itself, in an earlier run. */
  isOwnWebhook: (url: string) => boolean;
};

const firstPauseMs = 1_000;
const maxPauseMs = 60_000;

/**
 * Polls until the signal aborts. Telegraf deletes whatever webhook is set before it polls. It may be another program's,
 * so it is looked at first. Telegraf's own polling ends on a conflict with another poller, on an HTML page from a
 * proxy, or when somebody sets a webhook. Here, each of these leads to a new launch after a growing pause.
 *
 * @throws TelegramFailure if the token is wrong, because waiting does not help
 */
export async function pollForever({
  client,
  token,
  receive,
  log,
  clock,
  signal,
  onLaunch,
  isOwnWebhook,
}: PollDeps): Promise<void> {
  for (let failures = 0, hasPolled = false; !signal.aborted;) {
    const telegraf = new Telegraf(token, { handlerTimeout: Infinity });
    let again: NodeJS.Timeout | undefined;
    // Between launch and first poll, telegraf refuses to stop and would then poll for ever. So try again.
    const stop = () => {
      try {
        telegraf.stop();
      } catch {
        again = setTimeout(stop, 20);
      }
    };
    signal.addEventListener("abort", stop);
    try {
      // Our handler only writes to the store. If that fails, the update must not be confirmed to Telegram, so the error
      // is rethrown and ends this launch.
      telegraf.catch((error) => {
        throw error;
      });
      throughClient(telegraf, client);
      telegraf.use((context) => {
        receive(context.update);
      });
      await knowOneself(telegraf, client);
      if (signal.aborted) return;
      const foreign = await foreignWebhook(client, isOwnWebhook);
      if (foreign !== null) throw new ForeignWebhook(foreign);
      await telegraf.launch({ allowedUpdates: [...allowedUpdates] }, () => {
        failures = 0;
        hasPolled = true;
        onLaunch();
      });
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof TelegramFailure && error.kind === "token") throw error;
      // At the start somebody is there to decide. Later the bot waits until the webhook is gone.
      if (error instanceof ForeignWebhook && !hasPolled) throw foreignWebhookError(error.host, "polling");
      failures += 1;
      const pauseMs = Math.min(maxPauseMs, firstPauseMs * 2 ** (failures - 1));
      log.warn("polling-ended", { error: errorLine(error), againInMs: pauseMs });
      await clock.sleep(pauseMs, signal).catch(() => undefined);
    } finally {
      clearTimeout(again);
      signal.removeEventListener("abort", stop);
    }
  }
}
