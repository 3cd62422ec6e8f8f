import { ActionWorker, expireRequests } from "../../bot/approvals/action-worker.ts";
import { botConfiguration } from "../../bot/config/config.ts";
import type { BotContext } from "../../bot/context/context.ts";
import { GitHub } from "../../bot/github/github.ts";
import { Verdicts } from "../../bot/github/verdicts.ts";
import { updateHandler } from "../../bot/handle-update.ts";
import { Store } from "../../bot/store/store.ts";
import { createTelegram } from "../../bot/telegram/client.ts";
import { plainText } from "../../bot/telegram/format.ts";
import { startGitHub } from "../../rehearsal/github/seeded/github.ts";
import { addRun, type GitHubState, type StoredRun } from "../../rehearsal/github/seeded/state.ts";

// The bot's own parts in this process, with a GitHub on loopback, a store in memory and a clock that tests move. There
// is no Telegram: what the bot wants to say is read from its store.

export const main = "1a2b3c4d5e6f70819293a4b5c6d7e8f901234567";
export const group = -1001234567890;
export const ana = 11;
export const ben = 12;
export const carla = 13;

export type InProcessBot = {
  context: BotContext;
  state: GitHubState;
  worker: ActionWorker;
  /** Toasts that people saw, oldest first. */
  toasts: string[];
  log: string[];
  /** Moves the clock. */
  later: (ms: number) => void;
  link: (user: number, login: string, role?: string) => void;
  /** Writes a command. @returns the key of the answer */
  says: (user: number, text: string, chat?: number) => Promise<string>;
  presses: (user: number, key: string, label: string, chat?: number) => Promise<void>;
  /** Lets the worker end what was agreed. */
  settle: () => Promise<void>;
  text: (key: string) => string;
  labels: (key: string) => string[];
  rows: (key: string) => number[];
  /** What was changed on GitHub. */
  changes: () => string[];
  close: () => Promise<void>;
};

const receipt = (model: string, version: string, verdict: string) =>
  `${model} ${version}\n\n${JSON.stringify({ model: { id: model, version, sha256: "b" }, metrics: [{ metric: "auroc", slice: "all", value: 0.92, interval: { low: 0.91, high: 0.93 } }], verdict })}`;

/** Tags a version with its receipt. */
export function release({ git }: GitHubState, version: string, sha = main, verdict = "PASS"): void {
  const tag = version.replace(/\D/g, "").padEnd(40, "0");
  git.refs[`refs/tags/mood@${version}`] = { sha: tag, type: "tag" };
  git.tags[tag] = { tag: `mood@${version}`, message: receipt("mood", version, verdict), object: sha };
}

export const gateRun = (state: GitHubState, run: Partial<StoredRun>): StoredRun =>
  addRun(state.workflows, {
    file: "gate.yml",
    name: "gate",
    conclusion: "success",
    sha: main,
    artifacts: [{ name: "sluice-gate-cpu-0", digest: `sha256:${"a".repeat(64)}` }],
    ...run,
  });

export const waits = (state: GitHubState, run: Partial<StoredRun> = {}): StoredRun =>
  addRun(state.workflows, {
    file: "deploy.yml",
    title: `Deploy mood to production at ${main}`,
    status: "waiting",
    sha: main,
    actor: "octo",
    event: "workflow_dispatch",
    pending: [{ id: 77, name: "mood-production", reviewers: ["ana-gh"] }],
    ...run,
  });

export async function botInProcess(config: object = {}, timeoutMs = 2_000, path = ":memory:"): Promise<InProcessBot> {
  const github = await startGitHub({ viewer: "sluice[bot]" });
  const { state } = github;
  let shiftMs = 0;
  const now = () => Date.now() + shiftMs;
  Object.assign(state.workflows, { now });
  state.workflows.workflows["retrain.yml"] = { inputs: ["model", "reason", "again", "request"] };
  state.workflows.workflows["deploy.yml"] = { inputs: ["model", "environment", "version", "ref", "reason", "request"] };
  state.git.refs["refs/heads/main"] = { sha: main, type: "commit" };
  const bot = botConfiguration.parse({
    schemaVersion: 1,
    repository: "octo/models",
    models: [{ id: "mood" }],
    environments: { staging: { danger: true }, production: { danger: true } },
    telegram: { users: [{ id: ana }, { id: ben }, { id: carla }], chats: [group] },
    ...config,
  });
  const store = new Store(path, "a-key-from-a-password-manager");
  const log: string[] = [];
  const write = (event: string, fields: object = {}) => {
    log.push(`${event} ${JSON.stringify(fields)}`);
  };
  const client = new GitHub("ghp_standinbottoken0123456789abcdef", "octo/models", {
    apiUrl: github.url,
    fetch,
    log: (line) => {
      log.push(line);
    },
    timeoutMs,
  });
  const context: BotContext = {
    bot,
    store,
    github: client,
    verdicts: new Verdicts(client, bot),
    spaces: { fetch, timeoutMs },
    device: null,
    username: () => "sluice_test_bot",
    now,
    log: { info: write, warn: write },
  };
  const toasts: string[] = [];
  const me = {
    id: 1,
    is_bot: true,
    first_name: "Sluice",
    username: "sluice_test_bot",
    can_join_groups: true,
    can_read_all_group_messages: false,
    supports_inline_queries: false,
  } as const;
  const handle = updateHandler({
    ...context,
    kick: () => {},
    token: "1:no-telegram-here",
    client: createTelegram({ token: "1:no-telegram-here", apiRoot: "http://127.0.0.1:1" }),
    me: () => me,
    callbacks: {
      answer: (_query, { text }) => {
        toasts.push(text);
      },
    },
  });
  const stop = new AbortController();
  const clock = {
    now,
    // A pause of the worker costs the clock its length, and the test almost nothing.
    sleep: async (ms: number) => {
      shiftMs += ms;
      await new Promise((resolve) => {
        setTimeout(resolve, 1);
      });
    },
  };
  const worker = new ActionWorker({ ...context, clock, signal: stop.signal, kick: () => {} });
  let updates = 0;
  let messages = 100;
  /** As if everything that the bot wants to say had been sent. */
  const deliver = () => {
    for (const { chat, urgent } of store.messages.lanesToServe())
      for (let one = store.messages.nextFor(chat, urgent); one !== null; one = store.messages.nextFor(chat, urgent)) {
        messages += 1;
        store.messages.shown(one.key, one.wanted, one.messageId ?? messages, chat, one.topic);
      }
  };
  const take = async (update: object) => {
    updates += 1;
    store.transaction(await handle({ update_id: updates, ...update }));
    deliver();
    return `u${updates}`;
  };
  const from = (user: number) => ({ id: user, is_bot: false, first_name: `P${user}` });
  const chatOf = (id: number) => ({ id, type: id > 0 ? "private" : "supergroup" });
  const contentOf = (key: string) => {
    const message = store.messages.byKey(key);
    if (message === null) throw new Error(`there is no message ${key}`);
    return message;
  };
  return {
    context,
    state,
    worker,
    toasts,
    log,
    later: (ms) => {
      shiftMs += ms;
    },
    link: (user, login, role = "write") => {
      state.workflows.people[login] = { id: 1000 + user, role };
      const token = `ghu_standin${login}0123456789`;
      state.workflows.tokens[token] = login;
      store.links.link({ user, login, githubId: 1000 + user, linkedAt: now() }, token);
    },
    says: async (user, text, chat = user) => {
      const length = /^\/\w+(@\w+)?/.exec(text)?.[0].length ?? 0;
      const entities = length === 0 ? [] : [{ type: "bot_command", offset: 0, length }];
      return take({ message: { message_id: 0, chat: chatOf(chat), from: from(user), text, entities } });
    },
    presses: async (user, key, label, chat = user) => {
      deliver();
      const { content, messageId } = contentOf(key);
      const found = content.buttons?.flat().find(({ text }) => text === label);
      if (found === undefined || !("callback_data" in found))
        throw new Error(`no button ${label} under ${content.plain}`);
      const message = { message_id: messageId ?? 0, chat: chatOf(chat) };
      await take({ callback_query: { id: `q${updates}`, from: from(user), data: found.callback_data, message } });
    },
    settle: async () => {
      worker.kick();
      await worker.settled();
      expireRequests(context);
      deliver();
    },
    text: (key) => plainText(contentOf(key).content.html),
    labels: (key) => (contentOf(key).content.buttons ?? []).flat().map(({ text }) => text),
    rows: (key) => (contentOf(key).content.buttons ?? []).map((row) => row.length),
    changes: () =>
      github.transcript
        .filter(({ method, path, status }) => method !== "GET" && !path.startsWith("/login/") && status < 400)
        .map(({ method, path }) => `${method} ${path.replace(/^\/repos\/[^/]+\/[^/]+/, "")}`),
    close: async () => {
      stop.abort();
      await worker.settled();
      store.close();
      await github.close();
    },
  };
}
