import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sluice } from "../../cli/sluice.ts";
import { stories } from "../../eval/report/stories.ts";
import { violations } from "../../../rehearsal/github/openapi.ts";
import { startGitHub, type SeededGitHub } from "../../../rehearsal/github/seeded/github.ts";
import { addChat, startTelegram, type StandInTelegram } from "../../../rehearsal/telegram/server.ts";
import { commit } from "./step.ts";

const group = -1001234567890;

describe("sluice notify", () => {
  let dir: string;
  let telegram: StandInTelegram;
  let github: SeededGitHub;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "sluice-notify-cli-"));
    writeFileSync(join(dir, "verdict.json"), JSON.stringify(stories.fail));
    telegram = await startTelegram();
    github = await startGitHub();
    addChat(telegram.state, { id: group });
    github.state.commitPulls[commit] = [{ number: 12, head: "octo:topic", headSha: commit }];
  });
  afterAll(async () => {
    await telegram.close();
    await github.close();
    rmSync(dir, { recursive: true });
    expect([...telegram.violations, ...github.transcript.flatMap(violations)]).toEqual([]);
  });
  const notify = (args: string[], env: Record<string, string> = {}) =>
    sluice(dir, ["notify", ...args], {
      TELEGRAM_BOT_TOKEN: telegram.token,
      TELEGRAM_API_ROOT: telegram.url,
      GITHUB_REPOSITORY: "octo/models",
      GITHUB_SHA: commit,
      GITHUB_TOKEN: "ghs_a1b2c3d4e5f6",
      GITHUB_API_URL: github.url,
      ...env,
    });

  it("sends the card that the action sends, and finds it again", async () => {
    const run = await notify(["--verdict", "verdict.json", "--chat", String(group)]);
    expect([run.code, run.stdout, run.stderr]).toEqual([0, "mood: sent, message 1\n", ""]);
    // The picture of what decided stands under a card that is not green.
    const withPicture = [
      { message_id: 1, photo: null },
      { replyTo: 1, photo: expect.anything() },
    ];
    expect(telegram.state.messages).toMatchObject(withPicture);
    const again = await notify(["mood@1.1.0", "--chat", String(group), "--phase", "failed", "--json"]);
    expect(JSON.parse(again.stdout)).toMatchObject({
      schemaVersion: 1,
      status: "edited",
      cards: [{ model: "mood", message: 1 }],
    });
    expect(telegram.state.messages).toMatchObject(withPicture);
  });

  it("--dry-run prints it and sends nothing", async () => {
    const calls = telegram.transcript.length;
    const run = await notify(["--verdict", "verdict.json", "--dry-run"]);
    expect([run.code, telegram.transcript.length]).toEqual([0, calls]);
    expect(run.stdout).toContain("❌ mood 1.1.0: FAIL");
  });

  it("says what is wrong: exit 2 for usage, 5 for a card that was not delivered, never a token", async () => {
    const wrong = await notify(["--phase", "nope"]);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("--phase: the flag's value is not valid")]);
    expect((await notify(["--verdict", "none.json", "--chat", "1"])).stderr).toContain("the file cannot be read");
    expect(await notify(["mood"], { TELEGRAM_BOT_TOKEN: "" })).toMatchObject({
      code: 5,
      stdout: expect.stringContaining("set TELEGRAM_BOT_TOKEN") as string,
    });
    expect(await notify(["mood"])).toMatchObject({
      code: 5,
      stdout: expect.stringContaining("TELEGRAM_CHAT_ID") as string,
    });
    const missing = await notify(["mood", "--chat", "-7"]);
    expect([missing.code, missing.stdout]).toEqual([5, expect.stringContaining("chat not found")]);
    expect(JSON.stringify([wrong, missing])).not.toContain(telegram.token.split(":")[1]);
  });
});
