import type { ApiMethods, Opts } from "@grammyjs/types";
import { Agent } from "node:https";
import { Telegram } from "telegraf";
import { ChatQueue, telegramPace, type Pace } from "./chat-queue.ts";
import { systemClock, type Clock } from "./clock.ts";
import { toFailure, type TelegramFailure } from "./failure.ts";
import { preparePayload, type InputFile } from "./payload.ts";
import { redactor } from "./redact.ts";

export type Method = keyof ApiMethods<InputFile>;
export type Parameters<M extends Method> = Opts<InputFile>[M];
type Result<M extends Method> = ReturnType<ApiMethods<InputFile>[M]>;

type CallOptions = {
  signal?: AbortSignal;
  /**
   * What to do if no answer came and the call may have had its effect: "fail", or "retry", which may send twice.
   * Default: "fail" for methods that send, "retry" for all others.
   */
  whenUnsure?: "fail" | "retry";
  /** Does not wait behind other calls of the chat, and may use the part of the pace that is kept free for it. */
  urgent?: boolean;
};

/**
 * A client for Telegram's Bot API. It is typed from the API's own description, has a queue per chat and bounded
 * retries, and no error contains the token.
 */
export type TelegramClient = {
  /**
   * Calls one method. An edit that changes nothing succeeds with `true`.
   *
   * @throws TelegramFailure
   */
  call: <M extends Method>(method: M, parameters: Parameters<M>, options?: CallOptions) => Promise<Result<M>>;
  /** Hides the token in any text. */
  redact: (text: string) => string;
};

export type ClientDeps = {
  token: string;
  /** TELEGRAM_API_ROOT; a path is kept. */
  apiRoot?: string;
  clock?: Clock;
  /** Gets a line about every retry, without the token or the message's text. */
  log?: (line: string) => void;
  /** The longest wait for one answer; a long poll's own timeout is added. */
  timeoutMs?: number;
  /** The longest pause that a 429 may ask for; after a longer one the call fails. */
  maxPauseSeconds?: number;
  maxAttempts?: number;
  pace?: { private: Pace; group: Pace };
  /** HTTPS agent, e.g. one that goes through a proxy. */
  agent?: Agent;
};

const firstPauseMs = 500;

export function createTelegram({
  token,
  apiRoot = "https://api.telegram.org",
  clock = systemClock,
  log = () => {},
  timeoutMs = 15_000,
  maxPauseSeconds = 60,
  maxAttempts = 5,
  pace = telegramPace,
  agent,
}: ClientDeps): TelegramClient {
  const redact = redactor(token);
  // telegraf resolves methods relative to the root. Without a final slash, the last part of the path would be lost.
  const root = apiRoot.endsWith("/") ? apiRoot : `${apiRoot}/`;
  const telegram = new Telegram(token, {
    apiRoot: root,
    webhookReply: false,
    ...(agent === undefined ? {} : { agent }),
  });
  const queue = new ChatQueue(pace, clock);

  async function once(
    method: Method,
    payload: Record<string, unknown>,
    attempts: number,
    signal?: AbortSignal,
  ): Promise<unknown> {
    const seconds = method === "getUpdates" && typeof payload["timeout"] === "number" ? payload["timeout"] : 0;
    const timeout = AbortSignal.timeout(timeoutMs + seconds * 1000);
    const both = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    try {
      // telegraf's types end at Bot API 7.1; ours come from the current description.
      return await telegram.callApi(method as "getMe", payload as never, { signal: both as never });
    } catch (error) {
      throw toFailure(error, method, attempts, redact, {
        timedOut: timeout.aborted,
        aborted: signal?.aborted === true,
      });
    }
  }

  async function persistent(
    method: Method,
    payload: Record<string, unknown>,
    { signal, whenUnsure = /^(send|copy|forward)/.test(method) ? "fail" : "retry" }: CallOptions,
  ): Promise<unknown> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await once(method, payload, attempt, signal);
      } catch (error) {
        const failure = error as TelegramFailure;
        if (failure.kind === "not-modified") return true;
        // The poller makes its own pauses and has to see every conflict.
        const pauseMs = method === "getUpdates" ? null : pauseBefore(failure, attempt, whenUnsure);
        if (pauseMs === null || attempt >= maxAttempts) throw failure;
        log(`${failure.message}; trying again in ${(pauseMs / 1000).toFixed(1)} s`);
        await clock.sleep(pauseMs, signal);
      }
    }
  }

  /** Milliseconds to wait before another try; null if another try is useless. */
  function pauseBefore(failure: TelegramFailure, attempt: number, whenUnsure: "fail" | "retry"): number | null {
    const growing = firstPauseMs * 2 ** (attempt - 1);
    switch (failure.kind) {
      case "rate": {
        const seconds = failure.retryAfterSeconds ?? 1;
        return seconds <= maxPauseSeconds ? seconds * 1000 : null;
      }
      case "server":
        return Math.max(growing, (failure.retryAfterSeconds ?? 0) * 1000);
      case "unreachable":
        return growing;
      case "unsure":
        return whenUnsure === "retry" ? growing : null;
      default:
        return null;
    }
  }

  return {
    redact,
    async call(method, parameters, options = {}) {
      const payload = preparePayload(parameters as Record<string, unknown>);
      const chat = payload["chat_id"];
      const task = () => persistent(method, payload, options);
      const queued =
        /^(send|edit|delete|pin|copy|forward)/.test(method) &&
        method !== "sendChatAction" &&
        (typeof chat === "number" || typeof chat === "string");
      try {
        return (await (queued ? queue.run(chat, task, options) : task())) as never;
      } catch (error) {
        throw toFailure(error, method, 0, redact, { timedOut: false, aborted: options.signal?.aborted === true });
      }
    },
  };
}
