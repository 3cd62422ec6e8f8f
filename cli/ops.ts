import { resolve } from "node:path";
import { Command } from "commander";
import type { RepositoryApi } from "../github/api.ts";
import { exitCodeOf } from "../eval/judge/algebra.ts";
import type { Finish } from "./exit-code.ts";
import { integerWithin } from "./flag-values.ts";
import { write, type Streams } from "./streams.ts";
import { sluiceCommand } from "../models/core/invocation.ts";

type OpsFlags = { config: string; url: string[]; stage: string; days: number; verdict: string[]; json: boolean };

const collect = (one: string, before: string[]) => [...before, one];

export function opsCommand(streams: Streams, finish: Finish): Command {
  return new Command("ops")
    .description("cost per 1,000 answers, DORA's figures, test-set wear, from GitHub's own records")
    .argument("[model...]", "ids of models; all of the configuration unless named")
    .option("--config <file>", "the repository's configuration, with objectives and prices", "sluice.yaml")
    .option("--stage <name>", "whose deployments count", "production")
    .option("--days <n>", "the period, up to now", integerWithin(1, 366), 90)
    .option(
      "--url <server>",
      "NS/NAME of a Space or an http(s) URL, for traffic and cost; again for each replica",
      collect,
      [],
    )
    .option("--verdict <file>", "a verdict.json whose candidates count for wear too; again for each", collect, [])
    .option("--json", "one JSON document on stdout", false)
    .addHelpText(
      "after",
      `
GITHUB_TOKEN reads the deployments and tags of GITHUB_REPOSITORY, or of the clone's origin; SLUICE_API_KEY is the
server's key.

Example:
  ${sluiceCommand()} ops births --url octo/births`,
    )
    .action(async (named: string[], flags: OpsFlags) => {
      const [
        { configuredModels },
        { runOps },
        { candidatesOfVerdict },
        { renderOpsTerminal },
        { authorization, originOf },
      ] = await Promise.all([
        import("../watch/configured-models.ts"),
        import("../watch/ops.ts"),
        import("../watch/records/judged-candidates.ts"),
        import("../watch/report/ops-terminal.ts"),
        import("../predict/target.ts"),
      ]);
      const { configuration, models } = await configuredModels(resolve(flags.config), named);
      const origins = flags.url.map(originOf);
      const judged = [];
      for (const file of flags.verdict) judged.push(...(await candidatesOfVerdict(resolve(file))));
      const result = await runOps(
        {
          models: models.map(({ id }) => id),
          slo: configuration.slo,
          ops: configuration.ops,
          stage: flags.stage,
          days: flags.days,
          originsOf: () => origins,
          judged,
        },
        {
          fetch,
          now: () => new Date(),
          headersOf: (origin) => authorization(streams.env, origin),
          github: await githubOf(streams),
        },
      );
      await write(
        streams.stdout,
        flags.json ? `${JSON.stringify(result, null, 2)}\n` : `${renderOpsTerminal(result)}\n`,
      );
      finish(exitCodeOf(result.verdict));
    });
}

/** Null without a token or a repository. */
async function githubOf({ env, stderr }: Streams): Promise<RepositoryApi | null> {
  const token = env["GITHUB_TOKEN"];
  if (!token) return null;
  const [{ repositoryIn }, { createClient }, { conditionalFetch }, { apiUrlOf }] = await Promise.all([
    import("../deploy/record/repository.ts"),
    import("../github/client.ts"),
    import("../github/conditional-fetch.ts"),
    import("../github/runner.ts"),
  ]);
  const repository = await repositoryIn(process.cwd(), env);
  if (repository === null) return null;
  const octokit = createClient({
    token,
    apiUrl: apiUrlOf(env),
    userAgent: "sluice-ops",
    fetch: conditionalFetch(fetch),
    log: (line) => void stderr.write(`${line}\n`),
    limits: { timeoutMs: 30_000, maxPauseSeconds: 60, waitsFor: "reads", secondaryPauseSeconds: 5 },
  });
  return { octokit, ...repository };
}
