import { Telegraf } from "telegraf";
import { inWords, type Log } from "../context/log.ts";
import type { TelegramClient } from "../telegram/client.ts";
import type { Clock } from "../telegram/clock.ts";
import { TelegramFailure } from "../telegram/failure.ts";
import { knowOneself, throughClient } from "../telegram/telegraf.ts";
import { allowedUpdates } from "./update.ts";

export type PollDeps = {
  client: TelegramClient;
  token: string;
  take: (update: unknown) => unknown;
  log: Log;
  clock: Clock;
  signal: AbortSignal;
  onLaunch: () => void;
};

const firstPauseMs = 1_000;
const maxPauseMs = 60_000;

/**
 * Long polling that does not end before it is told to: a conflict with another poller, a proxy's HTML, a webhook that
 * somebody set, all end telegraf's own polling; here each is followed by another launch after a growing pause.
 *
 * @throws TelegramFailure when the token is wrong: no pause makes that better
 */
export async function pollForever({ client, token, take, log, clock, signal, onLaunch }: PollDeps): Promise<void> {
  for (let failures = 0; !signal.aborted;) {
    const telegraf = new Telegraf(token, { handlerTimeout: Infinity });
    let again: NodeJS.Timeout | undefined;
    // Between its launch and its first poll, telegraf refuses to stop, and would then go on for ever.
    const stop = () => {
      try {
        telegraf.stop();
      } catch {
        again = setTimeout(stop, 20);
      }
    };
    signal.addEventListener("abort", stop);
    try {
      // Without a catch, telegraf ends its polling at the first handler that throws. Ours only writes to the store;
      // if that fails, the update must not be confirmed, so the polling does end, and begins again.
      telegraf.catch((error) => {
        throw error;
      });
      throughClient(telegraf, client);
      telegraf.use((context) => {
        take(context.update);
      });
      await knowOneself(telegraf, client);
      if (signal.aborted) return;
      await telegraf.launch({ allowedUpdates: [...allowedUpdates] }, () => {
        failures = 0;
        onLaunch();
      });
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof TelegramFailure && error.kind === "token") throw error;
      failures += 1;
      const pauseMs = Math.min(maxPauseMs, firstPauseMs * 2 ** (failures - 1));
      log.warn("polling-ended", { error: inWords(error), againInMs: pauseMs });
      await clock.sleep(pauseMs, signal).catch(() => undefined);
    } finally {
      clearTimeout(again);
      signal.removeEventListener("abort", stop);
    }
  }
}
