import { readFileSync } from "node:fs";
import { ConfigurationError } from "../../models/core/errors.ts";
import { parseYaml } from "../../models/core/manifest/config-file.ts";
import { botConfiguration, botExamples, type BotConfiguration } from "./config.ts";

/** Reads bot.yaml. @throws ConfigurationError */
export function readBotFile(path: string): BotConfiguration {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigurationError(
      {
        code: "bot-config",
        place: path,
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
      place: path,
      problem: "the file is empty",
      expected: "who may do what, where",
      example: "schemaVersion: 1\nrepository: OWNER/NAME\nmodels: [{id: mood}]\ntelegram: {users: [{id: 123456789}]}",
      hint: "docs/bot.md explains every part",
    });
  return parseYaml(text, path, botConfiguration, botExamples);
}
