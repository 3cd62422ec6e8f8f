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

it("raises edited when a pull request is pointed at another base, with what it was before", async () => {
  const repository = "octo/retargets";
  const workflow = `
name: look
on: { pull_request: { types: [edited] } }
jobs:
  look:
    runs-on: ubuntu-24.04
    steps:
      - run: echo "was \${{ github.event.changes.base.ref.from }}, is \${{ github.event.pull_request.base.ref }}"
`;
  await createRepository(github, repository, { files: { ".github/workflows/look.yml": workflow } });
  await pushTo(github, { repository, branch: "lax", files: { "lax.txt": "1\n" }, message: "Lax", by: "octo" });
  await pushTo(github, { repository, branch: "topic", files: { "a.txt": "1\n" }, message: "Topic", by: "octo" });
  const number = await openPullRequest(github, { repository, head: "topic", base: "lax", title: "Topic", by: "octo" });
  const octo = new Octokit({ auth: github.tokenOf("octo"), baseUrl: github.apiUrl }).rest;
  await octo.pulls.update({ owner: "octo", repo: "retargets", pull_number: number, base: "main" });
  await octo.pulls.update({ owner: "octo", repo: "retargets", pull_number: number, title: "Another title" });
  await github.settled();
  const logs = executor.runs.filter((run) => run.repository === repository).map((run) => run.jobs[0]?.log ?? "");
  expect(logs.length).toBe(2);
  expect(logs[0]).toContain("was lax, is main");
  expect(logs[1]).toContain("was , is main");
});

it("lets no job check out another repository that is private, unless somebody's token can see it", async () => {
  const repository = "octo/uses-private";
  const workflow = (token: string) => `
name: use
on: { push: { branches: [main] } }
jobs:
  use:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with: { repository: octo/private, path: theirs${token} }
      - run: cat theirs/secret.txt
`;
  await createRepository(github, "octo/private", { files: { "secret.txt": "what is inside\n" }, private: true });
  await createRepository(github, repository, { files: { "a.txt": "" } });
  const push = (text: string) =>
    pushTo(github, {
      repository,
      branch: "main",
      files: { ".github/workflows/use.yml": text },
      message: "Use it",
      by: "octo",
    });
  await push(workflow(""));
  await github.settled();
  github.setSecret(repository, "SLUICE_TOKEN", github.tokenOf("octo"));
  await push(workflow(', token: "${{ secrets.SLUICE_TOKEN }}"'));
  await github.settled();
  const jobs = executor.runs.filter((run) => run.repository === repository).map((run) => run.jobs[0]);
  expect(jobs.map((job) => job?.conclusion)).toEqual(["failure", "success"]);
  expect(jobs[0]?.log).toContain("Not Found: the repository octo/private");
  expect(jobs[1]?.log).toContain("what is inside");
});
