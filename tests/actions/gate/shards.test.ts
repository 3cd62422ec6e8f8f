import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ModelVerdict, VerdictFile, VerdictWord } from "../../../eval/schema/verdict.ts";
import { requireContract } from "../../../rehearsal/github/openapi.ts";
import { startGitHub, type SeededGitHub } from "../../../rehearsal/github/seeded/github.ts";
import { pullRequest } from "./repository.ts";
import { runStep, unpackAction, type UnpackedAction } from "./runner.ts";

const sha = "a".repeat(40);
let action: UnpackedAction;
let github: SeededGitHub;
let workspace: string;

beforeAll(async () => {
  action = await unpackAction({ native: false });
});
afterAll(() => {
  action.remove();
});
beforeEach(async () => {
  github = await startGitHub({
    pulls: [
      { number: 12, head: "mallory:topic", headSha: sha },
      { number: 11, head: "mallory:topic", headSha: "b".repeat(40) },
    ],
  });
  workspace = mkdtempSync(join(tmpdir(), "sluice-shards-"));
  mkdirSync(join(workspace, "shards"));
});
afterEach(async () => {
  const { transcript } = github;
  await github.close();
  rmSync(workspace, { recursive: true, force: true });
  requireContract(transcript);
});

function modelVerdict(id: string, verdict: VerdictWord, reason: string): ModelVerdict {
  return {
    model: { id, version: "1.0.0", task: "regression", sha256: "c".repeat(64) },
    baseline: null,
    baselineSource: "none",
    dataset: null,
    verdict,
    reason,
    checks: [],
    notes: [],
    policySource: "model.yaml",
    policyChanges: [],
  };
}

function shard(
  name: string,
  id: string,
  verdict: VerdictWord = "PASS",
  reason = "all checks pass",
  more: Partial<VerdictFile> = {},
) {
  const file: VerdictFile = {
    schemaVersion: 1,
    verdict,
    reason,
    commit: sha,
    sluiceVersion: "0.1.0",
    createdAt: "2026-11-21T08:00:00.000Z",
    models: [modelVerdict(id, verdict, reason)],
    ...more,
  };
  mkdirSync(join(workspace, "shards", name), { recursive: true });
  writeFileSync(join(workspace, "shards", name, "verdict.json"), JSON.stringify(file));
}

const onPullRequest = pullRequest({ base: sha, head: sha });
const onWorkflowRun = {
  name: "workflow_run",
  payload: {
    workflow_run: {
      event: "pull_request",
      head_sha: sha,
      head_branch: "topic",
      head_repository: { owner: { login: "mallory" } },
    },
  },
};
const report = (event: { name: string; payload: unknown }, inputs: Record<string, string> = {}) =>
  runStep({ action, entry: "report", workspace, event, sha, apiUrl: github.url, inputs: { token: "t", ...inputs } });

describe("one verdict from all shards", () => {
  it("PASS when every expected shard and model passed; one comment", async () => {
    shard("s0", "births");
    shard("s1", "mood");
    const run = await report(onPullRequest, { shards: "2", models: '["models/births","models/mood"]' });
    expect([run.code, run.outputs["verdict"]]).toEqual([0, "PASS"]);
    expect(github.state.comments.map(({ issue }) => issue)).toEqual([7]);
    // Later steps, such as the card, read one file.
    const merged = JSON.parse(readFileSync(join(workspace, "shards/verdict.json"), "utf8")) as VerdictFile;
    expect([merged.verdict, merged.models.map(({ model }) => model.id)]).toEqual(["PASS", ["births", "mood"]]);
  });

  it("says a single model's own reason, and how to do the same again", async () => {
    const reproduce = { command: "gate" as const, flags: ["--seed", "7"] };
    shard("s0", "births", "FAIL", "auroc fell by 0.1", { reproduce });
    const run = await report(onPullRequest, { shards: "1" });
    expect(run.outputs["result"]).toContain("auroc fell by 0.1");
    expect(github.state.comments[0]?.body).toContain("npx sluice gate births --baseline none --seed 7");
    expect(github.state.comments[0]?.body).not.toContain("of 1 models");
    const merged = JSON.parse(readFileSync(join(workspace, "shards/verdict.json"), "utf8")) as VerdictFile;
    expect(merged).toMatchObject({ reason: "auroc fell by 0.1", reproduce });
  });

  it("names no command where the shards were judged in different ways", async () => {
    shard("s0", "births", "PASS", "all good", { reproduce: { command: "gate", flags: ["--seed", "7"] } });
    shard("s1", "mood", "PASS", "all good", { reproduce: { command: "gate", flags: ["--seed", "8"] } });
    const run = await report(onPullRequest, { shards: "2" });
    expect(run.outputs["result"]).toContain("all 2 models pass");
    expect(run.summary).not.toContain("--seed");
  });

  it("takes the files of a single shard from the folder itself, where the download puts them", async () => {
    shard(".", "births");
    mkdirSync(join(workspace, "shards/profiles"));
    const run = await report(onPullRequest, { shards: "1", models: "births" });
    expect([run.code, run.outputs["verdict"]]).toEqual([0, "PASS"]);
  });

  it("tells the same model on two machines apart", async () => {
    shard("sluice-gate-cpu-0", "births");
    shard("sluice-gate-gpu-1", "births", "INCONCLUSIVE", "too few rows");
    const run = await report(onPullRequest, { shards: "2", models: "births" });
    expect([run.code, run.outputs["verdict"]]).toEqual([3, "INCONCLUSIVE"]);
    expect(run.summary).toContain("sluice-gate-gpu-1");
  });

  it("otherwise the worst of them", async () => {
    shard("s0", "births");
    shard("s1", "mood", "FAIL", "auroc fell");
    const run = await report(onPullRequest, { shards: "2" });
    expect([run.code, run.outputs["verdict"]]).toEqual([1, "FAIL"]);
  });

  it.each([
    ["a shard is missing", { shards: "2" }, "1 of 2 shards reported"],
    ["a model is missing", { models: "births mood" }, "no verdict for mood"],
  ])("ERROR when %s", async (_name, inputs, words) => {
    shard("s0", "births");
    const run = await report(onPullRequest, inputs);
    expect([run.code, run.outputs["verdict"]]).toEqual([4, "ERROR"]);
    expect(run.outputs["result"]).toContain(words);
  });

  it("ERROR when there is none", async () => {
    const run = await report(onPullRequest);
    expect([run.code, run.outputs["verdict"]]).toEqual([4, "ERROR"]);
  });
});

describe("publishing for a fork, from files that a stranger wrote", () => {
  it("comments on the open pull request with the event's branch and commit, and makes text inert", async () => {
    shard("s0", "births", "FAIL", "<img src=x> @octocat [click](https://evil.example) -->");
    const run = await report(onWorkflowRun, { "fail-on": "nothing" });
    expect(run.code).toBe(0);
    expect(github.state.comments.map(({ issue }) => issue)).toEqual([12]);
    const body = github.state.comments[0]?.body ?? "";
    expect(body).not.toMatch(/<img|[^\w]@octocat|\]\(https:\/\/evil/);
  });

  it.each([
    ["its workflows", ".github/workflows", {}],
    ["a folder that the workflow names", "ci", { evaluator: "./ci/, .github/actions" }],
  ])("shows nothing of a run whose pull request changes %s", async (_name, path, inputs) => {
    const before = "d".repeat(40);
    const side = (commit: string, mark: string) => ({
      [commit]: { ".github": `a${mark}`, ci: `b${mark}`, models: `c${mark}` },
      [`a${mark}`]: { workflows: `d${mark}`, ISSUE_TEMPLATE: `e${mark}`, actions: "same" },
    });
    Object.assign(github.state, {
      pulls: [{ number: 12, head: "mallory:topic", headSha: sha, baseSha: "e".repeat(40) }],
      mergeBases: { [`${"e".repeat(40)}...${sha}`]: before },
      trees: { ...side(before, "1"), ...side(sha, "2") },
    });
    shard("s0", "births", "PASS", "splendid");
    const run = await report(onWorkflowRun, { "fail-on": "nothing", ...inputs });
    expect([run.code, run.outputs["verdict"], run.outputs["pull-request"]]).toEqual([0, "ERROR", "12"]);
    expect(github.state.comments.map(({ body }) => body).join("\n")).toContain(
      `the pull request changes ${path}, by which it was evaluated`,
    );
    for (const text of [
      github.state.comments[0]?.body,
      run.summary,
      run.log,
      readFileSync(join(workspace, "shards/verdict.json"), "utf8"),
    ])
      expect(text).not.toMatch(/splendid|births|PASS/);
  });

  it("shows nothing where GitHub does not say what the pull request changes", async () => {
    github.state.faults.push({
      method: "GET",
      path: /\/git\/trees\//,
      times: 9,
      does: { kind: "answer", status: 403, message: "Resource not accessible by integration" },
    });
    shard("s0", "births");
    const run = await report(onWorkflowRun, { "fail-on": "nothing" });
    expect([run.code, run.outputs["pull-request"], github.state.comments]).toEqual([4, undefined, []]);
  });

  it("says so when no open pull request has that commit", async () => {
    github.state.pulls = [];
    shard("s0", "births");
    const run = await report(onWorkflowRun, { "fail-on": "nothing" });
    expect(run.outputs["result"]).toContain("no open pull request has this commit any more");
    expect(github.state.comments).toEqual([]);
  });

  it.each([
    [
      "fields that no gate writes",
      (path: string) => {
        writeFileSync(path, JSON.stringify({ schemaVersion: 1, verdict: "PASS", injected: true }));
      },
      "the published JSON Schema",
    ],
    [
      "more bytes than any gate writes",
      (path: string) => {
        writeFileSync(path, " ".repeat(4_000_001));
      },
      "4000001 bytes",
    ],
    [
      "a symbolic link",
      (path: string) => {
        symlinkSync("/etc/passwd", path);
      },
      "not a plain file",
    ],
    [
      "text that is not JSON",
      (path: string) => {
        writeFileSync(path, "PASS");
      },
      "not JSON",
    ],
  ])("refuses %s", async (_name, write, words) => {
    mkdirSync(join(workspace, "shards/s0"));
    write(join(workspace, "shards/s0/verdict.json"));
    const run = await report(onWorkflowRun);
    expect([run.code, run.outputs["verdict"]]).toEqual([4, "ERROR"]);
    expect(run.log).toContain(words);
  });

  it("writes the merged verdict beside a stranger's files, never through a stranger's link", async () => {
    const victim = join(workspace, "victim.js");
    writeFileSync(victim, "trusted");
    symlinkSync(victim, join(workspace, "shards/verdict.json"));
    const run = await report(onWorkflowRun, { "fail-on": "nothing" });
    expect(run.outputs["verdict"]).toBe("ERROR");
    expect(readFileSync(victim, "utf8")).toBe("trusted");
    expect(JSON.parse(readFileSync(join(workspace, "shards/verdict.json"), "utf8"))).toMatchObject({
      verdict: "ERROR",
      models: [],
    });
  });
});
