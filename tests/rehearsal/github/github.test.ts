import { Octokit } from "@octokit/rest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Permissions, RunRecord } from "../contract.ts";
import { FakeExecutor } from "./fake-executor.ts";
import { GitHub } from "./github.ts";
import { createRepository, fork, mergePullRequest, openPullRequest, pushTo } from "./stories.ts";

const name = "octo/models";
const where = { owner: "octo", repo: "models" };
const gateYaml = "name: gate\non: { pull_request: null, push: { branches: [main] } }\njobs: {}\n";
const deployYaml = "name: deploy\non:\n  workflow_dispatch:\n    inputs:\n      model: { type: string, required: true }\n      dry-run: { type: boolean, default: false }\njobs: {}\n";

let github: GitHub;
let executor: FakeExecutor;

beforeAll(async () => {
  github = await GitHub.start({ people: ["octo", "ada", "bob", "sluice-bot"] });
  executor = new FakeExecutor(github, (event) => (event.name === "workflow_run" ? [] : ["gate.yml"]));
  github.attach(executor);
  await createRepository(github, name, { files: { "model.txt": "one\n", ".github/workflows/gate.yml": gateYaml, ".github/workflows/deploy.yml": deployYaml }, requiredChecks: ["gate"] });
  await github.addCollaborator(name, "ada", "write");
  await github.addCollaborator(name, "sluice-bot", "write");
}, 60_000);

afterAll(async () => {
  await github.settled();
  expect(github.violations()).toEqual([]);
  await github.close();
}, 60_000);

const as = (auth: string) => new Octokit({ auth, baseUrl: github.apiUrl, log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} } });
const person = (login: string) => as(github.tokenOf(login));
const job = (permissions: Permissions, runId = 0) => as(github.issueToken({ repository: name, runId, jobId: 1, permissions }).token);
const refusal = (promise: Promise<unknown>) => promise.then(() => { throw new Error("it was allowed"); }, (error: { status: number; message: string }) => `${error.status} ${error.message.split(" - https")[0]}`);
const runFor = (sha: string): RunRecord => executor.runs.findLast((run) => run.headSha === sha && run.workflowFile === "gate.yml") as RunRecord;

async function gateEnds(sha: string, conclusion: "success" | "failure"): Promise<void> {
  const run = runFor(sha);
  executor.job(run, "gate", { status: "in_progress", startedAt: "2026-11-21T09:00:01Z" });
  executor.job(run, "gate", { status: "completed", conclusion, completedAt: "2026-11-21T09:00:02Z", annotations: [{ level: "failure", title: "gate", message: "worse", path: null, line: null }] });
  executor.end(run, conclusion);
  await github.settled();
}

describe("a pull request", () => {
  it("cannot be merged before its gate is green; a push changes the same one; the merge is real", async () => {
    const first = await pushTo(github, { repository: name, branch: "mood", files: { "model.txt": "two\n" }, message: "Improve mood", by: "ada" });
    const number = await openPullRequest(github, { repository: name, head: "mood", title: "Improve mood", by: "ada" });
    const event = executor.events.at(-1);
    expect(event).toMatchObject({ name: "pull_request", ref: `refs/pull/${number}/merge`, headSha: first, headBranch: "mood", baseRef: "main", payload: { action: "opened", pull_request: { number, head: { sha: first, repo: { fork: false } } } } });
    const { data: merge } = await person("ada").rest.git.getCommit({ ...where, commit_sha: event?.sha ?? "" });
    expect(merge.parents.map(({ sha }) => sha)).toContain(first);

    expect(await refusal(mergePullRequest(github, name, number, "ada"))).toContain('Required status check "gate" is expected.');
    await gateEnds(first, "failure");
    expect(await refusal(person("ada").rest.pulls.merge({ ...where, pull_number: number }))).toBe('405 Required status check "gate" is failing.');
    expect((await person("ada").rest.pulls.get({ ...where, pull_number: number })).data).toMatchObject({ mergeable: true, mergeable_state: "blocked", changed_files: 1, commits: 1 });

    const second = await pushTo(github, { repository: name, branch: "mood", files: { "model.txt": "three\n" }, message: "Fix", by: "ada" });
    expect(executor.events.at(-1)).toMatchObject({ name: "pull_request", headSha: second, payload: { action: "synchronize", before: first, after: second } });
    expect(await refusal(mergePullRequest(github, name, number, "ada"))).toContain("expected");
    await gateEnds(second, "success");
    const { data: checks } = await person("ada").rest.checks.listForRef({ ...where, ref: second });
    expect(checks.check_runs.map((run) => [run.name, run.conclusion, run.head_sha, run.output.annotations_count])).toEqual([["gate", "success", second, 1]]);
    const found = await job({ "pull-requests": "read" }).rest.pulls.list({ ...where, head: "octo:mood", state: "open" });
    expect(found.data.map((one) => [one.number, one.head.sha])).toEqual([[number, second]]);

    const { data: merged } = await person("ada").rest.pulls.merge({ ...where, pull_number: number, sha: second });
    expect(executor.events.at(-1)).toMatchObject({ name: "push", ref: "refs/heads/main", sha: merged.sha, payload: { head_commit: { message: `Merge pull request #${number} from octo/mood` } } });
    const { data: content } = await person("ada").rest.repos.getContent({ ...where, path: "model.txt" });
    expect(Buffer.from((content as { content: string }).content, "base64").toString()).toBe("three\n");
    for (const sha of [second, merged.sha]) expect((await person("ada").rest.repos.listPullRequestsAssociatedWithCommit({ ...where, commit_sha: sha })).data.map((one) => [one.number, one.merge_commit_sha])).toEqual([[number, merged.sha]]);
    expect((await person("ada").rest.repos.compareCommitsWithBasehead({ ...where, basehead: `${first}...main` })).data).toMatchObject({ status: "ahead", merge_base_commit: { sha: first } });
    expect(await refusal(mergePullRequest(github, name, number, "ada"))).toContain("not mergeable");
  });

  it("of a fork runs with a read-only token, and its end starts the default branch's workflows", async () => {
    await fork(github, name, "bob");
    const sha = await pushTo(github, { repository: "bob/models", branch: "mood", files: { "bob.txt": "hello\n" }, message: "From afar", by: "bob" });
    const number = await openPullRequest(github, { repository: name, head: "bob:mood", title: "From afar", by: "bob" });
    expect(executor.events.at(-1)).toMatchObject({ repository: name, headRepository: { fullName: "bob/models", fork: true }, payload: { pull_request: { head: { label: "bob:mood", repo: { fork: true } } } } });
    const run = runFor(sha);
    const token = job({ contents: "write", "pull-requests": "write", "id-token": "write" }, run.id);
    expect(await refusal(token.rest.issues.createComment({ ...where, issue_number: number, body: "no" }))).toBe("403 Resource not accessible by integration");
    expect((await token.rest.issues.listComments({ ...where, issue_number: number })).data).toEqual([]);
    await gateEnds(sha, "success");
    const main = github.world.repositories.get(name)?.git.resolve("refs/heads/main");
    expect(executor.events.at(-1)).toMatchObject({ name: "workflow_run", sha: await main, payload: { action: "completed", workflow_run: { id: run.id, event: "pull_request", head_repository: { fork: true }, pull_requests: [] } } });
    await mergePullRequest(github, name, number, "ada");
  });
});

describe("tokens", () => {
  it("do what their grant says and nothing else, and end with their job", async () => {
    const reader = job({ contents: "read" });
    expect((await reader.rest.git.getRef({ ...where, ref: "heads/main" })).data.object.type).toBe("commit");
    expect(await refusal(reader.rest.git.createRef({ ...where, ref: "refs/heads/x", sha: "0".repeat(40) }))).toBe("403 Resource not accessible by integration");
    expect(await refusal(reader.rest.issues.listComments({ ...where, issue_number: 1 }))).toBe("403 Resource not accessible by integration");
    expect(await refusal(reader.rest.users.getAuthenticated())).toBe("403 Resource not accessible by integration");
    expect(await reader.graphql("query { viewer { login } }")).toEqual({ viewer: { login: "github-actions[bot]" } });
    const { token, revoke } = github.issueToken({ repository: name, runId: 1, jobId: 1, permissions: { contents: "read" } });
    revoke();
    expect(await refusal(as(token).rest.git.getRef({ ...where, ref: "heads/main" }))).toBe("401 Bad credentials");
    expect(await refusal(as("made-up").rest.users.getAuthenticated())).toBe("401 Bad credentials");
    expect((await person("ada").rest.users.getAuthenticated()).data.login).toBe("ada");
    expect((await person("sluice-bot").rest.repos.getCollaboratorPermissionLevel({ ...where, username: "ada" })).data).toMatchObject({ permission: "write", role_name: "write" });
    expect(await refusal(person("bob").rest.actions.createWorkflowDispatch({ ...where, workflow_id: "deploy.yml", ref: "main" }))).toMatch(/^403/);
  });

  it("of OIDC say what the job is", async () => {
    const { url, requestToken, revoke } = github.issueOidc({ repository: name, ref: "refs/heads/main", sha: "a".repeat(40), environment: "mood-staging", workflowRef: "w", jobWorkflowRef: "j", runId: 5, actor: "ada", eventName: "push" });
    const ask = () => fetch(`${url}&audience=hub`, { headers: { authorization: `Bearer ${requestToken}` } });
    const { value } = await (await ask()).json() as { value: string };
    expect(github.idTokens[value]).toMatchObject({ audience: "hub", claims: { sub: "repo:octo/models:environment:mood-staging", job_workflow_ref: "j" } });
    revoke();
    expect((await ask()).status).toBe(401);
  });

  it("of people come from the device flow too", async () => {
    const post = async (path: string, body: object) => (await fetch(`${github.serverUrl}${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ client_id: github.deviceClientId, ...body }) })).json() as Promise<Record<string, string>>;
    const { device_code: device, user_code: code = "" } = await post("/login/device/code", {});
    expect(await post("/login/oauth/access_token", { device_code: device })).toEqual({ error: "authorization_pending" });
    github.enterDeviceCode(code, "ada");
    const { access_token: token = "" } = await post("/login/oauth/access_token", { device_code: device });
    expect((await as(token).rest.users.getAuthenticated()).data.login).toBe("ada");
  });
});
