import type { BotConfiguration } from "../config/config.ts";

type Names = Pick<BotConfiguration, "models" | "environments"> & {
  github: Pick<BotConfiguration["github"], "environment">;
};

/** GitHub's name for a stage of a model, as the deploy action writes it: births-production. */
export function githubEnvironment({ github }: Pick<Names, "github">, model: string, stage: string): string {
  return github.environment.replaceAll("{model}", model).replaceAll("{stage}", stage);
}

/** The stage that a GitHub environment stands for, by either form of its name; null if it is not listed. */
export function stageOf(bot: Names, environment: string): string | null {
  return (
    Object.keys(bot.environments).find(
      (stage) =>
        stage === environment || bot.models.some(({ id }) => githubEnvironment(bot, id, stage) === environment),
    ) ?? null
  );
}

/** The model that a GitHub environment belongs to; null if its name does not tell. */
export function modelOf(bot: Names, environment: string): string | null {
  return (
    bot.models.find(({ id }) =>
      Object.keys(bot.environments).some(
        (stage) => githubEnvironment(bot, id, stage) === environment && environment !== stage,
      ),
    )?.id ?? (bot.models.length === 1 ? (bot.models[0]?.id ?? null) : null)
  );
}

/** Every environment that bot.yaml lists. */
export function allEnvironments(bot: Names): string[] {
  return bot.models.flatMap(({ id }) =>
    Object.keys(bot.environments).map((stage) => githubEnvironment(bot, id, stage)),
  );
}
