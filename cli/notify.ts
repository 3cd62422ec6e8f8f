import { Command, Option } from "commander";
import { z } from "zod";
import type { NotifyInputs } from "../bot/notify/inputs.ts";
import type { Outcome } from "../bot/notify/run.ts";
import { ConfigurationError } from "../models/core/errors.ts";
import type { Finish } from "./exit-code.ts";
import { write, type Streams } from "./streams.ts";
import { sluiceCommand } from "../models/core/invocation.ts";

type NotifyFlags = {
  chat?: string;
  topic?: string;
  apiRoot?: string;
  verdict?: string;
  deployment?: string;
  phase?: string;
  when?: string;
  dryRun: boolean;
  json: boolean;
};

export function notifyCommand(streams: Streams, finish: Finish): Command {
  return new Command("notify")
    .description("post a candidate's Telegram card, or bring it up to date")
    .argument("[model...]", "ID or ID@VERSION; with a verdict, a choice among its models")
    .option("--chat <id|@name>", "numeric id of the chat, or @name of a public channel; default: TELEGRAM_CHAT_ID")
    .option("--topic <n>", "message_thread_id of a topic in a forum group")
    .option("--api-root <url>", "address of the Bot API; default: TELEGRAM_API_ROOT")
    .option("--verdict <file>", "the gate's verdict.json, e.g. .sluice/verdict.json")
    .option("--deployment <file>", "the receipt of a deployment, e.g. .sluice/deployment.json")
    .addOption(new Option("--phase <name>", "where the candidate stands; auto: what the files say").default("auto"))
    .addOption(new Option("--when <when>", "always, change or failure").default("always"))
    .option("--dry-run", "print the card and send nothing", false)
    .option("--json", "the outcome as one JSON document on stdout", false)
    .addHelpText(
      "after",
      `\nNeeds TELEGRAM_BOT_TOKEN. With GITHUB_TOKEN the card is found again and edited; without it each call sends a new one.\nExit codes: 0 delivered · 2 wrong usage · 5 not delivered.\n\nExample:\n  ${sluiceCommand()} notify --verdict .sluice/verdict.json --chat -1001234567890`,
    )
    .action(async (models: string[], flags: NotifyFlags) => {
      const { notifyInputs } = await import("../bot/notify/inputs.ts");
      const { notify, timeoutMs } = await import("../bot/notify/run.ts");
      const { renderCard } = await import("../bot/card/render.ts");
      const { redactor } = await import("../bot/telegram/redact.ts");
      const inputs = readFlags(notifyInputs, models, flags, streams.env);
      const hiders = [streams.env["TELEGRAM_BOT_TOKEN"], streams.env["GITHUB_TOKEN"]].flatMap((secret) =>
        secret ? [redactor(secret)] : [],
      );
      const hide = (text: string) => hiders.reduce((hidden, one) => one(hidden), text);
      const outcome = await notify(inputs, {
        env: await originIn(streams.env),
        hide,
        signal: AbortSignal.timeout(timeoutMs),
        log: (line) => {
          streams.stderr.write(`${hide(line)}\n`);
        },
      });
      if (flags.json)
        await write(
          streams.stdout,
          `${JSON.stringify({ schemaVersion: 1, status: outcome.status, why: outcome.why, cards: outcome.results }, null, 2)}\n`,
        );
      else if (outcome.status === "dry-run")
        await write(streams.stdout, `${outcome.cards.map((card) => renderCard(card).plain).join("\n\n")}\n`);
      else await write(streams.stdout, `${lines(outcome).join("\n")}\n`);
      finish(outcome.status === "failed" || outcome.status === "skipped" ? 5 : 0);
    });
}

function lines({ results, why, status }: Outcome): string[] {
  return [
    ...results.flatMap((one) => [
      `${one.model}: ${one.status}${"message" in one && one.message !== null ? `, message ${one.message}` : ""}`,
      ...one.notes.map((note) => `  ${note}`),
    ]),
    ...(why === null ? [] : [status === "skipped" ? `nothing was sent: ${why}` : why]),
  ];
}

/** The action's inputs, read from flags. @throws ConfigurationError naming the flag */
function readFlags(
  schema: typeof import("../bot/notify/inputs.ts").notifyInputs,
  models: readonly string[],
  { json: _json, apiRoot, dryRun, ...flags }: NotifyFlags,
  env: NodeJS.ProcessEnv,
): NotifyInputs {
  const given = {
    ...flags,
    models: models.join(" "),
    "dry-run": String(dryRun),
    "github-token": env["GITHUB_TOKEN"] ?? "",
    ...(apiRoot === undefined ? {} : { "api-root": apiRoot }),
  };
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0] as z.core.$ZodIssue;
  const name = String(issue.path[0]);
  const { properties = {} } = z.toJSONSchema(schema, { io: "input" }) as {
    properties?: Record<string, { enum?: string[]; default?: string }>;
  };
  const values = properties[name]?.enum;
  throw new ConfigurationError({
    code: "flags",
    place: `--${name}`,
    problem: "the flag's value is not valid",
    expected: values === undefined ? issue.message : `one of ${values.join(", ")}`,
    received: JSON.stringify(given[name as keyof typeof given] ?? ""),
    example: `--${name} ${name === "chat" ? "-1001234567890" : name === "topic" ? "42" : (values?.[0] ?? "…")}`,
  });
}

/** On a laptop, the clone supplies what a workflow's variables would say. */
async function originIn(env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  const { repositoryIn } = await import("../deploy/record/repository.ts");
  const { actorOf, fullName } = await import("../github/runner.ts");
  const { commitOf, gitIn } = await import("../eval/gate/git.ts");
  const repository = await repositoryIn(process.cwd(), env);
  const commit = env["GITHUB_SHA"] || (await commitOf(gitIn(process.cwd(), env), "HEAD").catch(() => null));
  return {
    ...env,
    ...(repository === null ? {} : { GITHUB_REPOSITORY: fullName(repository) }),
    ...(commit === null ? {} : { GITHUB_SHA: commit }),
    GITHUB_ACTOR: actorOf(env),
  };
}
