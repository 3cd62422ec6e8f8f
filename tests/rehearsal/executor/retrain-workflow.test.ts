import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Octokit } from "@octokit/rest";
import { stringify } from "yaml";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { createExecutor } from "../../../rehearsal/executor/executor.ts";
import type { Executor, RunRecord } from "../../../rehearsal/executor/platform.ts";
import { GitHub } from "../../../rehearsal/github/github.ts";
import { createRepository, pushTo } from "../../../rehearsal/github/stories.ts";
import { jsonLines, linearManifest, rows } from "../../cli/repository.ts";
import { fixture } from "../../models/core/build.ts";
import { root } from "../../spaces/server/harness.ts";
import { trainBlock, trainingRows, trainScript } from "../../watch/retrain/toy.ts";
import { conclusions, jobOf } from "./stage.ts";

/**
 * .github/workflows/retrain.yml as it is, with a real training, on a GitHub that refuses as the real one does. Only
 * `npm ci` of Sluice is short: the repository's scripts/sluice.mjs starts the command of this working tree.
 */
vi.setConfig({ testTimeout: 120_000 });
const name = "octo/models";
const where = { owner: "octo", repo: "models" };
const directory = mkdtempSync(join(tmpdir(), "sluice-retrain-workflow-"));
let github: GitHub;
let executor: Executor;
let ada: Octokit["rest"];

const node = JSON.stringify(join(root, "node_modules/node/bin/node"));
const gate = `name: gate
on: { pull_request: null, workflow_dispatch: null }
permissions: {}
jobs:
  gate: { runs-on: ubuntu-24.04, timeout-minutes: 1, permissions: {}, steps: [{ run: echo judged }] }
`;

beforeAll(async () => {
  github = await GitHub.start({ people: ["octo", "ada"] });
  executor = await createExecutor(github, { directory: join(directory, "runner") });
  github.attach(executor);
  await createRepository(github, name, {
    files: {
      ".github/workflows/retrain.yml": readFileSync(join(root, ".github/workflows/retrain.yml"), "utf8"),
      ".github/workflows/gate.yml": gate,
      "package.json": '{ "name": "small", "version": "1.0.0" }',
      "package-lock.json": '{ "name": "small", "version": "1.0.0", "lockfileVersion": 3, "packages": { "": {} } }',
      "scripts/sluice.mjs": `import { spawnSync } from "node:child_process";
process.exit(spawnSync(${node}, [${JSON.stringify(join(root, "cli.ts"))}, ...process.argv.slice(2)], { stdio: "inherit" }).status);\n`,
      "sluice.yaml": "schemaVersion: 1\nmodels: [models/linear]\n",
      "models/linear/model.yaml": stringify({ ...linearManifest(), train: trainBlock }),
      "models/linear/linear.onnx": Buffer.from(fixture("linear.onnx")),
      "models/linear/data/rows.jsonl": jsonLines(rows()),
      "models/linear/data/train.jsonl": jsonLines(trainingRows()),
      "models/linear/train/train.mjs": trainScript,
    },
  });
  await github.addCollaborator(name, "ada", "write");
  ada = new Octokit({ auth: github.tokenOf("ada"), baseUrl: github.apiUrl }).rest;
}, 120_000);
afterAll(async () => {
  await executor.close();
  await github.close();
  rmSync(directory, { recursive: true, force: true });
}, 60_000);

const logs = (run: RunRecord) => run.jobs.map(({ log }) => log).join("\n");
const runsOf = (file: string) => executor.runs.filter(({ workflowFile }) => workflowFile === file);
async function play(inputs: Record<string, string>): Promise<RunRecord> {
  const workflow = { ...where, workflow_id: "retrain.yml", ref: "main" };
  await ada.actions.createWorkflowDispatch({ ...workflow, inputs });
  await github.settled();
  return runsOf("retrain.yml").at(-1)!;
}
const pulls = async () => (await ada.pulls.list({ ...where, state: "all" })).data;

it("without the setting that lets Actions open pull requests, it says which setting, and the next run goes on", async () => {
  const refused = await play({ model: "linear", reason: "drift of the answers" });
  expect(conclusions(refused), logs(refused)).toMatchObject({ "train linear": "success", "propose linear": "failure" });
  expect(logs(refused)).toContain("Allow GitHub Actions to create and approve pull requests");
  expect(await pulls()).toEqual([]);

  github.allowActionsToOpenPulls(name);
  const run = await play({ model: "linear", reason: "drift of the answers" });
  expect(conclusions(run), logs(run)).toEqual({
    models: "success",
    "train linear": "success",
    "propose linear": "success",
  });
  // The candidate waited on its branch, so it was not trained twice.
  expect(jobOf(run, "train").log).toContain("nothing is new since its last training");
  expect(await pulls()).toMatchObject([{ title: "Retrain linear: 1.1.1", head: { ref: "retrain/linear" } }]);
});

it("the pull request's own event starts nothing, and the gate is dispatched once on its commit", async () => {
  const [pull] = await pulls();
  expect(runsOf("gate.yml").map(({ event, headSha, conclusion }) => [event, headSha, conclusion])).toEqual([
    ["workflow_dispatch", pull!.head.sha, "success"],
  ]);
  const { data } = await ada.repos.getCommit({ ...where, ref: pull!.head.sha });
  expect(data.files?.map(({ filename }) => filename).toSorted()).toEqual([
    "models/linear/linear.onnx",
    "models/linear/model.yaml",
    "models/linear/retrained.json",
    "models/linear/train/metrics.json",
  ]);
});

it("a second run changes nothing", async () => {
  const [before] = await pulls();
  await play({ model: "linear" });
  const after = await pulls();
  expect(after).toHaveLength(1);
  expect(after[0]).toMatchObject({ head: { sha: before!.head.sha }, body: before!.body, title: before!.title });
  expect(runsOf("gate.yml")).toHaveLength(1);
});

it("new data, told by the watch: the same branch and pull request, with another candidate, why, and its report", async () => {
  await pushTo(github, {
    repository: name,
    branch: "main",
    files: {
      "models/linear/data/train.jsonl": jsonLines(trainingRows().map((row) => ({ ...row, value: row.value + 1 }))),
    },
    message: "Later rows",
    by: "ada",
  });
  await github.settled();
  await ada.repos.createDispatchEvent({
    ...where,
    event_type: "sluice-retrain",
    client_payload: { model: "linear", reason: "answers drifted @everybody", report: "# Watch\nPSI 0.31" },
  });
  await github.settled();
  const run = runsOf("retrain.yml").at(-1)!;
  expect(conclusions(run), logs(run)).toMatchObject({ "train linear": "success", "propose linear": "success" });
  expect(run.event).toBe("repository_dispatch");
  const all = await pulls();
  expect(all).toHaveLength(1);
  expect(all[0]!.body).toContain("answers drifted");
  expect(all[0]!.body).toContain("PSI 0.31");
  expect(all[0]!.body).not.toContain("@everybody");
  expect(runsOf("gate.yml").map(({ headSha }) => headSha)).toHaveLength(2);
  expect(runsOf("gate.yml").at(-1)!.headSha).toBe(all[0]!.head.sha);
});

it("a pull request that a person closed stays closed until there is another candidate", async () => {
  const [pull] = await pulls();
  await ada.pulls.update({ ...where, pull_number: pull!.number, state: "closed" });
  const run = await play({ model: "linear" });
  expect(logs(run)).toContain(`#${pull!.number} with this candidate was closed`);
  expect(await pulls()).toHaveLength(1);
});

it("a person's commit on the branch is not overwritten", async () => {
  await pushTo(github, {
    repository: name,
    branch: "retrain/linear",
    files: { "note.txt": "mine" },
    message: "Mine",
    by: "ada",
  });
  const { data } = await ada.git.getRef({ ...where, ref: "heads/retrain/linear" });
  const run = await play({ model: "linear", again: "true" });
  expect(conclusions(run)).toMatchObject({ "propose linear": "failure" });
  expect(logs(run)).toContain("holds a commit that no training made");
  expect((await ada.git.getRef({ ...where, ref: "heads/retrain/linear" })).data.object.sha).toBe(data.object.sha);
});
