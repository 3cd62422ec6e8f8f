import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { writeFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { teamRepository, type TeamRepository } from "./repository.ts";
import { sluice } from "./sluice.ts";
import { addChat, startTelegram, type StandInTelegram } from "../../rehearsal/telegram/server.ts";

type Answer = { status?: number; body?: unknown; headers?: Record<string, string> };

/** A GitHub and a Hub with a few fixed answers, by path. */
async function fixed(answers: Record<string, Answer>): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    const {
      status = 200,
      body = {},
      headers = {},
    } = answers[(request.url ?? "").split("?", 1)[0] as string] ?? { status: 404, body: { message: "Not Found" } };
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
}

const secrets = {
  GITHUB_TOKEN: "ghp_doctor0123456789abcdefghij",
  HF_TOKEN: "hf_doctor0123456789abcdefghij",
  SLUICE_BOT_KEY: "doctor-key-0123456789",
};
const botYaml =
  "schemaVersion: 1\nrepository: octo/models\nmodels: [{id: linear}]\ntelegram: {users: [{id: 11}], chats: [-5]}\ngithub: {clientId: Iv1.standin}\n";

describe("sluice doctor", () => {
  let team: TeamRepository;
  let telegram: StandInTelegram;
  let services: Awaited<ReturnType<typeof fixed>>;

  beforeAll(async () => {
    team = teamRepository();
    telegram = await startTelegram();
    telegram.people.person(11, "Ana");
    addChat(telegram.state, { id: -5, title: "models" });
    addChat(telegram.state, { id: -7, title: "forum", topics: new Map([[42, "open"]]) });
    addChat(telegram.state, { id: -6, title: "left", members: new Map([[telegram.state.bot.id, "left"]]) });
    const repo = "/repos/octo/models";
    services = await fixed({
      [repo]: { body: { permissions: { push: true, admin: false } } },
      [`${repo}/actions/runs`]: {},
      [`${repo}/deployments`]: {},
      [`${repo}/pulls`]: { status: 403 },
      "/api/whoami-v2": { body: { name: "octo", auth: { accessToken: { role: "write" } } } },
      "/api/spaces/octo/linear": { body: { sdk: "docker", runtime: { stage: "RUNNING" } } },
    });
  });
  afterAll(async () => {
    team.remove();
    await telegram.close();
    await services.close();
  });

  async function doctor(env: Record<string, string> = {}, ...args: string[]) {
    const run = await sluice(team.dir, ["doctor", ...args], {
      GITHUB_REPOSITORY: "octo/models",
      GITHUB_API_URL: services.url,
      HF_ENDPOINT: services.url,
      TELEGRAM_API_ROOT: telegram.url,
      ...env,
    });
    for (const secret of [...Object.values(secrets), telegram.token, telegram.token.split(":")[1] as string])
      expect(run.stdout + run.stderr).not.toContain(secret);
    return run;
  }
  const set = (spaces = "octo/linear") => {
    writeFileSync(
      join(team.dir, "sluice.yaml"),
      `schemaVersion: 1\nmodels: [models/linear]\nspaces: {linear: {production: ${spaces}}}\n`,
    );
  };

  it("reports that everything works, and what the token is not allowed to do", async () => {
    set();
    writeFileSync(join(team.dir, "bot.yaml"), botYaml);
    mkdirSync(join(team.dir, ".github/workflows"), { recursive: true });
    const inputs = ["model", "environment", "version", "ref", "reason", "request"]
      .map((name) => `      ${name}: {type: string}`)
      .join("\n");
    writeFileSync(
      join(team.dir, ".github/workflows/deploy.yml"),
      `run-name: Deploy at \${{ inputs.ref }} \${{ inputs.request }}\non:\n  workflow_dispatch:\n    inputs:\n${inputs}\njobs: {}\n`,
    );
    const run = await doctor({ ...secrets, TELEGRAM_BOT_TOKEN: telegram.token, TELEGRAM_CHAT_ID: "-5" }, "--json");
    expect([run.code, run.stderr]).toEqual([0, ""]);
    const { schemaVersion, status, checks } = JSON.parse(run.stdout) as {
      schemaVersion: number;
      status: string;
      checks: { name: string; status: string; says: string; fix: string | null }[];
    };
    expect([schemaVersion, status]).toEqual([1, "warning"]);
    expect(checks.filter((one) => one.status !== "ok")).toEqual([
      {
        name: "workflows",
        status: "warning",
        says: "none gates pull requests",
        fix: expect.stringContaining("docs/adopt.md"),
      },
      {
        name: "GITHUB_TOKEN rights",
        status: "warning",
        says: "it may not read pull-requests",
        fix: "give the token pull-requests: write",
      },
    ]);
    expect(checks.map(({ name }) => name)).toEqual([
      "node",
      "git",
      "remote",
      "onnxruntime",
      "sluice.yaml",
      "linear 1.1.0",
      "linear 1.1.0 artifact",
      "workflows",
      "GITHUB_TOKEN",
      "GITHUB_TOKEN rights",
      "HF_TOKEN",
      "linear production",
      "TELEGRAM_BOT_TOKEN",
      "TELEGRAM_CHAT_ID",
      "bot.yaml chat -5",
      "bot.yaml",
      "workflow deploy.yml",
    ]);
  });

  it("finds what is wrong with topics, people, groups and the webhook of bot.yaml", async () => {
    set();
    const http = "http: {port: 8080}\n";
    const bot = (more: string, webhook = "") =>
      writeFileSync(
        join(team.dir, "bot.yaml"),
        `schemaVersion: 1\nrepository: octo/models\nmodels: [{id: linear}]\ngithub: {clientId: Iv1.standin}\n${webhook}telegram: {users: [{id: 11}, {id: 77}], ${more}}\n`,
      );
    const env = { ...secrets, TELEGRAM_BOT_TOKEN: telegram.token, TELEGRAM_WEBHOOK_SECRET: "s".repeat(20) };
    bot("chats: [-5, -7], topics: [42, 43]");
    telegram.state.joinsGroups = false;
    const { stdout } = await doctor(env);
    telegram.state.joinsGroups = true;
    expect(stdout).toMatch(/✓ ok +bot\.yaml topic 42 +is a topic of a listed chat/);
    expect(stdout).toMatch(
      /✗ broken +bot\.yaml topic 43 +no listed chat has it, or it is closed\n +→ a topic's number/,
    );
    expect(stdout).toMatch(/! warning +bot\.yaml user 77 +has never written to the bot/);
    expect(stdout).not.toContain("user 11");
    expect(stdout).toMatch(/! warning +groups +the bot may not be added to groups/);

    const own = "webhook: {url: 'http://127.0.0.1:9'}";
    bot(`chats: [-5], ${own}`, http);
    expect((await doctor(env)).stdout).toMatch(/! warning +webhook +is not set yet/);
    telegram.updates.setWebhook({ url: "https://other.example.org/hook" });
    expect((await doctor(env)).stdout).toMatch(/✗ broken +webhook +it is set to other\.example\.org, not to 127/);
    telegram.updates.setWebhook({ url: "http://127.0.0.1:9/telegram" });
    telegram.people.says({ id: 11, is_bot: false, first_name: "Ana" }, "hello");
    await vi.waitFor(() => {
      expect(telegram.updates.lastError).not.toEqual({});
    });
    expect((await doctor(env)).stdout).toMatch(
      /! warning +webhook +Telegram could not deliver .*Connection refused; 1 /,
    );
    expect(telegram.state.messages.filter(({ from }) => from.is_bot)).toEqual([]);
    telegram.updates.setWebhook({ url: "" });
  });

  it("exits with 2 and says what to do about wrong tokens, a wrong Space, a chat without the bot, and a wrong bot.yaml", async () => {
    set("octo/none");
    writeFileSync(join(team.dir, "bot.yaml"), botYaml.replace("id: 11", "id: ana"));
    const run = await doctor({
      ...secrets,
      GITHUB_REPOSITORY: "octo/other",
      TELEGRAM_BOT_TOKEN: telegram.token,
      TELEGRAM_CHAT_ID: "-6",
    });
    expect(run.code).toBe(2);
    expect(run.stdout).toMatch(
      /✗ broken +GITHUB_TOKEN +it does not see octo\/other\n +→ give the token this repository/,
    );
    expect(run.stdout).toMatch(
      /✗ broken +linear production +there is no Space octo\/none, or the token may not see it\n +→ create it/,
    );
    expect(run.stdout).toMatch(/✗ broken +TELEGRAM_CHAT_ID +the bot is not in left\n +→ add it to the group/);
    expect(run.stdout).toMatch(
      /✗ broken +bot\.yaml +bot\.yaml:4:\d+: `telegram\.users\[0\]\.id`.*\n +→ expected a number; received "ana"; e\.g\. id: 123456789/,
    );
    expect((await doctor({ TELEGRAM_BOT_TOKEN: `${telegram.token}x` })).stdout).toMatch(
      /✗ broken +TELEGRAM_BOT_TOKEN +Telegram does not know it/,
    );
    expect((await doctor({ TELEGRAM_BOT_TOKEN: "my token" })).stdout).toMatch(
      /✗ broken +TELEGRAM_BOT_TOKEN +it does not look like/,
    );
  });

  it("says without a network what could not be reached", async () => {
    set();
    writeFileSync(join(team.dir, "bot.yaml"), botYaml);
    const nowhere = "http://127.0.0.1:9";
    const run = await doctor({
      ...secrets,
      TELEGRAM_BOT_TOKEN: telegram.token,
      TELEGRAM_CHAT_ID: "-5",
      GITHUB_API_URL: nowhere,
      HF_ENDPOINT: nowhere,
      TELEGRAM_API_ROOT: nowhere,
    });
    expect(run.code).toBe(0);
    expect(run.stdout.match(/! warning .*was not checked: .*(could not be reached|ECONNREFUSED)/g)).toHaveLength(4);
  });

  it("in an empty folder, says first what is missing", async () => {
    const dir = join(team.dir, "..", `${team.dir.split("/").at(-1) as string}-empty`);
    mkdirSync(dir, { recursive: true });
    const run = await sluice(dir, ["doctor"], { GIT_CEILING_DIRECTORIES: join(dir, "..") });
    expect(run.code).toBe(2);
    expect(run.stdout).toMatch(/✗ broken +git +this folder is not in a git repository/);
    expect(run.stdout).toMatch(/✗ broken +sluice\.yaml +there is none here/);
  });
});
