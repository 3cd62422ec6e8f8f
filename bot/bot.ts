import type { BotConfiguration, Secrets } from "./config/config.ts";
import { Actor } from "./approvals/action-worker.ts";
import { endLate } from "./approvals/expire.ts";
import { responder } from "./handle-update.ts";
import { commands } from "./commands/table.ts";
import type { BotContext } from "./context/command.ts";
import { Delivery } from "./delivery/delivery.ts";
import { sendDigests } from "./events/digest.ts";
import { settleLinks } from "./events/linking.ts";
import { watch } from "./events/poll-github.ts";
import { DeviceFlow } from "./github/device-flow.ts";
import { GitHub } from "./github/github.ts";
import { Verdicts } from "./github/verdicts.ts";
import { openFront, type Front } from "./inbox/webhook-server.ts";
import { intake, Lines } from "./inbox/inbox-worker.ts";
import { pollForever } from "./inbox/poll.ts";
import { allowedUpdates } from "./inbox/update.ts";
import { createLog, inWords } from "./context/log.ts";
import { Store } from "./store/store.ts";
import { createTelegram, type ClientDeps } from "./telegram/client.ts";
import { systemClock, type Clock } from "./telegram/clock.ts";
import { TelegramFailure } from "./telegram/failure.ts";
import { redactor } from "./telegram/redact.ts";

export type BotDeps = {
  bot: BotConfiguration;
  secrets: Secrets;
  env: NodeJS.ProcessEnv;
  fetch: typeof fetch;
  clock?: Clock;
  write: (line: string) => void;
  /** Ends the bot: it takes nothing more, finishes what is under way, and resolves. */
  signal: AbortSignal;
  pace?: ClientDeps["pace"];
};

const drainMs = 10_000;
const tickMs = 400;

/**
 * Runs the bot until the signal aborts.
 *
 * @throws ConfigurationError when the store is in use; TelegramFailure when the token is wrong
 */
export async function runBot({
  bot,
  secrets,
  env,
  fetch: transport,
  clock = systemClock,
  write,
  signal,
  pace,
}: BotDeps): Promise<void> {
  const hidden = [
    secrets.telegramToken,
    secrets.githubToken,
    secrets.telegramWebhookSecret,
    secrets.githubWebhookSecret,
    secrets.sealingKey,
  ].flatMap((one) => (one === null ? [] : [one]));
  const hideTelegram = redactor(secrets.telegramToken);
  const redact = (text: string) =>
    hideTelegram(hidden.reduce((kept, one) => kept.replaceAll(one, "[secret]"), text)).replace(
      /\bgh[a-z]_\w{10,}|\bgithub_pat_\w{10,}/g,
      "[secret]",
    );
  const log = createLog(write, redact, clock.now);
  const apiRoot = env["TELEGRAM_API_ROOT"];
  const client = createTelegram({
    token: secrets.telegramToken,
    ...(apiRoot ? { apiRoot } : {}),
    clock,
    log: (line) => {
      log.info("telegram", { line });
    },
    ...(pace === undefined ? {} : { pace }),
  });
  const store = new Store(bot.store, secrets.sealingKey);
  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal]);
  let username = "";
  let ready = false;
  const github = new GitHub(secrets.githubToken, bot.repository, {
    apiUrl: env["GITHUB_API_URL"] || "https://api.github.com",
    fetch: transport,
    log: (line) => {
      log.info("github", { line });
    },
  });
  const context: BotContext = {
    bot,
    store,
    github,
    verdicts: new Verdicts(github, bot),
    log,
    now: clock.now,
    username: () => username,
    spaces: { fetch: transport, timeoutMs: bot.predict.timeoutSeconds * 1000 },
    device:
      bot.github.clientId === null
        ? null
        : new DeviceFlow(env["GITHUB_SERVER_URL"] || "https://github.com", bot.github.clientId, transport),
  };

  const delivery = new Delivery({ store, client, log, clock, signal: ended });
  const kickDelivery = () => {
    delivery.kick();
  };
  const actor = new Actor({ ...context, clock, signal: ended, kick: kickDelivery });
  const answer = (query: string, toast: string, alert = false) => {
    void client
      .call(
        "answerCallbackQuery",
        {
          callback_query_id: query,
          ...(toast === "" ? {} : { text: toast.slice(0, 200), ...(alert ? { show_alert: true } : {}) }),
        },
        { signal: ended },
      )
      .catch((error: unknown) => {
        log.info("press-not-answered", { error: inWords(error) });
      });
  };
  const lines = new Lines(store, responder({ ...context, answer, kick: kickDelivery }), log, () => {
    delivery.kick();
    actor.kick();
  });
  const take = intake({
    bot,
    store,
    log,
    now: clock.now,
    kick: () => {
      lines.kick();
      delivery.kick();
    },
  });

  let wake = () => {};
  const nap = (ms: number) =>
    new Promise<void>((resolve) => {
      wake = resolve;
      clock.sleep(ms, ended).then(resolve, resolve);
    });
  const { webhook } = bot.telegram;
  let front: Front | null = null;
  const work: Promise<unknown>[] = [];
  try {
    if (bot.http !== null) {
      front = await openFront({
        ...bot.http,
        log,
        isReady: () => ready,
        telegram:
          webhook === null ? null : { path: webhook.path, secret: secrets.telegramWebhookSecret as string, take },
        github:
          secrets.githubWebhookSecret === null
            ? null
            : {
                path: "/github",
                secret: secrets.githubWebhookSecret,
                // What a webhook says is not believed, only that something happened; GitHub itself is asked what.
                heard: (event, delivery) => {
                  if (delivery !== "" && store.seen.state("delivery", delivery) !== null) return;
                  store.seen.set("delivery", delivery, event, clock.now());
                  log.info("github-heard", { event });
                  wake();
                },
              },
      });
      log.info("listening", { port: front.port });
    }
    // What a kill left unfinished comes first.
    lines.kick();
    delivery.kick();
    actor.kick();
    work.push(
      watch(context, { signal: ended, kick: kickDelivery, sleep: nap }),
      tick(context, clock, ended, () => {
        delivery.kick();
        actor.kick();
        lines.kick();
      }),
    );
    const onLaunch = () => {
      ready = true;
      log.info("polling", { bot: username });
    };
    await introduce();
    if (ended.aborted) return;
    if (webhook === null)
      await pollForever({ client, token: secrets.telegramToken, take, log, clock, signal: ended, onLaunch });
    else {
      await persist(() =>
        client.call(
          "setWebhook",
          {
            url: `${webhook.url}${webhook.path}`,
            secret_token: secrets.telegramWebhookSecret as string,
            allowed_updates: [...allowedUpdates],
          },
          { signal: ended },
        ),
      );
      ready = true;
      log.info("webhook", { bot: username, url: webhook.url });
      await new Promise<void>((resolve) => {
        if (ended.aborted) resolve();
        else
          ended.addEventListener("abort", () => {
            resolve();
          });
      });
    }
  } finally {
    stop.abort();
    await front?.close();
    const drained = new AbortController();
    const late = clock.sleep(drainMs, drained.signal).catch(() => undefined);
    await Promise.race([Promise.allSettled([...work, lines.stop(), delivery.settled(), actor.settled()]), late]);
    drained.abort();
    store.close();
    log.info("ended");
  }

  /** Who the bot is, and its menu; asked until Telegram answers. */
  async function introduce(): Promise<void> {
    const me = await persist(() => client.call("getMe", {}, { signal: ended }));
    if (me === null) return;
    username = me.username;
    const menu = commands.map(({ name, about }) => ({ command: name, description: about.slice(0, 256) }));
    void client.call("setMyCommands", { commands: menu }, { signal: ended }).catch((error: unknown) => {
      log.warn("menu-not-set", { error: inWords(error) });
    });
  }

  /** Tries until it works; null when the bot is told to end meanwhile. @throws TelegramFailure for a wrong token */
  async function persist<T>(call: () => Promise<T>): Promise<T | null> {
    for (let pauseMs = 1_000; !ended.aborted; pauseMs = Math.min(60_000, pauseMs * 2)) {
      try {
        return await call();
      } catch (error) {
        if (error instanceof TelegramFailure && error.kind === "token") throw error;
        log.warn("telegram-not-ready", { error: inWords(error) });
        await clock.sleep(pauseMs, ended).catch(() => undefined);
      }
    }
    return null;
  }
}

/** What is due by the clock: linking, digests, forgetting; and a push for whatever waits. */
async function tick(context: BotContext, clock: Clock, signal: AbortSignal, kick: () => void): Promise<void> {
  for (let nextDigest = 0, nextForget = 0; !signal.aborted;) {
    await settleLinks(context).catch((error: unknown) => {
      context.log.warn("linking-failed", { error: inWords(error) });
    });
    if (clock.now() >= nextDigest) {
      nextDigest = clock.now() + 60_000;
      await sendDigests(context);
    }
    if (clock.now() >= nextForget) {
      nextForget = clock.now() + 3_600_000;
      context.store.forget(clock.now());
    }
    endLate(context);
    kick();
    await clock.sleep(tickMs, signal).catch(() => undefined);
  }
}
