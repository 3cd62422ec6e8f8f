import { z } from "zod";
import { ConfigurationError } from "../../models/core/errors.ts";
import { watchSettings } from "../../models/core/manifest/watch.ts";

const name = z.string().regex(/^[A-Za-z0-9][\w.-]{0,63}$/, "letters, digits, '.', '_' and '-'");
const address = z
  .string()
  .regex(/^https?:\/\/\S+$/, "an http(s) address")
  .transform((url) => url.replace(/\/+$/, ""));
const inputName = z.string().regex(/^[A-Za-z_][\w-]{0,99}$/, "a workflow input's name");
const userId = z.int().positive();
const chatId = z.int().refine((id) => id !== 0, "a numeric chat id");

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

const workflow = z.strictObject({
  file: z
    .string()
    .regex(/^[\w.-]+\.ya?ml$/, "a workflow's file name, without folders")
    .describe("In .github/workflows; no other workflow is ever started."),
  ref: z
    .string()
    .regex(/^[\w./-]{1,200}$/)
    .default("main")
    .describe("Branch or tag whose workflow file runs. What is deployed is the commit input, not this."),
  inputs: z
    .strictObject({
      model: inputName.default("model"),
      environment: inputName.default("environment"),
      version: inputName.default("version").describe("The version to go back to; given for a rollback only."),
      commit: inputName.default("ref").describe("The commit to deploy; given for a deployment only."),
      reason: inputName.nullable().default("reason"),
      request: inputName
        .nullable()
        .default("request")
        .describe(
          "An input that the workflow shows in its run-name, as deploy.yml here does. With it, a bot that was killed while dispatching finds its run again, or knows that there is none; null for a workflow that lacks it.",
        ),
    })
    .prefault({})
    .describe("Names of the workflow's inputs; null for one that it lacks."),
});
export type Workflow = z.infer<typeof workflow>;

const environment = z.strictObject({
  danger: z.boolean().default(true).describe("A second tap is asked for."),
  persons: z
    .int()
    .min(1)
    .max(5)
    .default(1)
    .describe("How many persons it takes, the initiator included: with 2, somebody else must approve."),
  starterCounts: z
    .boolean()
    .default(true)
    .describe(
      "Whether the person who started a workflow run counts as one of the persons that its approval takes. Bots and GitHub Apps never count.",
    ),
});

const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "a time of day such as 22:00");

/** bot.yaml: who may do what, and where. Everything that is not listed is denied. Secrets come from the environment. */
export const botConfiguration = z
  .strictObject({
    $schema: z.string().optional(),
    schemaVersion: z.literal(1),
    repository: z.string().regex(/^[\w.-]+\/[\w.-]+$/, "OWNER/NAME"),
    branch: z
      .string()
      .regex(/^[\w./-]{1,200}$/)
      .default("main")
      .describe("Where candidates are merged to."),
    models: z
      .array(
        z.strictObject({
          id: name,
          metric: z
            .string()
            .optional()
            .describe("The deciding metric of digests and histories; the receipt's first with an interval otherwise."),
          live: address.optional().describe("The production Space."),
          candidate: address.optional().describe("The staging Space."),
        }),
      )
      .min(1),
    environments: z
      .record(name, environment)
      .default({
        staging: { danger: false, persons: 1, starterCounts: true },
        production: { danger: true, persons: 1, starterCounts: true },
      })
      .describe("The stages that /deploy and /approve may touch."),
    live: name.default("production").describe("The stage that users see."),
    telegram: z.strictObject({
      users: z
        .array(
          z.strictObject({
            id: userId,
            github: z
              .string()
              .regex(/^[A-Za-z0-9-]{1,39}$/)
              .optional()
              .describe("The only GitHub login that this person may link."),
          }),
        )
        .min(1),
      chats: z.array(chatId).default([]).describe("Groups, and private chats where privateChats is off."),
      topics: z
        .array(z.int().positive())
        .default([])
        .describe(
          "Topics (message_thread_id) of these chats that actions/notify posts cards into. The bot puts its buttons under cards there and in the general part.",
        ),
      privateChats: z.boolean().default(true).describe("Listed users may also write to the bot in private."),
      stranger: z
        .string()
        .max(200)
        .nullable()
        .default(null)
        .describe("One line for people who are not listed; null is silence."),
      webhook: z
        .strictObject({
          url: address,
          path: z
            .string()
            .regex(/^\/[\w/-]+$/)
            .default("/telegram"),
        })
        .nullable()
        .default(null)
        .describe("Public address of this bot; null polls. Its secret is TELEGRAM_WEBHOOK_SECRET."),
      commandsPerMinute: z
        .int()
        .min(1)
        .max(1000)
        .default(10)
        .describe(
          "Of one person in one group; further ones wait. Telegram lets a bot send 20 messages a minute to a group, which all share.",
        ),
    }),
    github: z
      .strictObject({
        gate: z
          .string()
          .regex(/^[\w.-]+\.ya?ml$/)
          .default("gate.yml")
          .describe("The gate's workflow file: the evidence for a commit."),
        artifact: z
          .string()
          .default("sluice-gate")
          .describe(
            "Name, or its beginning, of the gate's report artifacts; their digests are what an approval is bound to.",
          ),
        deploy: workflow.prefault({ file: "deploy.yml" }),
        rollback: workflow.nullable().default(null).describe("null: the deploy workflow, given a version."),
        retrain: workflow.prefault({ file: "retrain.yml" }).describe("The workflow that /retrain starts."),
        rollout: workflow
          .prefault({ file: "rollout.yml" })
          .describe("The workflow that /rollout starts; its input `does` is promote, override or abort."),
        cards: z
          .array(z.string().min(1))
          .default(["github-actions[bot]"])
          .describe(
            "Accounts whose comments on pull requests are believed about where a card is: the one that actions/notify's github-token belongs to.",
          ),
        permission: z
          .enum(["write", "maintain", "admin"])
          .default("write")
          .describe("The least permission in the repository, looked up again whenever somebody acts."),
        clientId: z
          .string()
          .regex(/^[\w.]{4,60}$/)
          .nullable()
          .default(null)
          .describe("Client id of the GitHub App or OAuth App for linking accounts (device flow)."),
        environment: z
          .string()
          .regex(/^[\w{}.-]+$/)
          .default("{model}-{stage}")
          .describe("GitHub's name for a stage of a model, as the deploy action writes it."),
        lock: z
          .string()
          .regex(/^refs\/[\w./-]+$/)
          .default("refs/sluice/lock")
          .describe("Where the deploy action keeps its locks: one git ref per GitHub environment."),
        pollSeconds: z.number().min(0.05).max(3600).default(30),
      })
      .prefault({}),
    approvals: z
      .strictObject({
        settleSeconds: z
          .number()
          .min(0)
          .max(600)
          .default(15)
          .describe("After a call to GitHub whose answer never came: how long its effect may still appear."),
        expireSeconds: z
          .int()
          .min(1)
          .max(86_400)
          .default(900)
          .describe(
            "How long a button works, how long an action may wait for its next tap, and how long an agreed one may wait for GitHub.",
          ),
        secondPersonSeconds: z
          .int()
          .min(1)
          .max(7 * 86_400)
          .default(3600)
          .describe("How long a request waits for further persons after the first one has confirmed it."),
        giveUpSeconds: z
          .number()
          .min(0)
          .max(3600)
          .default(120)
          .describe(
            "After settleSeconds: how long GitHub is asked whether an action happened, before the bot says that it does not know.",
          ),
        remindSeconds: z
          .int()
          .min(1)
          .max(7 * 86_400)
          .nullable()
          .default(3600)
          .describe("A run that waits this long is asked about once more, with a sound; null never."),
        rejectReasons: z
          .array(z.string().trim().min(1).max(40))
          .min(1)
          .max(5)
          .default(["the figures", "not now", "not this version"])
          .describe("What people choose from when they reject a run. `/reject RUN WORDS` gives any other reason."),
        waitSeconds: z
          .int()
          .min(1)
          .max(30 * 86_400)
          .default(86_400)
          .describe("How long the buttons under a run that waits for approval work."),
      })
      .prefault({}),
    watch: z
      .strictObject({
        intervalSeconds: z
          .int()
          .min(1)
          .max(86_400)
          .default(300)
          .describe("Between two looks at a Space. All looks of a year share settings.falseAlarmsPerYear."),
        unreachableLooks: z
          .int()
          .min(1)
          .max(100)
          .default(3)
          .describe("After how many looks in a row without an answer a Space is called unreachable."),
        settings: watchSettings.prefault({}).describe("What every model is judged by, as `watch:` in sluice.yaml."),
      })
      .nullable()
      .default(null)
      .describe(
        "Looks at the `live` Space of every model that has one, and tells of changes; null does not. A look is a request, and keeps a Space awake that would sleep.",
      ),
    predict: z.strictObject({ timeoutSeconds: z.number().min(0.1).max(120).default(20) }).prefault({}),
    timeZone: z
      .string()
      .refine(isTimeZone, "a time zone such as Europe/Berlin")
      .default("UTC")
      .describe("IANA time zone of the team: of the digest's hour, and of the end of mutes."),
    quietHours: z
      .strictObject({ from: timeOfDay, to: timeOfDay })
      .nullable()
      .default(null)
      .describe(
        "When alerts come without a sound, in timeZone; approvals and a failed production always have one. E.g. {from: '22:00', to: '07:00'}.",
      ),
    digest: z
      .strictObject({
        hour: z.int().min(0).max(23).default(7).describe("Hour of the day, in timeZone."),
        hourUtc: z.int().min(0).max(23).optional().describe("Deprecated: hour, in UTC whatever timeZone says."),
      })
      .prefault({}),
    http: z
      .strictObject({ host: z.string().default("0.0.0.0"), port: z.int().min(0).max(65_535) })
      .nullable()
      .default(null)
      .describe("Webhooks of Telegram and GitHub, /livez, /readyz. GitHub's secret is GITHUB_WEBHOOK_SECRET."),
    store: z
      .string()
      .default("sluice-bot.sqlite")
      .describe("The embedded database, relative to the working directory."),
  })
  .superRefine((bot, context) => {
    if (!(bot.live in bot.environments))
      context.addIssue({ code: "custom", path: ["live"], message: "one of the environments" });
    if (bot.telegram.webhook !== null && bot.http === null)
      context.addIssue({ code: "custom", path: ["http"], message: "a port to listen on: telegram.webhook is set" });
    for (const [list, path] of [
      [bot.models.map(({ id }) => id), "models"],
      [bot.telegram.users.map(({ id }) => id), "telegram"],
    ] as const) {
      if (new Set<unknown>(list).size < list.length)
        context.addIssue({ code: "custom", path: [path], message: "every id once" });
    }
  });
export type BotConfiguration = z.infer<typeof botConfiguration>;

/** Examples for diagnostics about bot.yaml, by path. */
export const botExamples: Readonly<Record<string, string>> = {
  schemaVersion: "schemaVersion: 1",
  repository: "repository: OWNER/NAME",
  models: "models: [{id: mood, live: https://org-mood.hf.space}]",
  "models.*": "{id: mood}",
  "models.*.id": "id: mood",
  "models.*.live": "live: https://org-mood.hf.space",
  "models.*.candidate": "candidate: https://org-mood-staging.hf.space",
  "models.*.metric": "metric: auroc",
  environments: "environments: {staging: {danger: false}, production: {persons: 2}}",
  live: "live: production",
  telegram: "telegram: {users: [{id: 123456789, github: octocat}]}",
  "telegram.users": "users: [{id: 123456789, github: octocat}]",
  "telegram.users.*": "{id: 123456789, github: octocat}",
  "telegram.users.*.id": "id: 123456789",
  "telegram.users.*.github": "github: octocat",
  "telegram.chats": "chats: [-1001234567890]",
  "telegram.chats.*": "-1001234567890",
  "telegram.topics": "topics: [42]",
  watch: "watch: {intervalSeconds: 300}",
  "telegram.webhook": "webhook: {url: https://bot.example.org}",
  http: "http: {port: 8080}",
  "github.clientId": "clientId: Iv23abcdefghijklmnop",
  "github.deploy.file": "file: deploy.yml",
  "github.gate": "gate: gate.yml",
};

export type Secrets = {
  telegramToken: string;
  githubToken: string;
  telegramWebhookSecret: string | null;
  githubWebhookSecret: string | null;
  /** Encrypts the stored GitHub tokens of linked people. Without it, tokens are not stored. */
  sealingKey: string | null;
  /** Of Spaces that answer only with a key. */
  spaceKey: string | null;
};

/** @throws ConfigurationError naming the variable that is missing or malformed */
export function readSecrets(env: NodeJS.ProcessEnv, bot: BotConfiguration): Secrets {
  const need = (variable: string, pattern: RegExp, expected: string): string => {
    const value = env[variable] ?? "";
    if (!pattern.test(value))
      throw new ConfigurationError({
        code: "bot-secret",
        place: variable,
        problem: value === "" ? "the variable is not set" : "the value is not what it should be",
        expected,
        received: value === "" ? "nothing" : `${value.length} characters`,
      });
    return value;
  };
  const secret = (variable: string) =>
    env[variable] ? need(variable, /^[\w-]{16,256}$/, "16 to 256 letters, digits, '_' and '-'") : null;
  if (bot.telegram.webhook !== null)
    need("TELEGRAM_WEBHOOK_SECRET", /^[\w-]{16,256}$/, "16 to 256 letters, digits, '_' and '-'");
  return {
    telegramToken: need("TELEGRAM_BOT_TOKEN", /^\d+:[\w-]{20,}$/, "a bot's token, as @BotFather gives it"),
    githubToken: need(
      "GITHUB_TOKEN",
      /^\S{10,}$/,
      "a GitHub token for the repository: actions, contents and deployments: write, pull-requests: read",
    ),
    telegramWebhookSecret: secret("TELEGRAM_WEBHOOK_SECRET"),
    githubWebhookSecret: env["GITHUB_WEBHOOK_SECRET"]
      ? need("GITHUB_WEBHOOK_SECRET", /^.{16,}$/, "at least 16 characters")
      : null,
    sealingKey: env["SLUICE_BOT_KEY"]
      ? need("SLUICE_BOT_KEY", /^.{16,}$/, "at least 16 characters, from a password manager")
      : null,
    spaceKey: env["SLUICE_API_KEY"]
      ? need("SLUICE_API_KEY", /^[\x21-\x7e]{1,512}$/, "an API key of up to 512 visible ASCII characters")
      : null,
  };
}
