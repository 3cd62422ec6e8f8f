import { ConfigurationError } from "../../models/core/errors.ts";
import type { TelegramClient } from "../telegram/client.ts";

/** Another program's webhook is set for the bot's token. */
export class ForeignWebhook extends Error {
  readonly host: string;

  constructor(host: string) {
    super(`another program's webhook is set, at ${host}: it would have to be deleted first`);
    this.host = host;
  }
}

/** The host of a webhook that this bot did not set; null if there is none. The rest of the address may be a secret. */
export async function foreignWebhook(client: TelegramClient, isOwn: (url: string) => boolean): Promise<string | null> {
  const { url } = await client.call("getWebhookInfo", {});
  if (url === undefined || url === "" || isOwn(url)) return null;
  return URL.canParse(url) ? new URL(url).host : "an unreadable address";
}

export function foreignWebhookError(host: string, mode: "polling" | "webhook"): ConfigurationError {
  return new ConfigurationError({
    code: "bot-webhook",
    place: "TELEGRAM_BOT_TOKEN",
    problem: "another program already gets this bot's updates through a webhook",
    expected: mode === "polling" ? "no webhook, because the bot polls" : "no webhook, or this bot's own",
    received: `a webhook at ${host}`,
    example: "curl https://api.telegram.org/bot$TELEGRAM_BOT_TOKEN/deleteWebhook",
    hint: "delete the webhook if that program is not needed any more; otherwise give this bot a token of its own (@BotFather, /newbot)",
  });
}
