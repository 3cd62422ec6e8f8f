import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { stringify } from "yaml";
import { Store } from "../../bot/store/store.ts";
import { bundledBot } from "../../rehearsal/scene/bot-bundle.ts";
import { requireContract } from "../../rehearsal/github/openapi.ts";
import type { Exchange } from "../../rehearsal/github/exchange.ts";
import { startGitHub, type SeededGitHub } from "../../rehearsal/github/seeded/github.ts";
import { addRun } from "../../rehearsal/github/seeded/state.ts";
import { addChat, startTelegram, type StandInTelegram } from "../../rehearsal/telegram/server.ts";
import type { Person, StoredMessage } from "../../rehearsal/telegram/state.ts";

export const group = -1001;
export const main = "1a2b3c4d5e6f70819293a4b5c6d7e8f901234567";
export const githubToken = "ghp_standinbottoken0123456789abcdef";
export const sealingKey = "a-key-from-a-password-manager";

export type World = {
  telegram: StandInTelegram;
  github: SeededGitHub;
  ana: Person;
  ben: Person;
  stranger: Person;
  dir: string;
  bot: BotProcess | null;
  /** Everything that the bot processes of this world printed. */
  printed: () => string;
  start: (env?: Record<string, string>) => Promise<BotProcess>;
  kill: () => Promise<void>;
  stop: () => Promise<number>;
  close: () => Promise<void>;
  configure: (changes: object) => void;
  database: () => DatabaseSync;
};
type BotProcess = { child: ChildProcess; ended: Promise<number>; log: () => string };

type Options = { config?: object; spaces?: Record<string, string> };

/** Stand-ins for Telegram and GitHub, two listed people and a stranger, a group, and a bot that is not started yet. */
export async function world({ config = {}, spaces = {} }: Options = {}): Promise<World> {
  const telegram = await startTelegram();
  const github = await startGitHub({ viewer: "sluice[bot]" });
  const [ana, ben, stranger] = [
    telegram.people.person(11, "Ana"),
    telegram.people.person(12, "Ben"),
    telegram.people.person(66, "Mallory"),
  ];
  addChat(telegram.state, { id: group });
  const { workflows, git } = github.state;
  Object.assign(workflows.people, { "ana-gh": { id: 1011, role: "write" }, "ben-gh": { id: 1012, role: "maintain" } });
  workflows.workflows["deploy.yml"] = { inputs: ["model", "environment", "version", "ref", "reason", "request"] };
  git.refs["refs/heads/main"] = { sha: main, type: "commit" };
  addRun(workflows, {
    file: "gate.yml",
    name: "gate",
    conclusion: "success",
    sha: main,
    artifacts: [{ name: "sluice-gate-cpu-0", digest: `sha256:${"a".repeat(64)}` }],
  });
  const dir = mkdtempSync(join(tmpdir(), "sluice-bot-world-"));
  let configured: object = {
    schemaVersion: 1,
    repository: "octo/models",
    models: [{ id: "mood", ...spaces }, { id: "births" }],
    environments: { staging: { danger: false }, production: { danger: true } },
    telegram: { users: [{ id: ana.id, github: "ana-gh" }, { id: ben.id }], chats: [group] },
    github: { clientId: workflows.device.clientId, pollSeconds: 0.2 },
    approvals: { settleSeconds: 0.5 },
    store: "bot.sqlite",
  };
  const configure = (changes: object) => {
    configured = merge(configured, changes) as object;
    writeFileSync(join(dir, "bot.yaml"), stringify(configured));
  };
  configure(config);
  const logs: (() => string)[] = [];

  const here: World = {
    telegram,
    github,
    ana,
    ben,
    stranger,
    dir,
    bot: null,
    configure,
    printed: () => logs.map((log) => log()).join(""),
    async start(env = {}) {
      const child = spawn(process.execPath, [join(await bundledBot(), "bot.js"), "bot.yaml"], {
        cwd: dir,
        stdio: ["ignore", "pipe", "pipe"],
        env: {
          PATH: process.env["PATH"],
          HOME: dir,
          NODE_COMPILE_CACHE: join(await bundledBot(), "cache"),
          TELEGRAM_BOT_TOKEN: telegram.token,
          TELEGRAM_API_ROOT: telegram.url,
          TELEGRAM_PACE: "none",
          GITHUB_TOKEN: githubToken,
          GITHUB_API_URL: github.url,
          GITHUB_SERVER_URL: github.url,
          SLUICE_BOT_KEY: sealingKey,
          ...env,
        },
      });
      let text = "";
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
      const bot: BotProcess = {
        child,
        ended: new Promise((resolve) => {
          child.on("close", (code) => {
            resolve(code ?? -1);
          });
        }),
        log: () => text,
      };
      logs.push(bot.log);
      here.bot = bot;
      await until(
        () => /"event":"(polling|webhook)"|"level":"error"/.test(text) || child.exitCode !== null,
        `the bot to start: ${text}`,
      );
      return bot;
    },
    async kill() {
      here.bot?.child.kill("SIGKILL");
      await here.bot?.ended;
      here.bot = null;
    },
    async stop() {
      here.bot?.child.kill("SIGTERM");
      const code = await here.bot?.ended;
      here.bot = null;
      return code ?? -1;
    },
    database: () => new DatabaseSync(join(dir, "bot.sqlite")),
    async close() {
      await here.kill();
      await Promise.all([telegram.close(), github.close()]);
      rmSync(dir, { recursive: true, force: true });
    },
  };
  return here;
}

function merge(base: unknown, changes: unknown): unknown {
  const plain = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (!plain(base) || !plain(changes)) return changes;
  return {
    ...base,
    ...Object.fromEntries(Object.entries(changes).map(([name, value]) => [name, merge(base[name], value)])),
  };
}

/** Waits until a condition holds; fails with the condition's name. */
export async function until<T>(holds: () => T | null | undefined | false, what: string, ms = 15_000): Promise<T> {
  for (const end = Date.now() + ms; Date.now() < end;) {
    const value = holds();
    if (value !== null && value !== undefined && value !== false) return value;
    await new Promise((resolve) => {
      setTimeout(resolve, 15);
    });
  }
  throw new Error(`waited in vain for ${what}`);
}

/** The bot's messages in a chat, oldest first. */
export function said({ telegram }: World, chat: number): StoredMessage[] {
  return telegram.state.messages.filter((one) => one.chat === chat && one.from.id === telegram.state.bot.id);
}

/** Waits until the bot has polled GitHub twice more. By then everything due has been sent. */
export async function polledTwice({ github }: World): Promise<void> {
  const polls = () => github.transcript.filter(({ path }) => path.endsWith("/octo/models/deployments")).length;
  const before = polls();
  await until(() => polls() >= before + 2, "two polls of GitHub");
}

/** Writes to the bot and waits for its final answer: a new message that does not start with an hourglass. */
export async function ask(here: World, person: Person, text: string, chat = person.id): Promise<StoredMessage> {
  const before = said(here, chat).length;
  here.telegram.people.says(person, text, { chat });
  return until(() => {
    const message = said(here, chat)[before];
    return message?.text != null && !message.text.startsWith("⏳") ? message : null;
  }, `an answer to ${text}; the bot says: ${here.bot?.log()}`);
}

/** Taps a button and waits until its message has changed. */
export async function tap(here: World, person: Person, message: StoredMessage, button: string): Promise<void> {
  const before = message.edits;
  here.telegram.people.presses(person, { chat: message.chat, message_id: message.message_id }, button);
  await until(
    () => message.edits > before,
    `the message to change after ${button}: ${message.text}; the bot says: ${here.bot?.log()}`,
  );
}

export const labels = (message: StoredMessage): string[] =>
  (message.markup?.inline_keyboard ?? []).flat().map((one) => String(one["text"]));

/** Links a person's GitHub account by the device flow, as a person would. */
export async function linkAccount(here: World, person: Person, login: string): Promise<void> {
  const message = await ask(here, person, "/link");
  const code = Object.values(here.github.state.workflows.device.codes).at(-1);
  if (code === undefined) throw new Error(`no device code: ${message.text}`);
  code.login = login;
  await until(() => /You are/.test(message.text ?? ""), `the link: ${message.text}`);
}

/** The same, written directly into the store while the bot is stopped, for tests of other things. */
export function alreadyLinked({ dir, github, telegram }: World, person: Person, login: string): void {
  const token = `ghu_standin${login}0123456789`;
  const { tokens, people } = github.state.workflows;
  tokens[token] = login;
  const store = new Store(join(dir, "bot.sqlite"), sealingKey);
  store.links.link({ user: person.id, login, githubId: people[login]?.id ?? 0, linkedAt: telegram.state.now() }, token);
  store.close();
}

/** What the bot changed on GitHub. */
export function changes({ github }: World): string[] {
  return github.transcript
    .filter(({ method, path, status }) => method !== "GET" && !path.startsWith("/login/") && status < 400)
    .map(({ method, path }) => `${method} ${path.replace(/^\/repos\/[^/]+\/[^/]+/, "")}`);
}

/** A Space that answers like ours. */
export async function space(
  version: string,
  score: number,
): Promise<{ url: string; close: () => Promise<void>; asked: unknown[] }> {
  const asked: unknown[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request
      .on("data", (chunk: Buffer) => chunks.push(chunk))
      .on("end", () => {
        const json = (body: unknown) => {
          response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
        };
        if (request.url === "/readyz") return json({ status: "ready", models: { mood: "ready" } });
        if (request.url === "/models/mood")
          return json({
            id: "mood",
            state: "ready",
            version,
            input: { schema: { properties: { text: { type: "string" } } }, examples: [{ text: "so good" }] },
          });
        asked.push(JSON.parse(Buffer.concat(chunks).toString("utf8")));
        return json({
          model: "mood",
          version,
          heads: { mood: { kind: "classification", label: score > 0.5 ? "positive" : "negative", score } },
        });
      });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
}

/**
 * One exchange of each kind, to check against GitHub's description. Only one, because compiling its schemas takes time.
 */
const kinds = new Map<string, Exchange>();

export function remember({ github }: World): void {
  for (const one of github.transcript) {
    if (one.path.startsWith("/login/")) continue;
    const kind = `${one.method} ${one.path.replace(/[0-9a-f]{40}|\d+/g, "#")} ${one.status} ${Object.keys(one.query).join()} ${Object.keys((one.body ?? {}) as object).join()} ${Array.isArray(one.answer) ? one.answer.length > 0 : ""}`;
    kinds.set(kind, one);
  }
}

/** @throws Error if a remembered exchange violates GitHub's description */
export function requireRemembered(): void {
  requireContract([...kinds.values()]);
  kinds.clear();
}
