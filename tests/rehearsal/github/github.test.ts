import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openStage, refusal, type Stage, name, where } from "./stage.ts";
import { fork, mergePullRequest, openPullRequest, pushFrom, pushTo } from "../../../rehearsal/github/stories.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
}, 60_000);
afterAll(async () => {
  expect(await stage.close()).toEqual([]);
}, 60_000);

describe("a pull request", () => {
  it("cannot be merged before its gate is green; a push changes the same one; the merge is real", async () => {
    const first = await pushTo(stage.github, {
      repository: name,
      branch: "mood",
      files: { "model.txt": "two\n", "draft.txt": "not for long\n" },
      message: "Improve mood",
      by: "ada",
    });
    const number = await openPullRequest(stage.github, {
      repository: name,
      head: "mood",
      title: "Improve mood",
      by: "ada",
    });
    const event = stage.executor.events.at(-1);
    expect(event).toMatchObject({
      name: "pull_request",
      ref: `refs/pull/${number}/merge`,
      headSha: first,
      headBranch: "mood",
      baseRef: "main",
      payload: { action: "opened", pull_request: { number, head: { sha: first, repo: { fork: false } } } },
    });
    const { data: merge } = await stage.person("ada").rest.git.getCommit({ ...where, commit_sha: event?.sha ?? "" });
    expect(merge.parents.map(({ sha }) => sha)).toContain(first);

    expect(await refusal(mergePullRequest(stage.github, name, number, "ada"))).toContain(
      'Required status check "gate" is expected.',
    );
    await stage.gateEnds(first, "failure");
    expect(await refusal(stage.person("ada").rest.pulls.merge({ ...where, pull_number: number }))).toBe(
      '405 Required status check "gate" is failing.',
    );
    expect((await stage.person("ada").rest.pulls.get({ ...where, pull_number: number })).data).toMatchObject({
      mergeable: true,
      mergeable_state: "blocked",
      changed_files: 2,
      commits: 1,
    });

    const second = await pushTo(stage.github, {
      repository: name,
      branch: "mood",
      files: { "model.txt": "three\n", "draft.txt": null },
      message: "Fix",
      by: "ada",
    });
    expect(stage.executor.events.at(-1)).toMatchObject({
      name: "pull_request",
      headSha: second,
      payload: { action: "synchronize", before: first, after: second },
    });
    expect(await refusal(mergePullRequest(stage.github, name, number, "ada"))).toContain("expected");
    await stage.gateEnds(second, "success");
    const { data: checks } = await stage.person("ada").rest.checks.listForRef({ ...where, ref: second });
    expect(
      checks.check_runs.map((run) => [run.name, run.conclusion, run.head_sha, run.output.annotations_count]),
    ).toEqual([["gate", "success", second, 1]]);
    const found = await stage
      .job({ "pull-requests": "read" })
      .rest.pulls.list({ ...where, head: "octo:mood", state: "open" });
    expect(found.data.map((one) => [one.number, one.head.sha])).toEqual([[number, second]]);

    const { data: merged } = await stage.person("ada").rest.pulls.merge({ ...where, pull_number: number, sha: second });
    expect(stage.executor.events.at(-1)).toMatchObject({
      name: "push",
      ref: "refs/heads/main",
      sha: merged.sha,
      payload: { head_commit: { message: `Merge pull request #${number} from octo/mood` } },
    });
    const { data: content } = await stage.person("ada").rest.repos.getContent({ ...where, path: "model.txt" });
    expect(Buffer.from((content as { content: string }).content, "base64").toString()).toBe("three\n");
    expect(await refusal(stage.person("ada").rest.repos.getContent({ ...where, path: "draft.txt" }))).toContain("404");
    for (const sha of [second, merged.sha])
      expect(
        (
          await stage.person("ada").rest.repos.listPullRequestsAssociatedWithCommit({ ...where, commit_sha: sha })
        ).data.map((one) => [one.number, one.merge_commit_sha]),
      ).toEqual([[number, merged.sha]]);
    expect(
      (await stage.person("ada").rest.repos.compareCommitsWithBasehead({ ...where, basehead: `${first}...main` })).data,
    ).toMatchObject({ status: "ahead", merge_base_commit: { sha: first } });
    expect(await refusal(mergePullRequest(stage.github, name, number, "ada"))).toContain("not mergeable");
  });

  it("of a fork runs with a read-only token, and its end starts the default branch's workflows", async () => {
    await fork(stage.github, name, "bob");
    const sha = await pushTo(stage.github, {
      repository: "bob/models",
      branch: "mood",
      files: { "bob.txt": "hello\n" },
      message: "From afar",
      by: "bob",
    });
    const number = await openPullRequest(stage.github, {
      repository: name,
      head: "bob:mood",
      title: "From afar",
      by: "bob",
    });
    expect(stage.executor.events.at(-1)).toMatchObject({
      repository: name,
      headRepository: { fullName: "bob/models", fork: true },
      payload: { pull_request: { head: { label: "bob:mood", repo: { fork: true } } } },
    });
    const run = stage.runFor(sha);
    const token = stage.job({ contents: "write", "pull-requests": "write", "id-token": "write" }, run.id);
    expect(await refusal(token.rest.issues.createComment({ ...where, issue_number: number, body: "no" }))).toBe(
      "403 Resource not accessible by integration",
    );
    expect((await token.rest.issues.listComments({ ...where, issue_number: number })).data).toEqual([]);
    await stage.gateEnds(sha, "success");
    const main = stage.github.world.repositories.get(name)?.git.resolve("refs/heads/main");
    expect(stage.executor.events.at(-1)).toMatchObject({
      name: "workflow_run",
      sha: await main,
      payload: {
        action: "completed",
        workflow_run: { id: run.id, event: "pull_request", head_repository: { fork: true }, pull_requests: [] },
      },
    });
    await mergePullRequest(stage.github, name, number, "ada");
  });

  it("follows a working copy that is pushed with git", async () => {
    const folder = await mkdtemp(join(tmpdir(), "rehearsal-copy-"));
    try {
      const git = (...args: string[]) =>
        execFileSync("git", args, {
          cwd: folder,
          encoding: "utf8",
          env: {
            PATH: process.env["PATH"],
            GIT_CONFIG_GLOBAL: "/dev/null",
            GIT_AUTHOR_NAME: "ada",
            GIT_AUTHOR_EMAIL: "a@example.org",
            GIT_COMMITTER_NAME: "ada",
            GIT_COMMITTER_EMAIL: "a@example.org",
          },
        }).trim();
      git("clone", "--quiet", stage.github.gitDirectory(name), ".");
      await writeFile(join(folder, "local.txt"), "by hand\n");
      git("add", "-A");
      git("commit", "--quiet", "-m", "By hand");
      const sha = await pushFrom(stage.github, { repository: name, branch: "local", folder, by: "ada" });
      expect(sha).toBe(git("rev-parse", "HEAD"));
      expect(stage.executor.events.at(-1)).toMatchObject({
        name: "push",
        ref: "refs/heads/local",
        headSha: sha,
        payload: { created: true, head_commit: { message: "By hand", added: ["local.txt"] } },
      });
      // A skipped required check counts as green.
      const number = await openPullRequest(stage.github, {
        repository: name,
        head: "local",
        title: "By hand",
        by: "ada",
      });
      const run = stage.runFor(sha);
      stage.executor.job(run, "gate", { status: "completed", conclusion: "skipped" });
      stage.executor.end(run, "success");
      await stage.github.settled();
      expect(await mergePullRequest(stage.github, name, number, "ada")).toMatch(/^[0-9a-f]{40}$/);
      await expect(pushFrom(stage.github, { repository: name, branch: "main", folder, by: "ada" })).rejects.toThrow(
        "Protected branch update failed",
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe("tokens", () => {
  it("allow what their grant says and nothing else, and expire with their job", async () => {
    const reader = stage.job({ contents: "read" });
    expect((await reader.rest.git.getRef({ ...where, ref: "heads/main" })).data.object.type).toBe("commit");
    expect(await refusal(reader.rest.git.createRef({ ...where, ref: "refs/heads/x", sha: "0".repeat(40) }))).toBe(
      "403 Resource not accessible by integration",
    );
    expect(await refusal(reader.rest.issues.listComments({ ...where, issue_number: 1 }))).toBe(
      "403 Resource not accessible by integration",
    );
    expect(await refusal(reader.rest.users.getAuthenticated())).toBe("403 Resource not accessible by integration");
    expect(await reader.graphql("query { viewer { login } }")).toEqual({ viewer: { login: "github-actions[bot]" } });
    const { token, revoke } = stage.github.issueToken({
      repository: name,
      runId: 1,
      jobId: 1,
      permissions: { contents: "read" },
    });
    revoke();
    expect(await refusal(stage.as(token).rest.git.getRef({ ...where, ref: "heads/main" }))).toBe("401 Bad credentials");
    expect(await refusal(stage.as("made-up").rest.users.getAuthenticated())).toBe("401 Bad credentials");
    expect((await stage.person("ada").rest.users.getAuthenticated()).data.login).toBe("ada");
    expect(
      (await stage.person("sluice-bot").rest.repos.getCollaboratorPermissionLevel({ ...where, username: "ada" })).data,
    ).toMatchObject({ permission: "write", role_name: "write" });
    expect(
      await refusal(
        stage.person("bob").rest.actions.createWorkflowDispatch({ ...where, workflow_id: "deploy.yml", ref: "main" }),
      ),
    ).toMatch(/^403/);
  });

  it("of OIDC describe the job", async () => {
    const { url, requestToken, revoke } = stage.github.issueOidc({
      repository: name,
      ref: "refs/heads/main",
      sha: "a".repeat(40),
      environment: "mood-staging",
      workflowRef: "w",
      jobWorkflowRef: "j",
      runId: 5,
      actor: "ada",
      eventName: "push",
    });
    const ask = () => fetch(`${url}&audience=hub`, { headers: { authorization: `Bearer ${requestToken}` } });
    const { value } = (await (await ask()).json()) as { value: string };
    expect(stage.github.idTokens[value]).toMatchObject({
      audience: "hub",
      claims: { sub: "repo:octo/models:environment:mood-staging", job_workflow_ref: "j" },
    });
    revoke();
    expect((await ask()).status).toBe(401);
  });

  it("of people come from the device flow too", async () => {
    const post = async (path: string, body: object) =>
      (
        await fetch(`${stage.github.serverUrl}${path}`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ client_id: stage.github.deviceClientId, ...body }),
        })
      ).json() as Promise<Record<string, string>>;
    const { device_code: device, user_code: code = "" } = await post("/login/device/code", {});
    expect(await post("/login/oauth/access_token", { device_code: device })).toEqual({
      error: "authorization_pending",
    });
    stage.github.enterDeviceCode(code, "ada");
    const { access_token: token = "" } = await post("/login/oauth/access_token", { device_code: device });
    expect((await stage.as(token).rest.users.getAuthenticated()).data.login).toBe("ada");
  });
});
