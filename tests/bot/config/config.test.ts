import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { botConfiguration, readSecrets } from "../../../bot/config/config.ts";
import { isAllowed } from "../../../bot/inbox/access.ts";
import { parseYaml } from "../../../models/core/manifest/config-file.ts";
import { repositoryRoot } from "../../actions/gate/runner.ts";

const least = "schemaVersion: 1\nrepository: octo/models\nmodels: [{id: mood}]\ntelegram: {users: [{id: 11}]}\n";

describe("bot.yaml", () => {
  it("can be short, and denies whatever it does not list", () => {
    const bot = parseYaml(least, "bot.yaml", botConfiguration);
    expect(bot).toMatchObject({
      live: "production",
      telegram: { chats: [], stranger: null, privateChats: true },
      github: { permission: "write", deploy: { file: "deploy.yml" } },
    });
    expect(isAllowed(bot.telegram, { user: 11, chat: 11, privateChat: true })).toBe(true);
    expect(isAllowed(bot.telegram, { user: 11, chat: -5, privateChat: false })).toBe(false);
    expect(isAllowed(bot.telegram, { user: 11, chat: 12, privateChat: true })).toBe(false);
    expect(isAllowed(bot.telegram, { user: 12, chat: 12, privateChat: true })).toBe(false);
    expect(isAllowed({ ...bot.telegram, privateChats: false }, { user: 11, chat: 11, privateChat: true })).toBe(false);
  });

  it.each([
    ["a name instead of a number", least.replace("id: 11", "id: ana"), /bot\.yaml:4:\d+.*telegram\.users/s],
    ["a workflow outside the folder", `${least}github: {deploy: {file: ../evil.yml}}\n`, /without folders/],
    [
      "a webhook without a port",
      least.replace("users:", "webhook: {url: 'https://b.example.org'}, users:"),
      /a port to listen on/,
    ],
    ["a user twice", least.replace("[{id: 11}]", "[{id: 11}, {id: 11}]"), /every id once/],
    ["a live stage that is none", `${least}live: prod\n`, /one of the environments/],
    ["an unknown key", `${least}toekn: x\n`, /toekn/],
  ])("refuses %s with place and reason", (_name, text, words) => {
    expect(() => parseYaml(text, "bot.yaml", botConfiguration)).toThrow(words);
  });

  it("names inputs that the repository's own deploying workflow has", () => {
    const bot = parseYaml(least, "bot.yaml", botConfiguration);
    const workflow = parse(readFileSync(join(repositoryRoot, ".github/workflows", bot.github.deploy.file), "utf8")) as {
      "run-name": string;
      on: { workflow_dispatch: { inputs: object } };
    };
    const names = Object.values(bot.github.deploy.inputs).filter((name) => name !== null);
    expect(names).toHaveLength(6);
    // The bot finds its dispatched run by this text.
    expect(workflow["run-name"]).toContain(`inputs.${bot.github.deploy.inputs.request}`);
    for (const name of names) expect(Object.keys(workflow.on.workflow_dispatch.inputs)).toContain(name);
  });

  it("names missing secrets and never repeats their values", () => {
    const bot = parseYaml(least, "bot.yaml", botConfiguration);
    expect(() => readSecrets({ GITHUB_TOKEN: "ghp_0123456789" }, bot)).toThrow(
      /TELEGRAM_BOT_TOKEN: the variable is not set/,
    );
    expect(() => readSecrets({ TELEGRAM_BOT_TOKEN: "sesame-open", GITHUB_TOKEN: "ghp_0123456789" }, bot)).toThrow(
      /^(?![\s\S]*sesame)/,
    );
  });

  it("`sluice bot` says what is missing and exits with 2", () => {
    const dir = mkdtempSync(join(tmpdir(), "sluice-bot-"));
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [join(repositoryRoot, "cli.ts"), "bot", ...args], {
        cwd: dir,
        encoding: "utf8",
        env: { PATH: process.env["PATH"] },
        timeout: 30_000,
      });
    expect(run()).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("bot.yaml: there is no configuration here") as string,
    });
    writeFileSync(join(dir, "bot.yaml"), least);
    expect(run()).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("TELEGRAM_BOT_TOKEN: the variable is not set") as string,
    });
    rmSync(dir, { recursive: true });
  });
});
