import { afterEach, describe, expect, it } from "vitest";
import { mergeBase, treeOf } from "../../../github/commits.ts";
import { openPullRequests } from "../../../github/pulls.ts";
import { connectStep } from "../../../github/step.ts";
import { commentMarker, keepComment } from "../../../github/sticky-comment.ts";
import { violations } from "../../../rehearsal/github/openapi.ts";
import { startGitHub, type SeededGitHub } from "../../../rehearsal/github/seeded/github.ts";
import type { GitHubState } from "../../../rehearsal/github/seeded/state.ts";

let standIn: SeededGitHub;
afterEach(() => standIn.close());

async function start(state: Partial<GitHubState> = {}) {
  standIn = await startGitHub(state);
  const log: string[] = [];
  const github = connectStep({
    token: "t0ken",
    repository: { owner: "octo", repo: "models" },
    env: { GITHUB_API_URL: standIn.url },
    log: (text) => log.push(text),
  });
  return { github, log };
}

const marker = commentMarker("sluice.yaml", []);
const body = (text: string) => `${marker}\n${text}`;

describe("the one sticky comment", () => {
  it("is created once and then edited", async () => {
    const { github } = await start();
    expect(await keepComment(github, 7, marker, body("first"))).toMatchObject({ status: "created" });
    expect(await keepComment(github, 7, marker, body("second"))).toMatchObject({ status: "updated" });
    expect(standIn.state.comments.map((one) => one.body)).toEqual([body("second")]);
  });

  it("is found behind more than a page of other comments", async () => {
    const chatter = Array.from({ length: 250 }, (_, i) => ({
      id: i,
      issue: 7,
      author: "someone",
      body: `comment ${i}`,
    }));
    const { github } = await start({
      comments: [...chatter, { id: 900, issue: 7, author: "github-actions[bot]", body: body("old") }],
    });
    expect(await keepComment(github, 7, marker, body("new"))).toMatchObject({ status: "updated" });
    expect(standIn.state.comments.find(({ id }) => id === 900)?.body).toBe(body("new"));
    expect(standIn.state.comments).toHaveLength(251);
  });

  it("never touches another account's comment that carries the marker", async () => {
    const { github } = await start({
      comments: [{ id: 1, issue: 7, author: "mallory", body: body("PASS, honestly") }],
    });
    expect(await keepComment(github, 7, marker, body("FAIL"))).toMatchObject({ status: "created" });
    expect(standIn.state.comments.map((one) => [one.author, one.body])).toEqual([
      ["mallory", body("PASS, honestly")],
      ["github-actions[bot]", body("FAIL")],
    ]);
  });

  it("is another one for another configuration", async () => {
    const { github } = await start();
    const other = commentMarker("other/sluice.yaml", ["births"]);
    await keepComment(github, 7, marker, body("one"));
    await keepComment(github, 7, other, `${other}\ntwo`);
    expect(standIn.state.comments).toHaveLength(2);
  });
});

describe("when GitHub refuses or fails", () => {
  it("names the missing permission on 403", async () => {
    const { github } = await start({
      faults: [
        {
          method: "POST",
          path: /comments$/,
          times: 9,
          does: { kind: "answer", status: 403, message: "Resource not accessible by integration" },
        },
      ],
    });
    const reported = await keepComment(github, 7, marker, body("x"));
    expect(reported).toMatchObject({ status: "failed", why: expect.stringContaining("pull-requests: write") });
    expect(standIn.transcript.filter(({ method }) => method === "POST")).toHaveLength(1);
  });

  it("leaves one comment when the answer to its creation was lost", async () => {
    const { github } = await start({
      faults: [{ method: "POST", path: /comments$/, times: 1, does: { kind: "accept-then-fail", status: 502 } }],
    });
    expect(await keepComment(github, 7, marker, body("x"))).toMatchObject({ status: "created" });
    expect(standIn.state.comments).toHaveLength(1);
  });

  it("tries again after a secondary rate limit that asks for a short pause, and gives up if it asks for a long one", async () => {
    const limit = (seconds: number) => ({
      method: "GET",
      path: /comments$/,
      times: 1,
      does: {
        kind: "answer" as const,
        status: 403,
        message: "You have exceeded a secondary rate limit.",
        headers: { "retry-after": String(seconds) },
      },
    });
    const patient = await start({ faults: [limit(1)] });
    expect(await keepComment(patient.github, 7, marker, body("x"))).toMatchObject({ status: "created" });
    await standIn.close();
    const impatient = await start({ faults: [limit(3600)] });
    expect(await keepComment(impatient.github, 7, marker, body("x"))).toMatchObject({
      status: "failed",
      why: expect.stringContaining("rate limit"),
    });
    expect(impatient.log.join("\n")).toContain("asked to wait 3600 s; giving up");
  });

  it("retries a server error on reading", async () => {
    const { github } = await start({
      faults: [
        { method: "GET", path: /comments$/, times: 1, does: { kind: "answer", status: 500, message: "Server Error" } },
      ],
    });
    expect(await keepComment(github, 7, marker, body("x"))).toMatchObject({ status: "created" });
  });

  it("says that a server which hangs could not be reached", async () => {
    const { github: _unused, log } = await start({
      faults: [{ method: "GET", path: /comments$/, times: 9, does: { kind: "hang" } }],
    });
    const { octokit } = connectStep({
      token: "t",
      repository: { owner: "octo", repo: "models" },
      env: { GITHUB_API_URL: standIn.url },
      log: (text) => log.push(text),
      timeoutMs: 200,
    });
    await expect(octokit.rest.issues.listComments({ owner: "octo", repo: "models", issue_number: 7 })).rejects.toThrow(
      "no answer within 0.2 s",
    );
  });
});

describe("every request and answer is what GitHub's OpenAPI description says", () => {
  it("for every request of the gate", async () => {
    const { github } = await start({
      mergeBases: { "main...abc": "d".repeat(40) },
      pulls: [{ number: 3, head: "fork:topic", headSha: "e".repeat(40), baseSha: "b".repeat(40) }],
      trees: { abc: { ".github": "1".repeat(40) } },
    });
    expect(await mergeBase(github, "main", "abc")).toBe("d".repeat(40));
    expect(await openPullRequests(github, "fork:topic")).toEqual([
      { number: 3, headSha: "e".repeat(40), baseSha: "b".repeat(40) },
    ]);
    expect([...(await treeOf(github, "abc"))]).toEqual([
      [".github", { mode: "040000", sha: "1".repeat(40), folder: true }],
    ]);
    await keepComment(github, 3, marker, body("one"));
    await keepComment(github, 3, marker, body("two"));
    await expect(mergeBase(github, "no", "where")).rejects.toThrow("Not Found");
    expect(standIn.transcript.map(({ method, status }) => `${method} ${status}`)).toEqual([
      "GET 200",
      "GET 200",
      "GET 200",
      "GET 200",
      "POST 201",
      "GET 200",
      "POST 200",
      "PATCH 200",
      "GET 404",
    ]);
    expect(standIn.transcript.flatMap(violations)).toEqual([]);
    for (const { authorization } of standIn.transcript) expect(authorization).toBe("token t0ken");
  });

  it("and the check finds violations", async () => {
    await start();
    const exchange = {
      method: "POST",
      path: "/repos/octo/models/issues/7/comments",
      query: { force: "1" },
      authorization: null,
      body: { text: "x" },
      status: 201,
      answer: { id: "1" },
    };
    const found = violations(exchange).join("\n");
    for (const part of [
      "no parameter force",
      "no field text",
      "must have required property 'body'",
      "must have required property 'node_id'",
      "/id must be integer",
    ])
      expect(found).toContain(part);
    expect(violations({ ...exchange, path: "/repos/octo/models/nothing/here" })).toEqual([
      "POST /repos/octo/models/nothing/here: GitHub has no such operation",
    ]);
  });
});
