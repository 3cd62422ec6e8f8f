import { expect, it } from "vitest";
import { GitHub } from "../../../bot/github/github.ts";
import { startGitHub } from "../../../rehearsal/github/seeded/github.ts";
import { addRun } from "../../../rehearsal/github/seeded/state.ts";

it("what has not changed on GitHub is not counted against the bot's limit", async () => {
  const github = await startGitHub({ viewer: "sluice[bot]" });
  addRun(github.state.workflows, { file: "gate.yml", name: "gate", conclusion: "success", sha: "a".repeat(40) });
  const client = new GitHub("ghp_standinbottoken0123456789abcdef", "octo/models", {
    apiUrl: github.url,
    fetch,
    log: () => {},
  });
  const [first, again] = [await client.runs(), await client.runs()];
  expect(again).toEqual(first);
  expect(first).toHaveLength(1);
  expect(github.transcript.map(({ notModified }) => notModified)).toEqual([false, true]);
  await github.close();
});
