import { writeFileSync } from "node:fs";
import { botConfiguration } from "../../bot/config/config.ts";
import { watchGitHub } from "../../bot/events/poll-github.ts";
import { GitHub } from "../../bot/github/github.ts";
import { Verdicts } from "../../bot/github/verdicts.ts";
import { Store } from "../../bot/store/store.ts";
import { startGitHub } from "../../rehearsal/github/seeded/github.ts";
import { addRun } from "../../rehearsal/github/seeded/state.ts";

// node scripts/with-node24.mjs bench/bot/github-budget.ts
//
// Requests of the bot in an hour of polls, with 30 deployments of the last days and 5 runs that wait for approval. The
// GitHub on loopback answers conditional requests as GitHub does: a 304 is not counted.

const deployments = 30;
const waiting = 5;
const sha = "1a2b3c4d5e6f70819293a4b5c6d7e8f901234567";

const github = await startGitHub({ viewer: "sluice[bot]" });
const { state } = github;
for (let i = 0; i < deployments; i++) {
  const id = 7000 + i;
  state.rows.push({
    id,
    sha,
    ref: sha,
    task: "sluice",
    environment: i % 2 === 0 ? "mood-staging" : "mood-production",
    description: "",
    payload: { model: { id: "mood", version: `1.${i}.0`, sha256: "x" }, verdictSha256: "y" },
    transient_environment: false,
    production_environment: i % 2 === 1,
  });
  state.deployments[id] = [{ id: 1, state: "success", description: "live", log_url: "", environment_url: "" }];
}
addRun(state.workflows, { file: "gate.yml", name: "gate", conclusion: "success", sha });
for (let i = 0; i < waiting; i++)
  addRun(state.workflows, {
    file: "deploy.yml",
    title: `Deploy mood to production at ${sha}`,
    status: "waiting",
    sha,
    actor: "octo",
    event: "workflow_dispatch",
    pending: [{ id: 77 + i, name: "mood-production", reviewers: ["ana-gh"] }],
  });

const bot = botConfiguration.parse({
  schemaVersion: 1,
  repository: "octo/models",
  models: [{ id: "mood" }],
  environments: { staging: {}, production: { danger: true } },
  telegram: { users: [{ id: 11 }], chats: [-1001234567890] },
});
const store = new Store(":memory:", "a-key-for-the-measurement");
store.subscriptions.add({ chat: -1001234567890, topic: null, model: "all", event: "all" });
const client = new GitHub("ghp_standinbottoken0123456789abcdef", bot.repository, {
  apiUrl: github.url,
  fetch,
  log: (line) => {
    console.error(line);
  },
});
const log = { info: () => {}, warn: (event: string, fields: object = {}) => console.error(event, fields) };
const stop = new AbortController();
let passedMs = 0;
let firstPoll = 0;
const polls = Math.floor(3600 / bot.github.pollSeconds);
let done = 0;
await watchGitHub(
  {
    bot,
    store,
    github: client,
    verdicts: new Verdicts(client, bot),
    spaces: { fetch, timeoutMs: 1_000 },
    device: null,
    username: () => "sluice_bot",
    now: () => Date.now() + passedMs,
    log,
  },
  {
    signal: stop.signal,
    kick: () => {},
    sleep: async (ms) => {
      passedMs += ms;
      done += 1;
      if (done === 1) firstPoll = github.transcript.length;
      if (done === polls) stop.abort();
    },
  },
);
const all = github.transcript.length;
const counted = github.transcript.filter(({ notModified }) => !notModified).length;
const page = `# Requests of the bot to GitHub

Command: \`node scripts/with-node24.mjs bench/bot/github-budget.ts\`. ${new Date().toISOString().slice(0, 10)}; counts, the
same on every machine. One hour of polls (every ${bot.github.pollSeconds} s) with ${deployments} deployments and ${waiting} runs that wait for approval, in which
nothing changes.

| | requests |
| --- | --- |
| first poll | ${firstPoll} |
| in the hour, all | ${all} |
| in the hour, counted by GitHub (not answered with 304); goal ≤ 600 of the hourly 5,000 | ${counted} |
`;
writeFileSync(new URL("../results/github-budget.md", import.meta.url), page);
console.log(page);
store.close();
await github.close();
