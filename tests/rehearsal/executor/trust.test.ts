import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { conclusions, jobOf, Stage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.start();
});
afterAll(() => stage.close());

const granted = (runId: number) =>
  stage.grants.filter((one) => one.runId === runId).map(({ permissions }) => permissions);
const step = (command: string) => `runs-on: ubuntu-24.04, steps: [{ run: '${command}' }]`;
const one = (more: string, top = "") =>
  `on: [push, pull_request]\n${top}jobs:\n  one:\n    runs-on: ubuntu-24.04\n${more}    steps:\n      - env: { KEY: "\${{ secrets.KEY }}" }\n        run: 'echo "key:\${KEY:-none} var:\${{ vars.WHERE }} oidc:\${ACTIONS_ID_TOKEN_REQUEST_URL:-none}"; test -n "\${{ github.token }}" && test "\${{ github.token }}" = "\${{ secrets.GITHUB_TOKEN }}"'\n`;

describe("what a job may do", () => {
  beforeAll(() => {
    stage.repositorySecrets = { KEY: "of-the-repository" };
    stage.repositoryVariables = { WHERE: "here" };
  });

  it.each([
    ["nothing said", "", "", { contents: "read", packages: "read" }],
    ["permissions: {}", "", "permissions: {}\n", {}],
    [
      "the job over the workflow",
      "    permissions: { contents: write, id-token: write }\n",
      "permissions: { issues: write }\n",
      { contents: "write", "id-token": "write" },
    ],
    ["the workflow's", "", "permissions: { issues: write, contents: none }\n", { issues: "write" }],
  ])("%s", async (_, job, top, expected) => {
    const run = await stage.play(one(job, top));
    expect(granted(run.id)).toEqual([expected]);
    expect(stage.grants.at(-1)?.revoked).toBe(true);
    expect(jobOf(run, "one").log).toContain(
      `key:*** var:here oidc:${"id-token" in expected ? "http://127.0.0.1:9/oidc" : "none"}`,
    );
  });

  it("a fork's pull request may only read, without secrets, variables or ID token", async () => {
    const base = stage.commit({
      ".github/workflows/w.yml": one("    permissions: { contents: write, pull-requests: write, id-token: write }\n"),
    });
    const head = stage.commit({ "a.txt": "a" }, { branch: "topic" });
    const [run] = await stage.pull(base, head, { fork: true });
    await stage.executor.idle();
    expect(granted(run!.id)).toEqual([{ contents: "read", "pull-requests": "read" }]);
    expect(jobOf(run!, "one").log).toContain("key:none var: oidc:none");
    expect(run).toMatchObject({
      conclusion: "success",
      pullRequests: [],
      headRepository: { fork: true },
      headSha: head,
    });
  });

  it("an environment with reviewers makes the job wait; the job gets the environment's secrets and variables", async () => {
    stage.environments = {
      staging: { reviewers: [], secrets: { KEY: "staging-key-value" } },
      "mood-production": {
        reviewers: ["ada", "grace"],
        preventSelfReview: true,
        secrets: { KEY: "production-key" },
        variables: { WHERE: "there" },
      },
    };
    const run = await stage.play(`on: push
permissions: { id-token: write }
jobs:
  free: { environment: staging, ${step('test "${{ secrets.KEY }}" = staging-key-value')} }
  held:
    strategy: { matrix: { model: [mood] } }
    environment: { name: "\${{ matrix.model }}-production" }
    runs-on: ubuntu-24.04
    steps: [{ run: 'test "\${{ secrets.KEY }} \${{ vars.WHERE }}" = "production-key there"' }]
`);
    expect(run).toMatchObject({
      status: "waiting",
      conclusion: null,
      pending: [{ id: 701, name: "mood-production", reviewers: ["ada", "grace"], jobKeys: ["held"] }],
    });
    expect(jobOf(run, "held")).toMatchObject({
      status: "waiting",
      environment: "mood-production",
      name: "held (mood)",
    });
    expect(() => {
      stage.executor.review(run.id, [7], { state: "approved", user: "grace", comment: "" });
    }).toThrow("does not wait for the environment 7");
    expect(() => {
      stage.executor.review(run.id, [701], { state: "approved", user: "eve", comment: "" });
    }).toThrow("eve is not a required reviewer");
    expect(() => {
      stage.executor.review(run.id, [701], { state: "approved", user: "ada", comment: "" });
    }).toThrow("ada triggered the run");
    stage.executor.review(run.id, [701], { state: "approved", user: "grace", comment: "fine" });
    await stage.executor.idle();
    expect(run).toMatchObject({
      status: "completed",
      conclusion: "success",
      pending: [],
      reviews: [{ environment: "mood-production", state: "approved", user: "grace", comment: "fine" }],
    });
    expect(
      stage.claims
        .map((claim) => claim.environment)
        .filter((name) => name !== null)
        .toSorted(),
    ).toEqual(["mood-production", "staging"]);
  });

  it("a rejected environment fails its job, a cancelled run ends the waiting", async () => {
    const workflow = `on: push\njobs: { held: { environment: mood-production, ${step("true")} }, after: { needs: held, if: "always()", ${step("true")} } }\n`;
    const rejected = await stage.play(workflow);
    stage.executor.review(rejected.id, [701], { state: "rejected", user: "grace", comment: "no" });
    await stage.executor.idle();
    expect(conclusions(rejected)).toEqual({ held: "failure", after: "success" });
    const cancelled = await stage.play(workflow);
    stage.executor.cancel(cancelled.id);
    await stage.executor.idle();
    expect(cancelled).toMatchObject({ conclusion: "cancelled", pending: [] });
  });
});

describe("reusable workflows", () => {
  const called = `on:
  workflow_call:
    inputs: { model: { type: string, required: true }, dry: { type: boolean, default: true }, count: { type: number } }
    secrets: { TOKEN: { required: true } }
    outputs: { said: { value: "\${{ jobs.inner.outputs.said }}" } }
concurrency: { group: "called-\${{ inputs.model }}" }
jobs:
  inner:
    name: inner \${{ inputs.model }}
    runs-on: ubuntu-24.04
    permissions: { contents: read }
    outputs: { said: "\${{ steps.a.outputs.said }}" }
    steps:
      - id: a
        run: |
          test "\${{ inputs.dry }}\${{ inputs.count }}" = true0
          test "\${{ secrets.TOKEN }}\${{ secrets.KEY }}" = of-the-repository
          test "\${{ job.workflow_repository }} \${{ job.workflow_file_path }} \${{ github.workflow }}" = "$EXPECTED .github/workflows/called.yml caller"
          echo "said=\${{ job.workflow_sha }}" >> "$GITHUB_OUTPUT"
        env: { EXPECTED: "\${{ vars.EXPECTED }}" }
`;
  const caller = (uses: string, permissions = "{ contents: write }") => `name: caller
on: push
permissions: {}
jobs:
  outer:
    permissions: ${permissions}
    uses: ${uses}
    with: { model: mood }
    secrets: { TOKEN: "\${{ secrets.KEY }}" }
  after: { needs: outer, ${step("echo after ${{ needs.outer.outputs.said }}")} }
`;

  it("run as the caller's jobs, with what the caller gives them and no more", async () => {
    stage.repositoryVariables = { EXPECTED: "octo/models" };
    const run = await stage.play(caller("./.github/workflows/called.yml"), {
      files: { ".github/workflows/called.yml": called },
    });
    expect(conclusions(run), run.startupError ?? run.jobs[0]?.log).toEqual({
      "outer / inner mood": "success",
      after: "success",
    });
    expect(jobOf(run, "outer/inner").log).toContain(`said=${run.headSha}`);
    expect(jobOf(run, "after").log).toContain(`after ${run.headSha}`);
    expect(granted(run.id)).toEqual([{ contents: "read" }, {}]);
  });

  it("come from another repository at a commit, which job.workflow_sha names", async () => {
    const sha = stage.commit({ ".github/workflows/called.yml": called }, { name: "sluice/sluice" });
    stage.repositoryVariables = { EXPECTED: "sluice/sluice" };
    const run = await stage.play(caller(`sluice/sluice/.github/workflows/called.yml@${sha}`));
    expect(conclusions(run), run.startupError ?? run.jobs[0]?.log).toEqual({
      "outer / inner mood": "success",
      after: "success",
    });
    expect(jobOf(run, "after").log).toContain(`after ${sha}`);
  });

  it("inherit secrets, hold a concurrency group of their own, and fail for an input that is missing or a group that the caller holds", async () => {
    const small = `on: { workflow_call: { inputs: { model: { type: string, required: true } } } }
concurrency: { group: "small-\${{ inputs.model }}" }
jobs: { inner: { ${step("test ${{ secrets.KEY }} = of-the-repository")} } }
`;
    const run = await stage.play(
      `on: push
concurrency: small-held
jobs:
  given: { strategy: { matrix: { model: [a, b] } }, uses: ./.github/workflows/small.yml, with: { model: "\${{ matrix.model }}" }, secrets: inherit }
  missing: { uses: ./.github/workflows/small.yml, with: { model: "" } }
  locked: { uses: ./.github/workflows/small.yml, with: { model: held } }
`,
      { files: { ".github/workflows/small.yml": small } },
    );
    expect(conclusions(run), run.startupError).toEqual({
      "given (a) / inner": "success",
      "given (b) / inner": "success",
      missing: "failure",
      locked: "failure",
    });
    expect(jobOf(run, "missing").log).toContain("Required input 'model' not provided");
    expect(jobOf(run, "locked").log).toContain("a deadlock was detected for concurrency group: 'small-held'");
  });

  it("never get more than the caller has, and are refused before anything starts", async () => {
    const run = await stage.play(caller("./.github/workflows/called.yml", "{ actions: read }"), {
      files: { ".github/workflows/called.yml": called },
    });
    expect(run).toMatchObject({ conclusion: "startup_failure", jobs: [] });
    expect(run.startupError).toContain(
      "The nested job 'inner' is requesting 'contents: read', but is only allowed 'contents: none'",
    );
  });
});
