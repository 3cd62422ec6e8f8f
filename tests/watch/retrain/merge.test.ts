import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Octokit } from "@octokit/rest";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { VerdictFile, VerdictWord } from "../../../eval/schema/verdict.ts";
import type { RepositoryApi } from "../../../github/api.ts";
import { createClient } from "../../../github/client.ts";
import { createExecutor } from "../../../rehearsal/executor/executor.ts";
import type { Executor } from "../../../rehearsal/executor/platform.ts";
import { GitHub } from "../../../rehearsal/github/github.ts";
import { createRepository, pushTo } from "../../../rehearsal/github/stories.ts";
import { mergeWhenPassed, type MergeRequest } from "../../../watch/retrain/merge.ts";
import { propose } from "../../../watch/retrain/propose.ts";

vi.setConfig({ testTimeout: 60_000 });
const directory = mkdtempSync(join(tmpdir(), "sluice-merge-"));
let github: GitHub;
let executor: Executor;
let api: RepositoryApi;
const owner = "octo";
/** With a required check, and without one. */
const [guarded, open] = ["models", "open"];

/** Uploads the verdict that the candidate itself carries, and ends as it says. */
const gate = `name: gate
on: { push: { branches: [main] }, workflow_dispatch: {} }
permissions: {}
jobs:
  gate:
    runs-on: ubuntu-24.04
    timeout-minutes: 1
    permissions: { contents: read }
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with: { persist-credentials: false }
      - uses: actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0
        with: { name: sluice-gate-cpu-0, path: verdict.json }
      - run: test ! -f red
`;
const verdictOf = (word: VerdictWord, id = "linear"): string => {
  const file: VerdictFile = {
    schemaVersion: 1,
    verdict: word,
    reason: "",
    commit: null,
    sluiceVersion: "0",
    createdAt: "2026-11-21T08:00:00.000Z",
    models: [
      {
        model: { id, version: "1.1.0", task: "regression", sha256: "" },
        baseline: null,
        baselineSource: "",
        dataset: null,
        verdict: word,
        reason: "",
        checks: [],
        notes: [],
        policySource: "",
        policyChanges: [],
      },
    ],
  };
  return JSON.stringify(file);
};

beforeAll(async () => {
  github = await GitHub.start({ people: ["octo", "ada"] });
  executor = await createExecutor(github, { directory: join(directory, "runner") });
  github.attach(executor);
  for (const repo of [guarded, open]) {
    await createRepository(github, `${owner}/${repo}`, {
      files: { ".github/workflows/gate.yml": gate, "verdict.json": verdictOf("PASS") },
      ...(repo === guarded ? { requiredChecks: ["gate"] } : {}),
    });
    await github.addCollaborator(`${owner}/${repo}`, "ada", "write");
  }
  const octokit = createClient({
    token: github.tokenOf("ada"),
    apiUrl: github.apiUrl,
    userAgent: "test",
    fetch,
    log: () => {},
    limits: null,
  });
  api = { octokit, owner, repo: guarded };
}, 60_000);
afterAll(async () => {
  await executor.close();
  await github.close();
  rmSync(directory, { recursive: true, force: true });
}, 60_000);

/** Puts a candidate on its branch and opens its pull request; resolves when its gate has ended. */
async function proposed(model: string, files: Record<string, string>, repo = guarded): Promise<number> {
  const { data } = await api.octokit.rest.git.getRef({ owner, repo, ref: "heads/main" });
  const outcome = await propose(
    { ...api, repo },
    {
      outcome: {
        schemaVersion: 1,
        model,
        result: "candidate",
        folder: "",
        from: "1.0.0",
        version: "1.1.0",
        seconds: 1,
        peakMemoryMb: null,
        data: [],
        testRows: 9,
        files: Object.keys(files),
      },
      files: new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)])),
      reason: "",
      watchReport: null,
      base: { branch: "main", sha: data.object.sha },
      runUrl: null,
      gate: "gate.yml",
    },
  );
  await github.settled();
  return outcome.pull!;
}
const merge = (model: string, own: Partial<MergeRequest> = {}, repo = guarded) => {
  let now = 0;
  return mergeWhenPassed(
    { ...api, repo },
    { model, policy: "pass", base: "main", gate: "gate.yml", artifact: "sluice-gate", isApp: true, ...own },
    { now: () => now, sleep: (ms) => Promise.resolve(void (now += ms)), waitMs: 60_000 },
  );
};
const isMerged = async (pull_number: number, repo = guarded) =>
  (
    await new Octokit({ auth: github.tokenOf("ada"), baseUrl: github.apiUrl }).rest.pulls.get({
      owner,
      repo,
      pull_number,
    })
  ).data.merged;

it("merges nothing unless it is configured", async () => {
  const pull = await proposed("linear", { "verdict.json": verdictOf("PASS"), a: "1" });
  expect(await merge("linear", { policy: "never" })).toMatchObject({ result: "not-configured" });
  expect(await isMerged(pull)).toBe(false);
});

it("merges a PASS on a branch that requires a check, once", async () => {
  const before = executor.runs.length;
  const merged = await merge("linear");
  expect(merged).toMatchObject({ result: "merged" });
  await github.settled();
  const { data } = await api.octokit.rest.git.getRef({ owner, repo: guarded, ref: "heads/main" });
  expect(data.object.sha).toBe(merged.sha);
  // An App's, or a person's, merge starts the gate on main by itself.
  expect(executor.runs.slice(before).map(({ event }) => event)).toEqual(["push"]);
  expect((await merge("linear")).words).toBe("Not merged: no pull request from retrain/linear is open");
});

it.each<[why: string, files: Record<string, string>, words: RegExp]>([
  ["is FAIL although the run is green", { "verdict.json": verdictOf("FAIL") }, /the verdict is FAIL$/],
  ["is INCONCLUSIVE", { "verdict.json": verdictOf("INCONCLUSIVE") }, /the verdict is INCONCLUSIVE$/],
  ["is of another model", { "verdict.json": verdictOf("PASS", "other") }, /left no verdict on m\d+$/],
  ["cannot be read", { "verdict.json": "{}" }, /the verdict is ERROR$/],
  ["is PASS and the run is red", { "verdict.json": verdictOf("PASS"), red: "" }, /gate\.yml ended with failure$/],
])("does not merge where the verdict %s", async (why, files, words) => {
  const model = `m${why.length}`;
  const text: Record<string, string> = { ...files, why };
  if (text["verdict.json"] !== "{}" && !words.source.includes("left no verdict"))
    text["verdict.json"] = text["verdict.json"]!.replace('"linear"', `"${model}"`);
  const pull = await proposed(model, text);
  const outcome = await merge(model);
  expect(outcome).toMatchObject({ result: "refused", sha: null });
  expect(outcome.words).toMatch(words);
  expect(await isMerged(pull)).toBe(false);
});

it("does not merge into a branch that requires nothing", async () => {
  const pull = await proposed("linear", { "verdict.json": verdictOf("PASS"), a: "1" }, open);
  expect((await merge("linear", {}, open)).words).toMatch(/main requires no check/);
  expect(await isMerged(pull, open)).toBe(false);
});

it("does not merge a person's commit, into another base, or before the gate has ended", async () => {
  const pull = await proposed("later", { "verdict.json": verdictOf("PASS", "later"), b: "1" });
  expect((await merge("later", { base: "release" })).words).toMatch(/leads into main, not release/);
  expect((await merge("later", { gate: "gate.yml", artifact: "other" })).words).toMatch(/left no verdict on later/);
  await pushTo(github, {
    repository: `${owner}/${guarded}`,
    branch: "retrain/later",
    files: { "note.txt": "mine" },
    message: "Mine",
    by: "ada",
  });
  await github.settled();
  expect((await merge("later")).words).toMatch(/has a commit that no training made/);
  expect(await isMerged(pull)).toBe(false);
});

it("waits for the gate, but not for ever", async () => {
  await pushTo(github, {
    repository: `${owner}/${guarded}`,
    branch: "retrain/slow",
    files: { c: "1" },
    message: `Retrain slow: 1.1.0\n\nSluice-Retrain: ${"0".repeat(64)}`,
    by: "ada",
  });
  await api.octokit.rest.pulls.create({ owner, repo: guarded, head: "retrain/slow", base: "main", title: "x" });
  expect((await merge("slow")).words).toMatch(/gate\.yml has not ended on [0-9a-f]{7}$/);
});

it("GitHub's own refusal is said: a head that has moved is not merged", async () => {
  const pull = await proposed("moved", { "verdict.json": verdictOf("PASS", "moved"), d: "1" });
  const restore = github.fail({
    method: "PUT",
    path: /\/merge$/,
    does: { kind: "answer", status: 409, message: "Head branch was modified. Review and try the merge again." },
  });
  const { words } = await merge("moved");
  restore();
  expect(words).toMatch(/GitHub refuses: Head branch was modified/);
  expect(await isMerged(pull)).toBe(false);
});

it("after a merge by a job's own token, the gate is started on the base", async () => {
  const before = executor.runs.length;
  expect(await merge("moved", { isApp: false })).toMatchObject({ result: "merged" });
  await github.settled();
  expect(executor.runs.slice(before).map(({ event }) => event)).toContain("workflow_dispatch");
});
