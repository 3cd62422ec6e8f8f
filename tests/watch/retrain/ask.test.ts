import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Octokit } from "@octokit/rest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClient } from "../../../github/client.ts";
import { createExecutor } from "../../../rehearsal/executor/executor.ts";
import type { Executor } from "../../../rehearsal/executor/platform.ts";
import { GitHub } from "../../../rehearsal/github/github.ts";
import { createRepository } from "../../../rehearsal/github/stories.ts";
import { watchCheck } from "../../../watch/checks/check.ts";
import { emptyState } from "../../../watch/live/state.ts";
import { askToRetrain, dueTraining, withAsked, type RetrainRequest } from "../../../watch/retrain/ask.ts";
import type { WatchState } from "../../../watch/schema/state.ts";
import type { WatchCheck, WatchedModel } from "../../../watch/schema/verdict.ts";
import { runWatch } from "../../../watch/watch.ts";
import { watchPolicy } from "../../../models/core/manifest/watch.ts";
import { folderWith } from "../../eval/dataset/build.ts";
import { gatedModel, riskRows, served } from "../live-model.ts";

const check = (id: string, group: WatchCheck["group"], own: Partial<WatchCheck> = {}): WatchCheck =>
  watchCheck({
    id,
    metric: "psi",
    group,
    kind: "limit",
    observed: 0.4,
    direction: "lower",
    n: 900,
    verdict: "FAIL",
    reason: "drift",
    advisory: false,
    ...own,
  });
const failing = (...checks: WatchCheck[]): WatchedModel => ({
  model: { id: "risk", version: "1.0.0", sha256: "" },
  url: [],
  profile: null,
  window: null,
  labels: [],
  events: [],
  verdict: "FAIL",
  reason: "",
  checks,
  figures: [],
  distributions: [],
  notes: [],
});
const known: WatchState = { schemaVersion: 1, models: { risk: { profileSha256: "p", instances: [], days: [] } } };
const at = (day: number) => new Date(Date.UTC(2026, 0, day));

describe("what a training is asked for", () => {
  it("drift of the answers and broken figures; not what is wrong with the input, or only informs", () => {
    const broken = [check("psi/score", "answers"), check("accuracy", "performance")];
    expect(dueTraining(failing(...broken), known, at(1))?.asked.checks).toEqual(["accuracy", "psi/score"]);
    expect(dueTraining(failing(check("missing", "quality")), known, at(1))).toBeNull();
    expect(dueTraining(failing(check("psi/a", "features", { advisory: true })), known, at(1))).toBeNull();
    expect(dueTraining(failing(check("a", "performance", { advisory: true })), known, at(1))).toBeNull();
    expect(dueTraining({ ...failing(...broken), verdict: "ERROR" }, known, at(1))).toBeNull();
    expect(dueTraining(failing(...broken), emptyState(), at(1))).not.toBeNull();
  });

  it("once; again after a week, for another check, or when it had held in between", () => {
    const drift = failing(check("psi/score", "answers"));
    const state = withAsked(known, "risk", dueTraining(drift, known, at(1))!.asked);
    expect(dueTraining(drift, state, at(7))).toBeNull();
    expect(dueTraining(drift, state, at(8))).not.toBeNull();
    expect(dueTraining(failing(check("accuracy", "performance")), state, at(2))).not.toBeNull();
    expect(dueTraining(drift, withAsked(state, "risk", null), at(2))).not.toBeNull();
    expect(withAsked(known, "other", null)).toBe(known);
  });

  it("in one line that is cut", () => {
    const due = dueTraining(failing(check("psi/score", "answers", { reason: "x".repeat(900) })), known, at(1));
    expect(due!.reason.length).toBeLessThanOrEqual(500);
    expect(due!.reason).toMatch(/^watch of risk 1\.0\.0: psi: xxx/);
  });
});

it("the watch of a real server asks once, keeps that, and says what it could not start", async () => {
  const { dir } = await gatedModel();
  const server = await served(dir);
  await server.ask(riskRows(3000, 4, { scoreShift: 2.5 }));
  const folder = folderWith({});
  const notes: string[] = [];
  const asked: RetrainRequest[] = [];
  const look = async (trains: boolean, retrain: (request: RetrainRequest) => Promise<void>) =>
    runWatch(
      {
        targets: [{ model: "risk", origins: [server.url], gates: null, policy: watchPolicy(), trains }],
        out: join(folder, "out"),
        state: join(folder, "state.json"),
      },
      { fetch, now: () => new Date(), onNote: (text) => notes.push(text), retrain },
    );
  const take = async (request: RetrainRequest) => void asked.push(request);
  expect((await look(false, take)).verdict.verdict).toBe("FAIL");
  expect(notes.splice(0)).toEqual([expect.stringContaining("has no `train`")]);
  await look(true, () => Promise.reject(new Error("Resource not accessible by integration")));
  expect(notes.splice(0)).toEqual([expect.stringContaining("could not be started: Resource not accessible")]);
  await look(true, take);
  await look(true, take);
  expect(asked).toHaveLength(1);
  expect(asked[0]!.report).toContain("## ❌ Watch: FAIL");
  expect(JSON.parse(readFileSync(join(folder, "state.json"), "utf8")).models.risk.asked.checks).toEqual([
    "psi[risk.label]",
    "psi[risk.score]",
  ]);
});

describe("on GitHub", () => {
  const name = "octo/models";
  const directory = mkdtempSync(join(tmpdir(), "sluice-ask-"));
  let github: GitHub;
  let executor: Executor;
  const listens = `name: retrain
on: { repository_dispatch: { types: [sluice-retrain] } }
permissions: {}
jobs:
  train:
    runs-on: ubuntu-24.04
    timeout-minutes: 1
    env: { MODEL: "\${{ github.event.client_payload.model }}" }
    steps: [{ run: 'echo "trains $MODEL"' }]
`;
  /** A job with this permission that prints its token, so that the test can use it as the action would. */
  const job = (permission: string) => `name: watch
on: { workflow_dispatch: {} }
permissions: {}
jobs:
  watch:
    runs-on: ubuntu-24.04
    timeout-minutes: 1
    permissions: { contents: ${permission} }
    env: { TOKEN: "\${{ github.token }}", API: "\${{ github.api_url }}" }
    steps:
      - run: >-
          curl -sS -o answer.txt -w '%{http_code}' -X POST -H "authorization: Bearer $TOKEN"
          "$API/repos/${name}/dispatches" -d '{"event_type":"sluice-retrain","client_payload":{"model":"risk"}}'
          && cat answer.txt
`;
  beforeAll(async () => {
    github = await GitHub.start({ people: ["octo", "ada"] });
    executor = await createExecutor(github, { directory: join(directory, "runner") });
    github.attach(executor);
    await createRepository(github, name, {
      files: {
        ".github/workflows/retrain.yml": listens,
        ".github/workflows/may.yml": job("write"),
        ".github/workflows/may-not.yml": job("read"),
      },
    });
    await github.addCollaborator(name, "ada", "write");
  }, 60_000);
  afterAll(async () => {
    await executor.close();
    await github.close();
    rmSync(directory, { recursive: true, force: true });
  }, 60_000);
  const trainings = () => executor.runs.filter(({ workflowFile }) => workflowFile === "retrain.yml");

  it("a job's own token starts the training, if it may write contents", async () => {
    const { rest } = new Octokit({ auth: github.tokenOf("ada"), baseUrl: github.apiUrl });
    const started = async (file: string) => {
      await rest.actions.createWorkflowDispatch({ owner: "octo", repo: "models", workflow_id: file, ref: "main" });
      await github.settled();
      return executor.runs.filter(({ workflowFile }) => workflowFile === file).at(-1)!.jobs[0]!.log;
    };
    expect(await started("may-not.yml")).toContain("403");
    expect(trainings()).toHaveLength(0);
    expect(await started("may.yml")).toContain("204");
    expect(trainings().map(({ event, conclusion }) => [event, conclusion])).toEqual([
      ["repository_dispatch", "success"],
    ]);
  });

  it("the request carries model, reason and a report that is cut to what GitHub takes", async () => {
    const octokit = createClient({
      token: github.tokenOf("ada"),
      apiUrl: github.apiUrl,
      userAgent: "test",
      fetch,
      log: () => {},
      limits: null,
    });
    const report = "y".repeat(100_000);
    await askToRetrain({ octokit, owner: "octo", repo: "models" }, { model: "risk", reason: "why", report });
    await github.settled();
    expect(trainings()).toHaveLength(2);
    expect(trainings().at(-1)!.jobs[0]!.log).toContain("trains risk");
    expect(github.violations()).toEqual([]);
  });
});
