import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { botConfiguration, botExamples, readSecrets, type BotConfiguration } from "../../bot/config/config.ts";
import { createTelegram, type TelegramClient } from "../../bot/telegram/client.ts";
import { TelegramFailure } from "../../bot/telegram/failure.ts";
import { parseYaml } from "../../models/core/manifest/config-file.ts";
import { broken, inWords, ok, timeoutMs, warning, type DoctorDeps, type Finding } from "./finding.ts";
import { failedFinding } from "./local.ts";

/** Checks the token, the chats and the bot's configuration. Sends no message. */
export async function telegram(deps: DoctorDeps): Promise<Finding[]> {
  const { env } = deps;
  const { findings, value: bot } = readBot(deps);
  const name = "TELEGRAM_BOT_TOKEN";
  const token = env[name];
  if (!token) return [warning(name, "is not set", "cards and the bot need it; @BotFather gives one"), ...findings];
  if (!/^\d+:[\w-]{20,}$/.test(token))
    return [
      broken(
        name,
        "it does not look like a bot's token",
        "123456789:AA…, as @BotFather gives it, without quotes or blanks",
      ),
      ...findings,
    ];
  const apiRoot = env["TELEGRAM_API_ROOT"];
  const client = createTelegram({ token, timeoutMs, maxAttempts: 1, ...(apiRoot ? { apiRoot } : {}) });
  let me: { id: number; username: string; can_join_groups?: boolean };
  try {
    me = await client.call("getMe", {});
  } catch (error) {
    return [notReached(name, error, env), ...findings];
  }
  const chats = new Map<string, number | string>();
  const said = env["TELEGRAM_CHAT_ID"];
  if (said) chats.set("TELEGRAM_CHAT_ID", /^-?\d+$/.test(said) ? Number(said) : said);
  for (const chat of bot?.telegram.chats ?? []) chats.set(`bot.yaml chat ${chat}`, chat);
  return [
    ok(name, `@${me.username}`),
    ...(await updates(client, bot)),
    ...(me.can_join_groups === false
      ? [warning("groups", "the bot may not be added to groups", "@BotFather, /setjoingroups, Enable")]
      : []),
    ...(said
      ? []
      : [
          warning(
            "TELEGRAM_CHAT_ID",
            "is not set",
            "the number of the chat that cards go to; /whoami tells it, or give --chat and the action's input",
          ),
        ]),
    ...(await Promise.all([...chats].map(([label, chat]) => mayWrite(client, label, chat, me.id)))),
    ...(bot === null ? [] : [...(await topics(client, bot)), ...(await people(client, bot, me.username))]),
    ...findings,
  ];
}

/** How the bot gets its updates: whether it can, and whether another program takes them. */
async function updates(client: TelegramClient, bot: BotConfiguration | null): Promise<Finding[]> {
  const name = "webhook";
  const info = await client.call("getWebhookInfo", {}).catch(() => null);
  if (info === null) return [];
  const { url = "", last_error_message: error, last_error_date: errorAt, pending_update_count: pending } = info;
  const host = URL.canParse(url) ? new URL(url).host : "an address";
  const own = bot?.telegram.webhook ?? null;
  if (own === null)
    return url === ""
      ? []
      : [
          warning(
            name,
            `one is set, to ${host}`,
            "another program has the same token: the bot that polls does not start until the webhook is deleted, or it gets a token of its own",
          ),
        ];
  if (url === "") return [warning(name, "is not set yet", "the bot sets it when it starts: run `sluice bot`")];
  if (host !== new URL(own.url).host)
    return [
      broken(
        name,
        `it is set to ${host}, not to ${new URL(own.url).host}`,
        "another program has the same token: delete its webhook, or give the bot a token of its own",
      ),
    ];
  return error === undefined
    ? [ok(name, `${host}, ${pending} updates wait`)]
    : [
        warning(
          name,
          `Telegram could not deliver to ${host} at ${new Date((errorAt ?? 0) * 1000).toISOString()}: ${error}; ${pending} updates wait`,
          "the address must be public, with a certificate that Telegram accepts and a path that leads to the bot",
        ),
      ];
}

/** Topics can be looked up only by a use of them. A chat action lasts five seconds and is no message. */
async function topics(
  client: TelegramClient,
  { telegram: { chats, topics: all } }: BotConfiguration,
): Promise<Finding[]> {
  return Promise.all(
    all.map(async (topic) => {
      const name = `bot.yaml topic ${topic}`;
      const tried = await Promise.all(
        chats.map((chat) =>
          client.call("sendChatAction", { chat_id: chat, message_thread_id: topic, action: "typing" }).then(
            () => "found",
            (error: unknown) =>
              error instanceof TelegramFailure && ["topic-gone", "chat-gone", "content"].includes(error.kind)
                ? "missing"
                : "unknown",
          ),
        ),
      );
      if (tried.includes("found")) return ok(name, "is a topic of a listed chat");
      return tried.includes("unknown")
        ? warning(name, "was not checked", "try again with a network")
        : broken(
            name,
            "no listed chat has it, or it is closed",
            "a topic's number is in the link of any message in it: t.me/c/CHAT/TOPIC/MESSAGE; the chat must be a forum",
          );
    }),
  );
}

/** Telegram lets nobody be written to who has not written first. */
async function people(client: TelegramClient, { telegram }: BotConfiguration, username: string): Promise<Finding[]> {
  if (!telegram.privateChats) return [];
  const silent = await Promise.all(
    telegram.users.map(async ({ id }) => {
      const known = await client.call("getChat", { chat_id: id }).then(
        () => true,
        (error: unknown) => !(error instanceof TelegramFailure && ["chat-gone", "content"].includes(error.kind)),
      );
      return known ? [] : [id];
    }),
  );
  return silent
    .flat()
    .map((id) =>
      warning(
        `bot.yaml user ${id}`,
        "has never written to the bot, which can write to them only in groups",
        `they open t.me/${username} and tap Start; or the number is wrong, which @userinfobot tells`,
      ),
    );
}

function notReached(name: string, error: unknown, env: NodeJS.ProcessEnv): Finding {
  if (error instanceof TelegramFailure && error.kind === "token")
    return broken(name, "Telegram does not know it: wrong or revoked", "@BotFather, /token");
  return warning(
    name,
    `was not checked: ${inWords(error)}`,
    env["SPACE_ID"]
      ? "Hugging Face Spaces cannot reach api.telegram.org: run the bot elsewhere"
      : "try again with a network; TELEGRAM_API_ROOT names another server",
  );
}

async function mayWrite(client: TelegramClient, name: string, chat: number | string, me: number): Promise<Finding> {
  if (typeof chat === "string" && !/^@\w{4,}$/.test(chat))
    return broken(name, "it is not a chat", "a number such as -1001234567890, or @name of a public channel");
  try {
    const found = await client.call("getChat", { chat_id: chat });
    const title = found.title ?? found.first_name ?? String(chat);
    if (found.type === "private") return ok(name, `${title}, a private chat`);
    const member = await client.call("getChatMember", { chat_id: chat, user_id: me });
    const { status } = member;
    if (status === "left" || status === "kicked")
      return broken(name, `the bot is not in ${title}`, "add it to the group");
    const silenced =
      status === "restricted"
        ? !member.can_send_messages
        : status === "member" && (found.type === "channel" || found.permissions?.can_send_messages === false);
    const mayPost = status !== "administrator" || found.type !== "channel" || member.can_post_messages === true;
    return silenced || !mayPost
      ? broken(
          name,
          `the bot may not write in ${title}`,
          found.type === "channel"
            ? "make it an administrator that may post"
            : "let members send messages, or make it an administrator",
        )
      : ok(name, `${title}, the bot is ${status === "member" ? "a member" : status}`);
  } catch (error) {
    const chatIsMissing =
      error instanceof TelegramFailure && ["chat-gone", "content", "chat-migrated"].includes(error.kind);
    const moved =
      error instanceof TelegramFailure && error.migratedTo !== null
        ? `the group is a supergroup now: ${error.migratedTo}`
        : null;
    return chatIsMissing
      ? broken(
          name,
          moved ?? `Telegram shows no such chat to the bot: ${inWords(error)}`,
          moved === null
            ? "add the bot to the group, or write to it in private once; groups' numbers begin with a minus"
            : "put the new number in",
        )
      : warning(name, `was not checked: ${inWords(error)}`, "try again");
  }
}

function readBot({ root, bot: file, env }: DoctorDeps): { findings: Finding[]; value: BotConfiguration | null } {
  const path = resolve(root, file);
  if (!existsSync(path)) return { findings: [], value: null };
  try {
    const value = parseYaml(readFileSync(path, "utf8"), file, botConfiguration, botExamples);
    const findings = [
      ok(
        file,
        `${value.repository}, ${value.telegram.users.length} ${value.telegram.users.length === 1 ? "person" : "people"}`,
      ),
    ];
    try {
      readSecrets(
        {
          TELEGRAM_BOT_TOKEN: "0:xxxxxxxxxxxxxxxxxxxxxxxx",
          ...env,
          GITHUB_TOKEN: env["GITHUB_TOKEN"] || "checked-elsewhere",
        },
        value,
      );
    } catch (error) {
      findings.push(failedFinding("bot secrets", error));
    }
    if (value.github.clientId === null)
      findings.push(
        warning(
          `${file} github.clientId`,
          "is not set",
          "nobody can link an account, and so nobody can act; looking works",
        ),
      );
    else if (!env["SLUICE_BOT_KEY"])
      findings.push(
        warning(
          "SLUICE_BOT_KEY",
          "is not set",
          "approving runs that wait needs it: the bot then acts as the person who pressed",
        ),
      );
    return { findings: [...findings, ...workflow(root, value)], value };
  } catch (error) {
    return { findings: [failedFinding(file, error)], value: null };
  }
}

/**
 * Whether the deploying workflow accepts the bot's inputs, and shows the request's id in its run-name, by which the bot
 * finds the run.
 */
function workflow(
  root: string,
  {
    github: {
      deploy: { file, inputs },
    },
  }: BotConfiguration,
): Finding[] {
  const path = join(root, ".github/workflows", file);
  const name = `workflow ${file}`;
  if (!existsSync(path))
    return [
      warning(
        name,
        "is not in this checkout",
        "the bot starts it on GitHub: run the doctor in the repository of bot.yaml, or correct github.deploy.file",
      ),
    ];
  try {
    const { "run-name": runName = "", on } = parse(readFileSync(path, "utf8")) as {
      "run-name"?: string;
      on?: { workflow_dispatch?: { inputs?: Record<string, unknown> } | null };
    };
    if (on?.workflow_dispatch === undefined)
      return [broken(name, "it cannot be started by hand", "add on: workflow_dispatch with its inputs")];
    const missing = Object.values(inputs).filter(
      (one): one is string => one !== null && !Object.hasOwn(on.workflow_dispatch?.inputs ?? {}, one),
    );
    if (missing.length > 0)
      return [
        broken(
          name,
          `it has no input ${missing.join(", ")}`,
          `add it, or name another (or null) in bot.yaml github.deploy.inputs`,
        ),
      ];
    if (inputs.request !== null && !runName.includes(`inputs.${inputs.request}`))
      return [
        warning(
          name,
          `its run-name does not show inputs.${inputs.request}`,
          `run-name: Deploy \${{ inputs.${inputs.model} }} \${{ inputs.${inputs.request} }}; without it a run whose start was cut off is not found again`,
        ),
      ];
    if (!runName.includes(`inputs.${inputs.commit}`))
      return [
        warning(
          name,
          `its run-name does not show inputs.${inputs.commit}`,
          "take the run-name of docs/bot.md; without it the bot does not know what a run deploys, and does not approve it",
        ),
      ];
    return [ok(name, "takes what the bot gives it")];
  } catch (error) {
    return [broken(name, inWords(error), "mend the YAML")];
  }
}
