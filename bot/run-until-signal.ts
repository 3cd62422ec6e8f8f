import { ConfigurationError } from "../models/core/errors.ts";
import { runBot } from "./bot.ts";
import { readSecrets } from "./config/config.ts";
import { readBotFile } from "./config/read-file.ts";
import { telegramPace } from "./telegram/chat-queue.ts";
import { TelegramFailure } from "./telegram/failure.ts";

/** `config`: path of bot.yaml. `write` gets the log, in JSON lines. */
export type BotRun = { config: string; env: NodeJS.ProcessEnv; write: (line: string) => void };

const noPace = { private: { count: 1_000, perMs: 1_000 }, group: { count: 1_000, perMs: 1_000 } };

/**
 * Reads bot.yaml and runs the bot until SIGTERM or SIGINT.
 *
 * @throws ConfigurationError
 */
export async function runBotUntilSignal({ config, env, write }: BotRun): Promise<void> {
  const bot = readBotFile(config);
  const secrets = readSecrets(env, bot);
  if (env["SPACE_ID"])
    write(
      `${JSON.stringify({ level: "warn", event: "in-a-space", hint: "Hugging Face Spaces cannot reach api.telegram.org: run the bot elsewhere" })}\n`,
    );
  const stop = new AbortController();
  const end = () => {
    stop.abort();
  };
  process.once("SIGTERM", end).once("SIGINT", end);
  // A self-hosted Bot API server has none of Telegram's limits.
  const pace = env["TELEGRAM_PACE"] === "none" ? noPace : telegramPace;
  try {
    await runBot({ bot, secrets, env, fetch, write, signal: stop.signal, pace });
  } catch (error) {
    if (error instanceof TelegramFailure && error.kind === "token")
      throw new ConfigurationError({
        code: "bot-token",
        place: "TELEGRAM_BOT_TOKEN",
        problem: "Telegram does not know this token",
        expected: "a token that @BotFather gave and nobody revoked",
      });
    throw error;
  } finally {
    process.off("SIGTERM", end).off("SIGINT", end);
  }
}
