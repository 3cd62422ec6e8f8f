import { spawn, type ChildProcess } from "node:child_process";
import { constants, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { bundledBot } from "./bot-bundle.ts";
import onnxruntime from "onnxruntime-node/package.json" with { type: "json" };
import own from "../../package.json" with { type: "json" };
import { addChat, startTelegram, type StandInTelegram } from "../telegram/server.ts";
import type { Person, StoredMessage } from "../telegram/state.ts";
import type { Executor, JobRecord, RunRecord } from "../executor/platform.ts";
import { createExecutor } from "../executor/executor.ts";
import { GitHub } from "../github/github.ts";
import { createRepository, mergePullRequest, openPullRequest, pushTo } from "../github/stories.ts";
import { startHubs, type Hubs } from "./hubs.ts";
import { Clock } from "./clock.ts";
import { commandLine, productPaths, root, type Files } from "./repository.ts";

export const team = "acme/models";
export const product = "sluice-ci/sluice";
export const chat = -1001;
const hubToken = "hf_rehearsal0123456789abcdefghijklm";

/** A deployment's settings. What takes minutes on the Hub takes moments on the stand-in. */
const settings =
  "poll-interval=0.05 retry-wait=0.05 retries=2 request-timeout=5 upload-timeout=20 build-timeout=60 start-timeout=60 prove-timeout=20 stall-after=5 settle-after=5 passes=2 probes=3";

export type SceneOptions = {
  /** The files of the team's repository. `product` is the commit of the product's repository. */
  files: (product: string) => Files;
  /** Model → stage → NS/NAME, as in sluice.yaml. */
  spaces: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Ids of the team's models. */
  models: readonly string[];
  /** Keys of the team's sluice.yaml beside these. */
  configuration?: Readonly<Record<string, unknown>>;
  /** Further files of the product's repository. */
  product?: Files;
  /** Keys of bot.yaml beside the usual ones. */
  bot?: Readonly<Record<string, unknown>>;
  /** Spaces and the bot have clocks that the story sets. */
  clocks?: true;
};

/**
 * The whole setting of a rehearsal. GitHub, the Hub and Telegram are stand-ins; the workflows, the actions, the Space's
 * server and the bot are real.
 */
export class Scene {
  readonly github: GitHub;
  readonly executor: Executor;
  readonly hubs: Hubs;
  readonly telegram: StandInTelegram;
  readonly people: { lena: Person; omar: Person; stranger: Person };
  readonly directory: string;
  readonly #spaces: SceneOptions["spaces"];
  readonly #bot: NonNullable<SceneOptions["bot"]>;
  /** What the Spaces' servers and the bot take for the time; null where it is the true one. */
  readonly clocks: { spaces: Clock; bot: Clock } | null;
  bot: { child: ChildProcess; log: () => string } | null = null;

  private constructor(parts: {
    github: GitHub;
    executor: Executor;
    hubs: Hubs;
    telegram: StandInTelegram;
    directory: string;
    spaces: SceneOptions["spaces"];
    bot: NonNullable<SceneOptions["bot"]>;
    clocks: Scene["clocks"];
  }) {
    this.github = parts.github;
    this.executor = parts.executor;
    this.hubs = parts.hubs;
    this.telegram = parts.telegram;
    this.directory = parts.directory;
    this.#spaces = parts.spaces;
    this.#bot = parts.bot;
    this.clocks = parts.clocks;
    const { people } = parts.telegram;
    this.people = {
      lena: people.person(11, "Lena"),
      omar: people.person(12, "Omar"),
      stranger: people.person(66, "Mallory"),
    };
    addChat(parts.telegram.state, { id: chat });
  }

  static async open(options: SceneOptions): Promise<Scene> {
    const { files, spaces, models, configuration = {}, bot = {} } = options;
    const directory = mkdtempSync(join(tmpdir(), "sluice-rehearsal-"));
    const clocks =
      options.clocks === true ? { spaces: new Clock(directory, "spaces"), bot: new Clock(directory, "bot") } : null;
    const github = await GitHub.start({ people: ["acme", "sluice-ci", "lena", "omar", "mallory", "sluice-bot"] });
    const names = Object.values(spaces).flatMap((stages) => Object.values(stages));
    const hubs = await startHubs(names.length === 0 ? ["acme/none"] : names, {
      token: hubToken,
      vouches: (idToken) => github.world.tokens.idTokens[idToken] ?? null,
    });
    for (const { space } of hubs.all)
      for (const [name, value] of Object.entries({
        SLUICE_SWEEP_BUDGET_MS: "0",
        SLUICE_ENGINE: "main",
        SLUICE_LOG_LEVEL: "warn",
        ...clocks?.spaces.env,
      }))
        space.variables.set(name, value);
    const telegram = await startTelegram();
    // The runner's tool cache already contains the native runtime and the image library, as after an earlier run on a
    // self-hosted machine.
    const native = join(root, "node_modules/onnxruntime-node/bin/napi-v6", process.platform, process.arch);
    const cached = join(directory, "tools/sluice-onnxruntime", onnxruntime.version);
    mkdirSync(cached, { recursive: true });
    cpSync(native, join(cached, `${process.platform}-${process.arch}`), {
      recursive: true,
      mode: constants.COPYFILE_FICLONE,
    });
    const images = join(directory, "tools/sluice-sharp", own.dependencies.sharp);
    mkdirSync(images, { recursive: true });
    symlinkSync(join(root, "node_modules"), join(images, "node_modules"));
    const executor = await createExecutor(github, {
      directory: join(directory, "runner"),
      toolCache: join(directory, "tools"),
      environment: {
        HF_ENDPOINT: hubs.url,
        SLUICE_ORT_DIR: native,
        NODE_COMPILE_CACHE: join(directory, "compile-cache"),
      },
    });
    github.attach(executor);
    const scene = new Scene({ github, executor, hubs, telegram, directory, spaces, bot, clocks });
    const commit = await createRepository(github, product, {
      from: root,
      paths: productPaths,
      files: { ...commandLine, ...options.product },
    });
    await createRepository(github, team, {
      files: {
        "sluice.yaml": stringify({
          schemaVersion: 1,
          models: models.map((id) => `models/${id}`),
          spaces,
          ...configuration,
        }),
        ...files(commit),
      },
      requiredChecks: ["gate / gate"],
    });
    await github.addCollaborator(team, "lena", "write");
    await github.addCollaborator(team, "omar", "maintain");
    await github.addCollaborator(team, "sluice-bot", "write");
    github.setSecret(team, "TELEGRAM_BOT_TOKEN", telegram.token);
    github.setVariable(team, "TELEGRAM_CHAT_ID", String(chat));
    github.setVariable(team, "TELEGRAM_API_ROOT", telegram.url);
    github.setVariable(team, "SLUICE_DEPLOY_SETTINGS", settings);
    return scene;
  }

  /** Starts the bundled bot as a separate process, once, and links Lena's and Omar's GitHub accounts. */
  async startBot(): Promise<void> {
    if (this.bot !== null) return;
    const dir = await bundledBot();
    const config = {
      schemaVersion: 1,
      repository: team,
      models: Object.entries(this.#spaces).map(([id, stages]) => ({
        id,
        ...(stages["production"] === undefined ? {} : { live: `http://${this.hubs.of(stages["production"]).domain}` }),
        ...(stages["staging"] === undefined ? {} : { candidate: `http://${this.hubs.of(stages["staging"]).domain}` }),
      })),
      environments: { staging: { danger: false }, production: { danger: true } },
      telegram: {
        users: [
          { id: this.people.lena.id, github: "lena" },
          { id: this.people.omar.id, github: "omar" },
        ],
        chats: [chat],
        // A story that sets the clock asks many times within what the bot takes for a minute.
        ...(this.clocks === null ? {} : { commandsPerMinute: 1000 }),
      },
      github: {
        clientId: this.github.deviceClientId,
        pollSeconds: 0.3,
        deploy: { file: "deploy.yml", inputs: { request: "request" } },
      },
      approvals: { settleSeconds: 0.5 },
      store: "bot.sqlite",
      ...this.#bot,
    };
    writeFileSync(join(this.directory, "bot.yaml"), stringify(config));
    const child = spawn(process.execPath, [join(dir, "bot.js"), "bot.yaml"], {
      cwd: this.directory,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env["PATH"],
        HOME: this.directory,
        NODE_COMPILE_CACHE: join(dir, "cache"),
        TELEGRAM_BOT_TOKEN: this.telegram.token,
        TELEGRAM_API_ROOT: this.telegram.url,
        TELEGRAM_PACE: "none",
        GITHUB_TOKEN: this.github.tokenOf("sluice-bot"),
        GITHUB_API_URL: this.github.apiUrl,
        GITHUB_SERVER_URL: this.github.serverUrl,
        SLUICE_BOT_KEY: "a key of the rehearsal",
        // Draws the pictures of alerts; the bot's one file has no native code.
        SLUICE_SHARP_DIR: join(this.directory, "tools/sluice-sharp", own.dependencies.sharp),
        ...this.clocks?.bot.env,
      },
    });
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
    this.bot = { child, log: () => text };
    await this.until(
      () =>
        /"event":"(polling|webhook)"/.test(text) ||
        (child.exitCode !== null &&
          (() => {
            throw new Error(`the bot ended: ${text}`);
          })()),
      "the bot to start",
    );
    await this.#link("lena");
    await this.#link("omar");
  }

  /** Links a person's GitHub account by the device flow, as a person would. */
  async #link(who: "lena" | "omar"): Promise<void> {
    const person = this.people[who];
    this.telegram.people.says(person, "/link");
    const replies = () =>
      this.telegram.state.messages
        .filter((one) => one.chat === person.id && one.from.id !== person.id)
        .map(textOf)
        .join("\n");
    const code = await this.until(() => /\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/.exec(replies())?.[0], `${who}'s device code`);
    this.github.enterDeviceCode(code, who);
    await this.until(() => replies().includes("You are"), `${who}'s account to be linked`);
  }

  /** Waits until a condition holds. @throws Error that names the condition and includes the bot's output */
  async until<T>(holds: () => T | null | undefined | false, what: string, ms = 60_000): Promise<T> {
    for (const end = Date.now() + ms; Date.now() < end;) {
      const value = holds();
      if (value !== null && value !== undefined && value !== false) return value;
      await new Promise((resolve) => {
        setTimeout(resolve, 25);
      });
    }
    throw new Error(
      `waited in vain for ${what}\n${this.bot === null ? "" : `The bot printed:\n${this.bot.log().slice(-2000)}\n`}The chats:\n${this.chats()}`,
    );
  }

  runsOf(workflowFile: string, headSha?: string): RunRecord[] {
    return this.executor.runs.filter(
      (run) =>
        run.repository === team &&
        run.workflowFile === workflowFile &&
        (headSha === undefined || run.headSha === headSha),
    );
  }

  /** The jobs' names with their conclusions. */
  conclusions(run: RunRecord): Record<string, string | null> {
    return Object.fromEntries(run.jobs.map((job) => [job.name, job.conclusion]));
  }

  logs(run: RunRecord): string {
    return (
      run.jobs.map((job: JobRecord) => `===== ${job.name}: ${job.conclusion}\n${job.log}\n${job.summary}`).join("\n") +
      (run.startupError ?? "")
    );
  }

  /**
   * Commits to a branch and opens a pull request as a person; resolves when everything that this started has settled.
   */
  async propose({
    branch,
    title,
    files,
    by,
    repository = team,
  }: {
    branch: string;
    title: string;
    files: Files;
    by: string;
    repository?: string;
  }): Promise<{ number: number; sha: string }> {
    const sha = await pushTo(this.github, { repository, branch, files, message: title, by });
    const number = await openPullRequest(this.github, {
      repository: team,
      head: repository === team ? branch : `${repository.split("/")[0]}:${branch}`,
      title,
      by,
    });
    await this.github.settled();
    return { number, sha };
  }

  /** @returns the merge commit @throws Refusal if a required check is not green */
  async merge(number: number, by: string): Promise<string> {
    const sha = await mergePullRequest(this.github, team, number, by);
    await this.github.settled();
    return sha;
  }

  /** Sends a request to GitHub as Lena. */
  async ask<T>(path: string): Promise<T> {
    const answer = await fetch(`${this.github.apiUrl}/repos/${team}/${path}`, {
      headers: { authorization: `token ${this.github.tokenOf("lena")}`, accept: "application/vnd.github+json" },
      signal: AbortSignal.timeout(10_000),
    });
    if (!answer.ok) throw new Error(`GitHub answered ${answer.status} to ${path}: ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  comments(number: number): Promise<{ id: number; body: string; user: { login: string } }[]> {
    return this.ask(`issues/${number}/comments?per_page=100`);
  }

  /** The gate's sticky comment. @throws Error if there is none, or more than one */
  async verdictComment(number: number): Promise<{ id: number; body: string }> {
    const found = (await this.comments(number)).filter(
      ({ body }) => /sluice gate /.test(body) || /^## \S+ (PASS|FAIL|INCONCLUSIVE|INCOMPARABLE|ERROR)\b/m.test(body),
    );
    const [only] = found;
    if (only === undefined || found.length > 1)
      throw new Error(`pull request ${number} has ${found.length} comments of the gate`);
    return only;
  }

  /** The version that a Space reports, requested as any user would; null if nothing answers. */
  async serves(space: string): Promise<string | null> {
    try {
      const answer = await fetch(`http://${this.hubs.of(space).domain}/model/info`, {
        signal: AbortSignal.timeout(5000),
      });
      return ((await answer.json()) as { version?: string }).version ?? null;
    } catch {
      return null;
    }
  }

  /** Digest of a file on the main branch of a Space. */
  weights(space: string, path: string): string | undefined {
    const { repository } = this.hubs.of(space).space;
    const entry = repository.commit("main")?.tree.get(path);
    return entry?.lfs?.oid ?? entry?.oid;
  }

  /** Every message of every chat, as people see them. */
  chats(): string {
    return this.telegram.state.messages
      .map(
        (one) =>
          `${one.chat} #${one.message_id} ${one.from.first_name}: ${textOf(one).replaceAll("\n", " / ")} ${(one.markup?.inline_keyboard.flat() ?? []).map(({ text }) => `[${String(text)}]`).join(" ")}`,
      )
      .join("\n");
  }

  /** The cards about a candidate, oldest first: messages whose first line names it. */
  cardMessages(about: string): StoredMessage[] {
    return this.said().filter(
      (message) => message.rich !== null && (textOf(message).split("\n")[0] ?? "").includes(about),
    );
  }

  /** The newest card's text. */
  card(about: string): string {
    const message = this.cardMessages(about).at(-1);
    return message === undefined ? "" : textOf(message);
  }

  /** Buttons that can be pressed in the team's chat, newest message first. */
  buttons(): { message: StoredMessage; label: string }[] {
    return this.said()
      .toReversed()
      .flatMap((message) =>
        (message.markup?.inline_keyboard.flat() ?? [])
          .filter((one) => one["callback_data"] !== undefined)
          .map((one) => ({ message, label: String(one["text"]) })),
      );
  }

  pressButton(who: keyof Scene["people"], { message, label }: { message: StoredMessage; label: string }): void {
    this.telegram.people.presses(this.people[who], message, label);
  }

  /** The bot's messages in the team's chat, oldest first. */
  said(): StoredMessage[] {
    return this.telegram.state.messages.filter(
      (one) => one.chat === chat && one.from.id === this.telegram.state.bot.id,
    );
  }

  async close(): Promise<void> {
    this.bot?.child.kill("SIGKILL");
    await this.executor.close();
    await Promise.all([this.github.close(), this.hubs.close(), this.telegram.close()]);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A message's text, one line per block. */
export function textOf(message: StoredMessage): string {
  const inline = (node: unknown): string =>
    typeof node === "string"
      ? node
      : Array.isArray(node)
        ? node.map(inline).join("")
        : typeof node === "object" && node !== null
          ? inline((node as { text?: unknown }).text ?? "")
          : "";
  const block = (node: Record<string, unknown>): string => {
    const own = [node["text"], node["summary"]].filter((one) => one !== undefined).map(inline);
    const rows = ((node["cells"] as unknown[][] | undefined) ?? []).map((row) => row.map(inline).join(" | "));
    const inside = ((node["blocks"] as Record<string, unknown>[] | undefined) ?? []).map(block);
    return [...own, ...rows, ...inside].join("\n");
  };
  const rich = message.rich as { blocks?: Record<string, unknown>[] } | null;
  return rich?.blocks?.map(block).join("\n") ?? message.text ?? message.caption ?? "";
}
