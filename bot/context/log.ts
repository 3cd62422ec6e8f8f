import type { Secrets } from "../config/config.ts";
import { redactor } from "../telegram/redact.ts";

export type Log = {
  info: (event: string, fields?: Record<string, unknown>) => void;
  warn: (event: string, fields?: Record<string, unknown>) => void;
};

/**
 * Writes JSON lines and passes each through `redact`, because libraries put URLs, and with them tokens, into their
 * messages.
 */
export function createLog(write: (line: string) => void, redact: (text: string) => string, now: () => number): Log {
  const line =
    (level: string) =>
    (event: string, fields: Record<string, unknown> = {}) => {
      write(`${redact(JSON.stringify({ time: new Date(now()).toISOString(), level, event, ...fields }))}\n`);
    };
  return { info: line("info"), warn: line("warn") };
}

/** Hides the bot's secrets in any text, and everything else that looks like a Telegram or GitHub token. */
export function secretRedactor(secrets: Secrets): (text: string) => string {
  const values = Object.values(secrets).filter((one) => one !== null);
  const redactTelegram = redactor(secrets.telegramToken);
  return (text) =>
    redactTelegram(values.reduce((kept, one) => kept.replaceAll(one, "[secret]"), text)).replace(
      /\bgh[a-z]_\w{10,}|\bgithub_pat_\w{10,}/g,
      "[secret]",
    );
}

/** An error's message as one line that may be logged, without the stack. */
export function errorLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0]?.slice(0, 300) ?? "";
}
