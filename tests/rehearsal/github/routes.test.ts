import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Http } from "../../../deploy/hub/http.ts";
import { GitHubRecords } from "../../../deploy/record/github-records.ts";
import { lockHolder, releaseLock, takeLock } from "../../../deploy/record/lock.ts";
import { tagRelease } from "../../../deploy/record/release.ts";
import { readSettings } from "../../../deploy/hub/settings.ts";
import { commentPages, createComment, updateComment, viewerOf } from "../../../github/comments.ts";
import { mergeBase, treeOf } from "../../../github/commits.ts";
import { addDeploymentStatus, deploymentStatuses } from "../../../github/deployments.ts";
import { openPullRequests, pullRequestsOf } from "../../../github/pulls.ts";
import { connectStep } from "../../../github/step.ts";
import { GitHub as BotGitHub } from "../../../bot/github/github.ts";
import { name, openStage, refusal, type Stage, where } from "./stage.ts";
import { openPullRequest, pushTo } from "../../../rehearsal/github/stories.ts";

let stage: Stage;
let head: string;
let number: number;

beforeAll(async () => {
  stage = await openStage();
  head = await pushTo(stage.github, {
    repository: name,
    branch: "mood",
    files: { "model.txt": "two\n" },
    message: "Improve mood",
    by: "ada",
  });
  number = await openPullRequest(stage.github, { repository: name, head: "mood", title: "Improve mood", by: "ada" });
}, 60_000);
afterAll(async () => {
  // Only the two violations that a test sends on purpose.
  expect(await stage.close()).toEqual([
    "POST /repos/octo/models/check-runs: body/output/annotations must NOT have more than 50 items",
    "POST /repos/octo/models/check-runs: body/output/summary must NOT have more than 65535 characters",
  ]);
}, 60_000);

const env = () => ({ GITHUB_API_URL: stage.github.apiUrl });
const log = () => {};
const bot = () => new BotGitHub(stage.github.tokenOf("sluice-bot"), name, { apiUrl: stage.github.apiUrl, fetch, log });
const records = (token: string) =>
  new GitHubRecords(
    new Http(readSettings("", "here"), {
      fetch,
      monotonic: () => 0,
      sleep: () => Promise.resolve(),
      random: () => 0.5,
      note: log,
      signal: new AbortController().signal,
    }),
    stage.github.apiUrl,
    where,
    token,
  );

describe("what our clients ask", () => {
  it("the gate: merge base, viewer, comments, open pull requests", async () => {
    const gate = connectStep({
      token: stage.jobToken({ contents: "read", "pull-requests": "write" }),
      repository: where,
      env: env(),
      log,
    });
    const main = await stage.github.world.repositories.get(name)?.git.resolve("refs/heads/main");
    expect(await mergeBase(gate, "main", head)).toBe(main);
    expect(await viewerOf(gate)).toBe("github-actions");
    const made = await createComment(gate, number, "first");
    expect(made).toMatchObject({
      author: "github-actions",
      url: expect.stringContaining(`/pull/${number}#issuecomment-`) as string,
    });
    await updateComment(gate, made.id, "second");
    const bodies: string[] = [];
    for await (const page of commentPages(gate, number)) bodies.push(...page.map(({ body }) => body));
    expect(bodies).toEqual(["second"]);
    expect(await openPullRequests(gate, "octo:mood")).toEqual([{ number, headSha: head, baseSha: main }]);
    const tree = await treeOf(gate, head);
    expect([tree.get(".github"), tree.get("model.txt")]).toMatchObject([
      { mode: "040000", folder: true },
      { mode: "100644", folder: false },
    ]);
    expect(
      await refusal(
        stage
          .job({ issues: "write" })
          .rest.issues.createComment({ ...where, issue_number: number, body: "x".repeat(65_537) }),
      ),
    ).toMatch(/^422 Validation Failed.*too long/);
  });

  it("notify: pull requests of a commit, a Deployment's statuses", async () => {
    const notify = connectStep({
      token: stage.jobToken({ deployments: "write", "pull-requests": "read" }),
      repository: where,
      env: env(),
      log,
    });
    expect(await pullRequestsOf(notify, head)).toEqual([number]);
    const { data: deployment } = (await stage.job({ deployments: "write" }).rest.repos.createDeployment({
      ...where,
      ref: "main",
      environment: "mood-staging",
      required_contexts: [],
      auto_merge: false,
      payload: { kind: "deploy" },
    })) as { data: { id: number; sha: string } };
    expect(deployment.sha).toMatch(/^[0-9a-f]{40}$/);
    await addDeploymentStatus(notify, deployment.id, {
      state: "success",
      description: "live",
      logUrl: "https://example.org/log",
      environmentUrl: "https://example.org/live",
      replacesEarlier: false,
    });
    expect(await deploymentStatuses(notify, deployment.id, 100)).toMatchObject([
      {
        state: "success",
        description: "live",
        logUrl: "https://example.org/log",
        environmentUrl: "https://example.org/live",
      },
    ]);
    expect(
      await refusal(
        stage.job({ deployments: "write" }).rest.repos.createDeploymentStatus({
          ...where,
          deployment_id: deployment.id,
          state: "success",
          description: "x".repeat(141),
        }),
      ),
    ).toMatch(/^422/);
    expect(await bot().deployments({ environment: "mood-staging" })).toMatchObject([
      { id: deployment.id, creator: "github-actions[bot]" },
    ]);
    const { data: later } = (await stage
      .job({ deployments: "write" })
      .rest.repos.createDeployment({ ...where, ref: head, environment: "mood-staging", required_contexts: [] })) as {
      data: { id: number };
    };
    await stage
      .job({ deployments: "write" })
      .rest.repos.createDeploymentStatus({ ...where, deployment_id: later.id, state: "success" });
    expect((await bot().statuses(deployment.id)).map(({ state }) => state)).toEqual(["inactive", "success"]);
    await bot().note(later.id, "a note");
    expect(
      await refusal(stage.job({ deployments: "read" }).rest.repos.createDeployment({ ...where, ref: "main" })),
    ).toBe("403 Resource not accessible by integration");
  });

  it("deploy: locks and release tags, which lie in the real repository", async () => {
    const github = records(stage.jobToken({ contents: "write", deployments: "write" }));
    const lock = await takeLock(
      github,
      "mood-staging",
      { holder: "ada", reason: "", at: "2026-11-21T09:00:00Z", run: null },
      head,
    );
    expect(await lockHolder(github, "mood-staging")).toMatchObject({ holder: "ada" });
    expect((await bot().locks("refs/sluice/lock")).map(({ environment }) => environment)).toEqual(["mood-staging"]);
    await expect(
      takeLock(github, "mood-staging", { holder: "bob", reason: "", at: "2026-11-21T09:00:00Z", run: null }, head),
    ).rejects.toThrow(/ada/);
    await releaseLock(github, lock);
    expect(await tagRelease(github, "mood@1.0.0", "a receipt\n\n  kept to the byte", head)).toBe(true);
    const git = stage.github.world.repositories.get(name)?.git;
    expect(
      (await git?.run(["for-each-ref", "--format=%(objecttype) %(refname) %(contents)", "refs/tags", "refs/sluice"]))
        ?.toString()
        .trim(),
    ).toBe("tag refs/tags/mood@1.0.0 a receipt\n\n  kept to the byte");
    const [tag] = await bot().tags("mood");
    expect(tag?.version).toBe("1.0.0");
    expect(await bot().release(tag!)).toMatchObject({ sha: head });
  });

  it("the bot: runs, artifacts, a review, a dispatch, permissions", async () => {
    stage.github.createEnvironment(name, "mood-production", { reviewers: ["ada"], preventSelfReview: true });
    const path = join(stage.github.directory, "artifact.zip");
    await writeFile(path, "PK not really");
    const run = stage.runFor(head);
    run.artifacts.push({
      id: 77,
      runId: run.id,
      name: "sluice-gate-cpu-0",
      path,
      sizeBytes: 13,
      digest: `sha256:${"a".repeat(64)}`,
      createdAt: "2026-11-21T09:00:00Z",
      expired: false,
    });
    const { id } = stage.github.environment(name, "mood-production");
    run.pending.push({ id, name: "mood-production", reviewers: ["ada"], jobKeys: ["deploy"] });
    run.status = "waiting";
    stage.executor.job(run, "deploy", { status: "waiting", environment: "mood-production" });
    await stage.github.settled();

    expect(await bot().runs({ file: "gate.yml", sha: head, status: "waiting" })).toMatchObject([{ id: run.id }]);
    expect(await bot().run(run.id)).toMatchObject({ id: run.id, file: "gate.yml", status: "waiting" });
    expect(await bot().artifacts(run.id)).toMatchObject([
      { name: "sluice-gate-cpu-0", digest: `sha256:${"a".repeat(64)}` },
    ]);
    expect(
      Buffer.from(
        (
          await stage
            .job({ actions: "read" })
            .rest.actions.downloadArtifact({ ...where, artifact_id: 77, archive_format: "zip" })
        ).data as ArrayBuffer,
      ).toString(),
    ).toBe("PK not really");
    expect(await bot().pending(run.id)).toEqual([
      { environment: "mood-production", environmentId: id, reviewers: ["ada"] },
    ]);
    expect((await bot().deployments({ environment: "mood-production" })).length).toBe(1);
    const review = (login: string) =>
      stage.person(login).rest.actions.reviewPendingDeploymentsForRun({
        ...where,
        run_id: run.id,
        environment_ids: [id],
        state: "approved",
        comment: "mine",
      });
    expect(await refusal(review("sluice-bot"))).toMatch(/^403/);
    // Ada pushed, so this run is her own.
    expect(await refusal(review("ada"))).toMatch(/^422 Self-review/);
    stage.github.createEnvironment(name, "mood-production", { reviewers: ["ada"] });
    await bot().as(stage.github.tokenOf("ada")).review(run.id, id, "approved", "looks good");
    expect(await bot().reviews(run.id)).toMatchObject([{ state: "approved", user: "ada", comment: "looks good" }]);
    stage.executor.job(run, "deploy", { status: "completed", conclusion: "success", log: "it went well" });
    const { data: jobs } = await stage
      .job({ actions: "read" })
      .rest.actions.listJobsForWorkflowRun({ ...where, run_id: run.id });
    expect(jobs.jobs.map((one) => one.name)).toContain("deploy");
    expect(
      (
        await stage
          .job({ actions: "read" })
          .rest.actions.downloadJobLogsForWorkflowRun({ ...where, job_id: jobs.jobs.at(-1)?.id ?? 0 })
      ).data,
    ).toBe("it went well");

    const started = await bot().dispatch("deploy.yml", "main", { model: "mood" });
    expect(stage.executor.events.at(-1)).toMatchObject({
      name: "workflow_dispatch",
      workflowFile: "deploy.yml",
      actor: "sluice-bot",
      inputs: { model: "mood" },
      ref: "refs/heads/main",
    });
    expect(started?.id).toBe(stage.executor.runs.at(-1)?.id);
    const dispatch = (file: string, inputs: Record<string, string>) =>
      stage.person("ada").rest.actions.createWorkflowDispatch({ ...where, workflow_id: file, ref: "main", inputs });
    expect(await refusal(dispatch("deploy.yml", { unknown: "x" }))).toMatch(/^422 Unexpected inputs/);
    expect(await refusal(dispatch("none.yml", {}))).toMatch(/^404/);
    await stage.person("ada").rest.actions.cancelWorkflowRun({ ...where, run_id: started?.id ?? 0 });
    expect(stage.executor.runs.at(-1)?.conclusion).toBe("cancelled");
    expect(await bot().permission("ada")).toMatchObject({ role: "write" });
    expect(await bot().permission("nobody")).toEqual({ role: "none", id: 0, isBot: false });
    expect((await bot().me()).login).toBe("sluice-bot");
    expect(await bot().head("mood")).toBe(head);
  });
});

describe("what GitHub is stricter about than its emulator", () => {
  it("fifty annotations, long summaries, check runs of people", async () => {
    const checks = stage.job({ checks: "write" }).rest.checks;
    const annotation = {
      path: "a.txt",
      start_line: 1,
      end_line: 1,
      annotation_level: "notice" as const,
      message: "m",
      title: "t",
    };
    const output = (count: number, summary = "s") => ({
      title: "t",
      summary,
      annotations: Array.from({ length: count }, () => annotation),
    });
    expect(await refusal(checks.create({ ...where, name: "extra", head_sha: head, output: output(51) }))).toMatch(
      /^422 .*50 items are allowed; 51/s,
    );
    expect(
      await refusal(checks.create({ ...where, name: "extra", head_sha: head, output: output(1, "x".repeat(65_536)) })),
    ).toMatch(/^422/);
    const { data: made } = await checks.create({ ...where, name: "extra", head_sha: head, output: output(50) });
    const { data: updated } = await checks.update({
      ...where,
      check_run_id: made.id,
      status: "completed",
      conclusion: "neutral",
      output: output(1),
    });
    expect(updated.output.annotations_count).toBe(51);
    expect((await checks.listAnnotations({ ...where, check_run_id: made.id, per_page: 100 })).data.length).toBe(51);
    expect((await checks.get({ ...where, check_run_id: made.id })).data.head_sha).toBe(head);
    expect(await refusal(stage.person("ada").rest.checks.create({ ...where, name: "extra", head_sha: head }))).toMatch(
      /^403/,
    );
  });

  it("statuses, reactions, environments, protection, branches, trees", async () => {
    const ada = stage.person("ada").rest;
    await stage.job({ statuses: "write" }).rest.repos.createCommitStatus({
      ...where,
      sha: head,
      state: "pending",
      context: "sluice",
      description: "wait",
      target_url: "https://example.org/",
    });
    expect((await ada.repos.getCombinedStatusForRef({ ...where, ref: "mood" })).data).toMatchObject({
      state: "pending",
      total_count: 1,
    });
    expect((await ada.repos.listCommitStatusesForRef({ ...where, ref: head })).data.length).toBe(1);
    const { data: comment } = await ada.issues.createComment({ ...where, issue_number: number, body: "hello" });
    await ada.reactions.createForIssueComment({ ...where, comment_id: comment.id, content: "rocket" });
    expect(
      (await ada.reactions.listForIssueComment({ ...where, comment_id: comment.id })).data.map(
        ({ content }) => content,
      ),
    ).toEqual(["rocket"]);
    expect((await ada.issues.getComment({ ...where, comment_id: comment.id })).data.reactions).toMatchObject({
      rocket: 1,
      total_count: 1,
    });
    expect(
      await refusal(stage.person("bob").rest.issues.updateComment({ ...where, comment_id: comment.id, body: "mine" })),
    ).toMatch(/^403/);
    await ada.issues.deleteComment({ ...where, comment_id: comment.id });
    expect((await ada.issues.get({ ...where, issue_number: number })).data.title).toBe("Improve mood");
    const octo = stage.person("octo").rest.repos;
    await octo.createOrUpdateEnvironment({
      ...where,
      environment_name: "other",
      reviewers: [{ type: "User", id: (await stage.person("ada").rest.users.getAuthenticated()).data.id }],
    });
    expect(
      (await ada.repos.getEnvironment({ ...where, environment_name: "other" })).data.protection_rules?.[0],
    ).toMatchObject({ type: "required_reviewers" });
    expect((await ada.repos.getAllEnvironments(where)).data.total_count).toBeGreaterThan(0);
    expect(
      (await octo.getBranchProtection({ ...where, branch: "main" })).data.required_status_checks?.contexts,
    ).toEqual(["gate"]);
    expect((await ada.repos.listBranches(where)).data.map((one) => one.name)).toEqual(["main", "mood"]);
    expect((await ada.repos.getBranch({ ...where, branch: "main" })).data.protected).toBe(true);
    const { data: commit } = await ada.repos.getCommit({ ...where, ref: head });
    expect(commit).toMatchObject({
      stats: { additions: 1, deletions: 1 },
      files: [{ filename: "model.txt", status: "modified" }],
      author: { login: "ada" },
    });
    const { data: tree } = await ada.git.getTree({ ...where, tree_sha: commit.commit.tree.sha, recursive: "1" });
    const blob = tree.tree.find(({ path }) => path === "model.txt");
    expect(
      Buffer.from((await ada.git.getBlob({ ...where, file_sha: blob?.sha ?? "" })).data.content, "base64").toString(),
    ).toBe("two\n");
    expect((await ada.repos.getContent({ ...where, path: ".github/workflows" })).data).toHaveLength(2);
    expect((await ada.repos.listCommits({ ...where, sha: "mood" })).data.map(({ sha }) => sha)).toContain(head);
    expect((await ada.pulls.listFiles({ ...where, pull_number: number })).data.map(({ filename }) => filename)).toEqual(
      ["model.txt"],
    );
    expect((await ada.pulls.listCommits({ ...where, pull_number: number })).data.map(({ sha }) => sha)).toEqual([head]);
    await ada.pulls.update({ ...where, pull_number: number, body: "more words" });
    expect((await ada.repos.get(where)).data.full_name).toBe(name);
    expect((await ada.actions.listRepoWorkflows(where)).data.workflows.map((one) => one.name)).toEqual([
      "deploy",
      "gate",
    ]);
    expect((await ada.actions.listArtifactsForRepo(where)).data.artifacts.map((one) => one.name)).toEqual([
      "sluice-gate-cpu-0",
    ]);
    expect((await stage.person("ada").rest.rateLimit.get()).data.rate.limit).toBe(5000);
  });
});

it("sends webhooks with their signature", async () => {
  const heard: { event: string; right: boolean }[] = [];
  const listener = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request
      .on("data", (chunk: Buffer) => chunks.push(chunk))
      .on("end", () => {
        heard.push({
          event: String(request.headers["x-github-event"]),
          right:
            request.headers["x-hub-signature-256"] ===
            `sha256=${createHmac("sha256", "secret").update(Buffer.concat(chunks)).digest("hex")}`,
        });
        response.writeHead(202).end();
      });
  });
  await new Promise<void>((resolve) => {
    listener.listen(0, "127.0.0.1", resolve);
  });
  try {
    stage.github.addWebhook(name, {
      url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}/hook`,
      secret: "secret",
      events: ["issue_comment"],
    });
    await stage.person("ada").rest.issues.createComment({ ...where, issue_number: number, body: "ring" });
    await expect.poll(() => heard, { timeout: 20_000 }).toEqual([{ event: "issue_comment", right: true }]);
    await expect.poll(() => stage.github.deliveries.map(({ status }) => status), { timeout: 20_000 }).toEqual([202]);
  } finally {
    listener.close();
  }
});

it("fails on demand, and records who sent each request", async () => {
  const undo = stage.github.fail({
    method: "POST",
    path: /\/comments$/,
    does: { kind: "answer", status: 403, message: "Resource not accessible by integration" },
  });
  expect(
    await refusal(stage.person("ada").rest.issues.createComment({ ...where, issue_number: number, body: "no" })),
  ).toMatch(/^403/);
  undo();
  await stage.person("ada").rest.issues.createComment({ ...where, issue_number: number, body: "yes" });
  stage.github.fail({ method: "POST", path: /\/comments$/, times: 1, does: { kind: "accept-then-reset" } });
  await expect(
    stage.person("ada").rest.issues.createComment({ ...where, issue_number: number, body: "done and lost" }),
  ).rejects.toThrow(/other side closed|ECONNRESET|fetch failed/);
  const { data } = await stage.person("bob").rest.issues.listComments({ ...where, issue_number: number, per_page: 2 });
  expect(data).toHaveLength(2);
  expect(
    (
      await stage.as(stage.github.tokenOf("bob")).paginate("GET /repos/{owner}/{repo}/issues/{issue_number}/comments", {
        ...where,
        issue_number: number,
        per_page: 2,
      })
    )
      .map((one) => one.body)
      .slice(-2),
  ).toEqual(["yes", "done and lost"]);
  expect(stage.github.transcript.at(-1)).toMatchObject({ owner: "bob", method: "GET", status: 200, door: "rest" });
});
