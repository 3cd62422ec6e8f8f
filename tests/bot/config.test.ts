import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseYaml } from "../../models/core/manifest/config-file.ts";
import { botConfiguration, readSecrets } from "../../bot/config/config.ts";
import { createLog } from "../../bot/config/log.ts";
import { isAllowed } from "../../bot/intake/access.ts";
import { readUpdate, updateSchema } from "../../bot/intake/update.ts";
import { durationMs } from "../../bot/context/words.ts";
import { sparkline } from "../../bot/github/sparkline.ts";
import { repositoryRoot } from "../actions/gate/runner.ts";

const least = "schemaVersion: 1\nrepository: octo/models\nmodels: [{id: mood}]\ntelegram: {users: [{id: 11}]}\n";

describe("bot.yaml", () => {
  it("is short, and denies whatever it does not list", () => {
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
    // By this the bot finds the run that it dispatched.
    expect(workflow["run-name"]).toContain(`inputs.${bot.github.deploy.inputs.request}`);
    for (const name of names) expect(Object.keys(workflow.on.workflow_dispatch.inputs)).toContain(name);
  });

  it("asks for secrets by name and never repeats them", () => {
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

describe("readers of what others write", () => {
  it("takes only what a person did by themselves", () => {
    const from = { id: 11, is_bot: false, first_name: "Ana" };
    const chat = { id: -1, type: "supergroup" };
    const read = (update: object) => readUpdate(updateSchema.parse({ update_id: 1, ...update }));
    expect(read({ message: { message_id: 1, chat, from, text: "/x" } })).toMatchObject({
      user: 11,
      act: { kind: "text", text: "/x" },
    });
    expect(read({ message: { message_id: 1, chat, from, text: "/x", sender_chat: chat } })).toBeNull();
    expect(read({ message: { message_id: 1, chat, from: { ...from, is_bot: true }, text: "/x" } })).toBeNull();
    expect(read({ message: { message_id: 1, chat, text: "/x" } })).toBeNull();
    expect(read({ message: { message_id: 1, chat, from } })).toBeNull();
    expect(read({ callback_query: { id: "1", from, data: "n:x" } })).toBeNull();
    expect(read({ channel_post: {} })).toBeNull();
  });

  it("draws and reads small things", () => {
    expect(sparkline([1, 2, 3])).toBe("▁▅█");
    expect(sparkline([2, 2])).toBe("▄▄");
    expect(sparkline([1, Number.NaN, 3])).toBe("▁ █");
    expect([
      durationMs("30m"),
      durationMs("2h"),
      durationMs("3d"),
      durationMs("0m"),
      durationMs("31d"),
      durationMs("2"),
    ]).toEqual([1_800_000, 7_200_000, 259_200_000, null, null, null]);
  });

  it("logs through the redactor, also what sits deep in an error", () => {
    let text = "";
    createLog(
      (line) => {
        text += line;
      },
      (line) => line.replaceAll("secret", "***"),
      () => 0,
    ).warn("x", { error: "https://api/botsecret/getMe" });
    expect(text).toBe(
      '{"time":"1970-01-01T00:00:00.000Z","level":"warn","event":"x","error":"https://api/bot***/getMe"}\n',
    );
  });
});
