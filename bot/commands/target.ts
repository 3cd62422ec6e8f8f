import type { BotConfiguration } from "../config/config.ts";
import type { Reply } from "../context/reply.ts";
import { safe } from "../context/text.ts";
import { askForModel, matchName, modelIds, usage, type Command } from "./command.ts";

type Target = { model: string; environment: string; version: string | null };

/**
 * Reads MODEL ENVIRONMENT [VERSION]. Only listed names are accepted; for anything else it returns the usage and the
 * likely choices.
 */
export function readTarget(
  command: Command,
  bot: BotConfiguration,
  [first, second, third, ...more]: readonly string[],
): Target | { reply: Reply } {
  const ids = modelIds(bot);
  const environments = Object.keys(bot.environments);
  const model = matchName(first, ids);
  if (model === null)
    return {
      reply: askForModel(
        command,
        first,
        "Which model, and where?",
        ids.flatMap((id) => environments.map((one) => `/${command.name} ${id} ${one}`)),
      ),
    };
  const environment = matchName(second, environments);
  if (environment === null)
    return {
      reply: usage(
        command,
        second === undefined ? "Where?" : `There is no environment ${safe(second)}.`,
        environments.map((one) => `/${command.name} ${model} ${one}`),
      ),
    };
  if (third !== undefined && !/^[0-9A-Za-z][\w.+-]{0,63}$/.test(third))
    return { reply: usage(command, `${safe(third)} is not a version.`, [`/${command.name} ${model} ${environment}`]) };
  if (more.length > 0)
    return {
      reply: usage(command, `What is ${safe(more.join(" "))}?`, [
        `/${command.name} ${model} ${environment}${third === undefined ? "" : ` ${third}`}`,
      ]),
    };
  return { model, environment, version: third ?? null };
}
