import type { Telegraf } from "telegraf";
import { ActionWorker, expireRequests } from "./approvals/action-worker.ts";
import { commands } from "./commands/table.ts";
import type { BotConfiguration, Secrets } from "./config/config.ts";
import type { BotContext } from "./context/context.ts";
import { createLog, errorLine, secretRedactor } from "./context/log.ts";
import { Delivery } from "./delivery/delivery.ts";
import { sendDigests } from "./events/digest.ts";
import { settleLinks } from "./events/linking.ts";
import { keepPinned } from "./events/pinned-status.ts";
import { watchGitHub } from "./events/poll-github.ts";
import { followRollouts } from "./events/follow-rollouts.ts";
import { lookAtSpaces } from "./events/watch-spaces.ts";
import { spaceHeaders } from "./spaces/key.ts";
import { digestOf } from "../github/registry/release.ts";
import { DeviceFlow } from "./github/device-flow.ts";
import { GitHub } from "./github/github.ts";
import { Verdicts } from "./github/verdicts.ts";
import { updateHandler } from "./handle-update.ts";
import { CommandLimit } from "./inbox/command-limit.ts";
import { InboxWorker } from "./inbox/inbox-worker.ts";
import { CallbackAnswers, type Toast } from "./inbox/callback-answers.ts";
import { pollForever } from "./inbox/poll.ts";
import { updateReceiver } from "./inbox/receive.ts";
import { allowedUpdates } from "./telegram/update.ts";
import { createWebhookServer, type WebhookServer } from "./inbox/webhook-server.ts";
import { foreignWebhook, foreignWebhookError } from "./inbox/webhook.ts";
import { Store } from "./store/store.ts";
import { createTelegram, type ClientDeps, type TelegramClient } from "./telegram/client.ts";
import { hourMs, minuteMs, systemClock, type Clock } from "./telegram/clock.ts";
import { TelegramFailure } from "./telegram/failure.ts";

// The parts of the bot:
//   inbox/             receives updates by polling or a webhook and stores them; a worker handles them one by one
//   handle-update.ts   the Telegraf bot: binds commands/ and the buttons of approvals/ to what people write and press
//   commands/          one file for each Telegram command, listed in table.ts
//   approvals/         actions on GitHub: requested, confirmed by taps, carried out
//   events/            turns what happens on GitHub, or is due by the clock, into messages
//   delivery/          sends stored messages through telegram/, the only folder that calls the Bot API
//   status/            what is live and what holds it, in lines that several messages share
//   store/             the SQLite database that all of them use, so that a kill neither loses nor repeats anything
//   card/, notify/     a candidate's card, and what actions/notify does with it; the bot adds buttons to the card

export type BotDeps = {
  bot: BotConfiguration;
  secrets: Secrets;
  env: NodeJS.ProcessEnv;
  fetch: typeof fetch;
  clock?: Clock;
  write: (line: string) => void;
  /** Ends the bot: it accepts no more updates, finishes its current work, and resolves. */
  signal: AbortSignal;
  pace?: ClientDeps["pace"];
};

const drainMs = 10_000;
const tickMs = 400;
const secondMs = 1_000;

/**
 * Runs the bot until the signal aborts.
 *
 * @throws ConfigurationError when the store is in use, or another program's webhook is set; TelegramFailure when the token is wrong
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
  const log = createLog(write, secretRedactor(secrets), clock.now);
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
  let me: Telegraf["botInfo"];
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
    username: () => me?.username ?? "",
    spaces: {
      fetch: transport,
      timeoutMs: bot.predict.timeoutSeconds * 1000,
      headersOf: (origin) => spaceHeaders(origin, secrets.spaceKey),
    },
    device:
      bot.github.clientId === null
        ? null
        : new DeviceFlow(env["GITHUB_SERVER_URL"] || "https://github.com", bot.github.clientId, transport),
  };

  const delivery = new Delivery({ store, client, log, clock, signal: ended });
  const kickDelivery = () => {
    delivery.kick();
  };
  const actions = new ActionWorker({ ...context, clock, signal: ended, kick: kickDelivery });
  const callbacks = new CallbackAnswers({ clock, signal: ended, send: answerCallback });
  const inbox = new InboxWorker({
    store,
    handle: updateHandler({
      ...context,
      client,
      token: secrets.telegramToken,
      me: () => me!,
      callbacks,
      kick: kickDelivery,
    }),
    log,
    clock,
    limit: new CommandLimit(bot.telegram.commandsPerMinute),
    signal: ended,
    onHandled: () => {
      delivery.kick();
      actions.kick();
    },
  });
  const receive = updateReceiver({
    bot,
    store,
    log,
    now: clock.now,
    kick: () => {
      kickInbox();
      delivery.kick();
    },
    onCallback: (query) => {
      callbacks.arrived(query);
    },
  });
  // Until the bot knows its name, it can't tell which commands are its own.
  const kickInbox = () => {
    if (me !== undefined) inbox.kick();
  };
  const kickAll = () => {
    kickInbox();
    delivery.kick();
    actions.kick();
  };

  let pollNow = () => {};
  const sleepUntilEvent = (ms: number) =>
    new Promise<void>((resolve) => {
      pollNow = resolve;
      clock.sleep(ms, ended).then(resolve, resolve);
    });
  let server: WebhookServer | null = null;
  const work: Promise<unknown>[] = [];
  try {
    if (bot.http !== null) {
      server = await listen(bot.http);
      log.info("listening", { port: server.port });
    }
    // First finish what a kill left unfinished.
    kickAll();
    work.push(
      watchGitHub(context, { signal: ended, kick: kickDelivery, sleep: sleepUntilEvent }),
      tick(context, client, clock, ended, kickAll),
    );
    await introduce();
    if (!ended.aborted) await receiveUpdates();
  } finally {
    stop.abort();
    await server?.close();
    const drained = new AbortController();
    const late = clock.sleep(drainMs, drained.signal).catch(() => undefined);
    await Promise.race([Promise.allSettled([...work, inbox.stop(), delivery.settled(), actions.settled()]), late]);
    drained.abort();
    store.close();
    log.info("ended");
  }

  async function answerCallback(query: string, { text, alert }: Toast): Promise<void> {
    const words = text === "" ? {} : { text, ...(alert ? { show_alert: true } : {}) };
    try {
      await client.call("answerCallbackQuery", { callback_query_id: query, ...words }, { signal: ended });
    } catch (error) {
      log.info("callback-not-answered", { error: errorLine(error) });
      throw error;
    }
  }

  function listen(http: NonNullable<BotConfiguration["http"]>): Promise<WebhookServer> {
    const { webhook } = bot.telegram;
    return createWebhookServer({
      ...http,
      log,
      isReady: () => ready,
      telegram:
        webhook === null ? null : { path: webhook.path, secret: secrets.telegramWebhookSecret as string, receive },
      github:
        secrets.githubWebhookSecret === null
          ? null
          : {
              path: "/github",
              secret: secrets.githubWebhookSecret,
              // The webhook only says that something happened. GitHub itself is asked what.
              onEvent: (event, id) => {
                if (id !== "" && store.seen.state("delivery", id) !== null) return;
                store.seen.set("delivery", id, event, clock.now());
                log.info("github-heard", { event });
                pollNow();
              },
            },
    });
  }

  /** Learns who the bot is, and sets its menu; asks until Telegram answers. */
  async function introduce(): Promise<void> {
    const self = await retry(() => client.call("getMe", {}, { signal: ended }));
    if (self === null) return;
    me = self as NonNullable<typeof me>;
    kickInbox();
    const menu = commands.map(({ name, about }) => ({ command: name, description: about.slice(0, 256) }));
    void client.call("setMyCommands", { commands: menu }, { signal: ended }).catch((error: unknown) => {
      log.warn("menu-not-set", { error: errorLine(error) });
    });
  }

  /** By polling, or by the webhook where bot.yaml names one; until the bot ends. */
  async function receiveUpdates(): Promise<void> {
    const { webhook } = bot.telegram;
    const isOwnWebhook = (url: string) => store.seen.state("webhook", digestOf([url])) !== null;
    if (webhook === null) {
      const onLaunch = () => {
        ready = true;
        log.info("polling", { bot: context.username() });
      };
      return pollForever({
        client,
        token: secrets.telegramToken,
        receive,
        log,
        clock,
        signal: ended,
        onLaunch,
        isOwnWebhook,
      });
    }
    const parameters = {
      url: `${webhook.url}${webhook.path}`,
      secret_token: secrets.telegramWebhookSecret as string,
      allowed_updates: [...allowedUpdates],
    };
    const foreign = await retry(() => foreignWebhook(client, (url) => url === parameters.url || isOwnWebhook(url)));
    if (foreign !== null) throw foreignWebhookError(foreign, "webhook");
    if (ended.aborted) return;
    store.seen.set("webhook", digestOf([parameters.url]), "own", clock.now());
    await retry(() => client.call("setWebhook", parameters, { signal: ended }));
    ready = true;
    log.info("webhook", { bot: context.username(), url: webhook.url });
    if (!ended.aborted)
      await new Promise<void>((resolve) => {
        ended.addEventListener("abort", () => {
          resolve();
        });
      });
  }

  /** Calls until it works; null if the bot ends meanwhile. @throws TelegramFailure for a wrong token */
  async function retry<T>(call: () => Promise<T>): Promise<T | null> {
    for (let pauseMs = 1_000; !ended.aborted; pauseMs = Math.min(minuteMs, pauseMs * 2)) {
      try {
        return await call();
      } catch (error) {
        if (error instanceof TelegramFailure && error.kind === "token") throw error;
        log.warn("telegram-not-ready", { error: errorLine(error) });
        await clock.sleep(pauseMs, ended).catch(() => undefined);
      }
    }
    return null;
  }
}

/**
 * Does what is due by the clock (linking, looks at Spaces, digests, cleaning up, expiry), and wakes the workers. What asks GitHub runs
 * beside, so that expiry and delivery do not wait for it.
 */
async function tick(
  context: BotContext,
  client: TelegramClient,
  clock: Clock,
  signal: AbortSignal,
  kick: () => void,
): Promise<void> {
  const running = new Map<string, Promise<void>>();
  const beside = (name: string, work: () => Promise<void>) => {
    if (running.has(name)) return;
    const done = work()
      .catch((error: unknown) => {
        context.log.warn("tick-failed", { what: name, error: errorLine(error) });
      })
      .finally(() => {
        running.delete(name);
      });
    running.set(name, done);
  };
  for (let nextDigest = 0, nextLook = 0, nextRollout = 0, nextForget = 0; !signal.aborted;) {
    beside("linking", () => settleLinks(context));
    if (clock.now() >= nextDigest) {
      nextDigest = clock.now() + minuteMs;
      beside("digests", () => sendDigests(context));
    }
    if (clock.now() >= nextLook) {
      nextLook = clock.now() + secondMs;
      beside("watch", () => lookAtSpaces(context, signal));
      beside("pinned", () => keepPinned(context, client, signal));
    }
    if (clock.now() >= nextRollout) {
      nextRollout = clock.now() + context.bot.github.pollSeconds * 1000;
      beside("rollouts", () => followRollouts(context));
    }
    if (clock.now() >= nextForget) {
      nextForget = clock.now() + hourMs;
      context.store.forget(clock.now());
    }
    expireRequests(context);
    kick();
    await clock.sleep(tickMs, signal).catch(() => undefined);
  }
  await Promise.allSettled(running.values());
}
