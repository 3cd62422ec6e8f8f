import { readFileSync } from "node:fs";
import { ConfigurationError } from "../models/core/errors.ts";
import { parseYaml } from "../models/core/manifest/config-file.ts";
import { runBot } from "./bot.ts";
import { botConfiguration, botExamples, readSecrets } from "./config/config.ts";
import { telegramPace } from "./telegram/chat-queue.ts";
import { TelegramFailure } from "./telegram/failure.ts";

export type BotCommand = { config: string; env: NodeJS.ProcessEnv; write: (line: string) => void };

/**
 * Reads bot.yaml and runs the bot until SIGTERM or SIGINT.
 *
 * @throws ConfigurationError
 */
export async function botUntilSignal({ config, env, write }: BotCommand): Promise<void> {
  let text: string;
  try {
    text = readFileSync(config, "utf8");
  } catch (error) {
    throw new ConfigurationError(
      {
        code: "bot-config",
        place: config,
        problem: "there is no configuration here",
        expected: "a bot.yaml, or --config FILE",
        received: (error as NodeJS.ErrnoException).code ?? "an error",
        hint: "docs/bot.md shows one",
      },
      { cause: error },
    );
  }
  if (text.trim() === "")
    throw new ConfigurationError({
      code: "bot-config",
      place: config,
      problem: "the file is empty",
      expected: "who may do what, where",
      example: "schemaVersion: 1\nrepository: OWNER/NAME\nmodels: [{id: mood}]\ntelegram: {users: [{id: 123456789}]}",
      hint: "docs/bot.md explains every part",
    });
  const bot = parseYaml(text, config, botConfiguration, botExamples);
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
  try {
    // A Bot API server of one's own has no such limits; the default is Telegram's.
    const pace =
      env["TELEGRAM_PACE"] === "none"
        ? { private: { count: 1_000, perMs: 1_000 }, group: { count: 1_000, perMs: 1_000 } }
        : telegramPace;
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
