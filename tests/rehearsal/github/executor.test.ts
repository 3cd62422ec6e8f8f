import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Octokit } from "@octokit/rest";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Executor } from "../../../rehearsal/executor/platform.ts";
import { createExecutor } from "../../../rehearsal/executor/executor.ts";
import { GitHub } from "../../../rehearsal/github/github.ts";
import { createRepository, mergePullRequest, openPullRequest, pushTo } from "../../../rehearsal/github/stories.ts";

const name = "octo/models";
const where = { owner: "octo", repo: "models" };
const gate = `
name: gate
on: { pull_request: null, push: { branches: [main] } }
permissions: {}
jobs:
  gate:
    runs-on: ubuntu-24.04
    permissions: { statuses: write }
    steps:
      - env: { TOKEN: "\${{ github.token }}" }
        run: |
          curl -sf -X POST -H "authorization: Bearer $TOKEN" -d '{"state":"success","context":"from a job"}' "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/statuses/$GITHUB_SHA" > /dev/null
          curl -s -o /dev/null -w '%{http_code}' -H "authorization: Bearer $TOKEN" "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/contents/model.txt"
`;
const deploy = `
name: deploy
on: { workflow_run: { workflows: [gate], types: [completed], branches: [main] } }
jobs:
  deploy:
    if: github.event.workflow_run.conclusion == 'success'
    runs-on: ubuntu-24.04
    environment: production
    steps:
      - run: echo "\${{ vars.STAGE }} \${{ secrets.KEY }} \${{ github.event.workflow_run.head_sha }}"
`;

let github: GitHub;
let executor: Executor;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "rehearsal-executor-"));
  github = await GitHub.start({ people: ["octo", "ada"] });
  executor = await createExecutor(github, { directory });
  github.attach(executor);
}, 60_000);
afterAll(async () => {
  await executor.close();
  await github.close();
  await rm(directory, { recursive: true, force: true });
}, 60_000);

it("plays a pull request to its merge, and what follows on main to its approved deployment", async () => {
  await createRepository(github, name, {
    files: { "model.txt": "one\n", ".github/workflows/gate.yml": gate, ".github/workflows/deploy.yml": deploy },
    requiredChecks: ["gate"],
  });
  await github.addCollaborator(name, "ada", "write");
  github.createEnvironment(name, "production", { reviewers: ["ada"] });
  github.setVariable(name, "STAGE", "live", "production");
  github.setSecret(name, "KEY", "very-secret-value", "production");
  await pushTo(github, {
    repository: name,
    branch: "mood",
    files: { "model.txt": "two\n" },
    message: "Improve mood",
    by: "ada",
  });
  const number = await openPullRequest(github, { repository: name, head: "mood", title: "Improve mood", by: "ada" });
  await github.settled();
  const [first] = executor.runs;
  expect(first?.jobs.map((job) => [job.name, job.conclusion])).toEqual([["gate", "success"]]);
  // The job's token was not granted contents.
  expect(first?.jobs[0]?.log).toContain("403");

  const merged = await mergePullRequest(github, name, number, "ada");
  await github.settled();
  const ada = new Octokit({ auth: github.tokenOf("ada"), baseUrl: github.apiUrl }).rest;
  const { data: runs } = await ada.actions.listWorkflowRuns({ ...where, workflow_id: "deploy.yml" });
  expect(runs.workflow_runs).toMatchObject([{ event: "workflow_run", status: "waiting", head_sha: merged }]);
  const run = runs.workflow_runs[0]?.id ?? 0;
  const { data: pending } = await ada.actions.getPendingDeploymentsForRun({ ...where, run_id: run });
  expect((await ada.repos.listDeployments(where)).data).toMatchObject([{ environment: "production", sha: merged }]);
  await ada.actions.reviewPendingDeploymentsForRun({
    ...where,
    run_id: run,
    environment_ids: pending.map(({ environment }) => environment.id ?? 0),
    state: "approved",
    comment: "go",
  });
  await github.settled();
  expect((await ada.actions.getWorkflowRun({ ...where, run_id: run })).data.conclusion).toBe("success");
  const log = executor.runs.find(({ id }) => id === run)?.jobs[0]?.log;
  expect(log).toContain(`live *** ${merged}`);
  const { data: deployments } = await ada.repos.listDeployments(where);
  expect(
    (await ada.repos.listDeploymentStatuses({ ...where, deployment_id: deployments[0]?.id ?? 0 })).data.map(
      ({ state }) => state,
    ),
  ).toEqual(["success", "in_progress", "queued", "waiting"]);
  expect(github.violations()).toEqual([]);
});
