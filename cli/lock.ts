import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import { ConfigurationError } from "../models/core/errors.ts";
import type { Finish } from "./exit-code.ts";
import { write, type Streams } from "./streams.ts";
import { sluiceCommand } from "../models/core/invocation.ts";

export function lockCommand(streams: Streams, finish: Finish): Command {
  return new Command("lock")
    .description("stop deployments to an environment, or say who has")
    .argument("<environment>", "MODEL-STAGE, e.g. births-production")
    .option("--reason <text>", "why; without one the lock is only looked at")
    .addHelpText("after", `\nExample:\n  ${sluiceCommand()} lock births-production --reason 'incident 12'`)
    .action(async (environment: string, flags: { reason?: string }) => {
      await requireEnvironment(environment);
      const { lockHolder, takeLock, Locked } = await import("../deploy/record/lock.ts");
      const { github, commit, actor } = await connectRecords(streams);
      if (flags.reason === undefined) {
        const holder = await lockHolder(github, environment);
        const words =
          holder === null
            ? "free"
            : holder === "unreadable"
              ? "locked; its note cannot be read"
              : `locked by ${holder.holder} since ${holder.at}${holder.reason.trim() === "" ? "" : `: ${holder.reason}`}`;
        await write(streams.stdout, `${environment}: ${words}\n`);
        return finish(0);
      }
      if (commit === null)
        throw new ConfigurationError({
          code: "no-commit",
          problem: "a lock points at a commit, and there is none here",
          expected: "a clone of the repository",
        });
      try {
        await takeLock(
          github,
          environment,
          { holder: actor, reason: flags.reason, at: new Date().toISOString(), run: null },
          commit,
        );
        await write(streams.stdout, `${environment}: locked\n`);
        finish(0);
      } catch (error) {
        if (!(error instanceof Locked)) throw error;
        streams.stderr.write(`sluice: ${error.message}\n`);
        finish(1);
      }
    });
}

export function unlockCommand(streams: Streams, finish: Finish): Command {
  return new Command("unlock")
    .description("remove the lock of an environment, whoever holds it")
    .argument("<environment>", "MODEL-STAGE, e.g. births-production")
    .addHelpText("after", `\nExample:\n  ${sluiceCommand()} unlock births-production`)
    .action(async (environment: string) => {
      await requireEnvironment(environment);
      const { breakLock } = await import("../deploy/record/lock.ts");
      const { github } = await connectRecords(streams);
      await write(
        streams.stdout,
        `${environment}: ${(await breakLock(github, environment)) ? "unlocked" : "was not locked"}\n`,
      );
      finish(0);
    });
}

/** The models of the sluice.yaml in the current folder; null if there is none. */
async function modelsHere(): Promise<string[] | null> {
  const { configuration } = await import("../eval/schema/configuration.ts");
  const { parseYaml } = await import("../models/core/manifest/config-file.ts");
  const text = await readFile("sluice.yaml", "utf8").catch(() => null);
  return text === null ? null : parseYaml(text, "sluice.yaml", configuration).models.map((folder) => basename(folder));
}

/** @throws ConfigurationError if the sluice.yaml in the current folder names no such model */
export async function requireModel(model: string): Promise<void> {
  const models = await modelsHere();
  if (models !== null && !models.includes(model))
    throw new ConfigurationError({
      code: "model-unknown",
      place: "sluice.yaml",
      problem: `no model ${model}, and GitHub has no record of one`,
      expected: models.join(", "),
      received: model,
    });
}

/** Refuses an unknown environment, because a lock on a misspelt one would stop nobody. */
async function requireEnvironment(environment: string): Promise<void> {
  const models = await modelsHere();
  const known = models === null || models.some((model) => environment.startsWith(`${model}-`));
  if (!known || !/^[\w.-]+-[a-z][a-z0-9-]*$/.test(environment))
    throw new ConfigurationError({
      code: "environment",
      place: "<environment>",
      problem: "not an environment of a model here",
      expected: models === null ? "MODEL-STAGE" : models.map((model) => `${model}-STAGE`).join(", "),
      received: environment,
      example: `${models?.[0] ?? "births"}-production`,
    });
}

/** The records on GitHub, accessed with GITHUB_TOKEN. @throws ConfigurationError without a token or a repository */
export async function connectRecords({ env, stderr }: Streams) {
  const { GitHubRecords } = await import("../deploy/record/github-records.ts");
  const { repositoryIn } = await import("../deploy/record/repository.ts");
  const { actorOf, apiUrlOf } = await import("../github/runner.ts");
  const { Http } = await import("../deploy/hub/http.ts");
  const { settingsSchema } = await import("../deploy/hub/settings.ts");
  const { commitOf, gitIn } = await import("../eval/gate/git.ts");
  const repository = await repositoryIn(process.cwd(), env);
  const token = env["GITHUB_TOKEN"];
  if (!token || repository === null)
    throw new ConfigurationError({
      code: "no-records",
      problem: "GitHub holds the records, and it cannot be asked",
      expected: "GITHUB_TOKEN, and GITHUB_REPOSITORY or a clone with an origin",
      received: token ? "no repository" : "no token",
      example: `GITHUB_TOKEN=$(gh auth token) ${sluiceCommand()} history births`,
    });
  const http = new Http(settingsSchema.parse({}), {
    fetch,
    random: Math.random,
    monotonic: () => performance.now(),
    signal: new AbortController().signal,
    note: (text) => {
      stderr.write(`${text}\n`);
    },
    sleep: async (ms, signal) => {
      await sleep(ms, undefined, signal === undefined ? {} : { signal });
    },
  });
  return {
    github: new GitHubRecords(http, apiUrlOf(env), repository, token),
    commit: await commitOf(gitIn(process.cwd(), env), "HEAD"),
    actor: actorOf(env),
  };
}
