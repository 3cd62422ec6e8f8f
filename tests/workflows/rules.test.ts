import { beforeAll, describe, expect, it } from "vitest";
import { findingsOf, type Rule } from "./rules.ts";
import { openTools } from "./tools.ts";

const good = `
name: good
on:
  pull_request:
permissions: {}
concurrency:
  group: deploy
  cancel-in-progress: false
jobs:
  deploy:
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    environment: mood-production
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          persist-credentials: false
      - run: echo "$TITLE"
        env:
          TITLE: \${{ github.event.pull_request.title }}
      - uses: OWNER/REPO/actions/deploy@SHA
        with:
          model: mood
  gate:
    permissions:
      contents: read
      pull-requests: write
    uses: OWNER/REPO/.github/workflows/gate.yml@SHA
    secrets:
      TELEGRAM_BOT_TOKEN: \${{ secrets.TELEGRAM_BOT_TOKEN }}
`;

const sha = "3d3c42e5aac5ba805825da76410c181273ba90b1";

/** Changes to the good example, and the rule that must report each. */
const bad: readonly [what: string, from: string, to: string, rule: Rule][] = [
  ["an action by its tag", `${sha} # v7.0.1`, "v7", "pinned"],
  ["an action by a short commit", `${sha} #`, "3d3c42e #", "pinned"],
  ["a commit without a version in words", `${sha} # v7.0.1`, sha, "pinned"],
  ["write at the top", "permissions: {}", "permissions: { contents: write }", "no more than read at the top"],
  ["write-all", "permissions: {}", "permissions: write-all", "no more than read at the top"],
  ["no permissions at the top", "permissions: {}\n", "", "no more than read at the top"],
  [
    "a job that does not say what it needs",
    "    permissions:\n      contents: read\n    steps",
    "    steps",
    "permissions per job",
  ],
  ["a title pasted into a shell", '"$TITLE"', '"${{ github.event.pull_request.title }}"', "no expression in a script"],
  ["an input pasted into a shell", '"$TITLE"', '"${{ inputs.reason }}"', "no expression in a script"],
  [
    "a title pasted into a program",
    'run: echo "$TITLE"',
    `uses: actions/github-script@${sha} # v8.0.0\n        with: { script: "core.info('\${{ github.head_ref }}')" }`,
    "no expression in a script",
  ],
  ["a checkout that keeps its token", "persist-credentials: false", "fetch-depth: 0", "no token left behind"],
  [
    "a checkout that keeps its token, as text",
    "persist-credentials: false",
    'persist-credentials: "true"',
    "no token left behind",
  ],
  ["pull_request_target", "  pull_request:", "  pull_request_target:", "no pull_request_target"],
  [
    "pull_request_target in a list",
    "on:\n  pull_request:",
    "on: [push, pull_request_target]",
    "no pull_request_target",
  ],
  ["a job without an end", "    timeout-minutes: 10\n", "", "bounded in time"],
  [
    "a deployment that is cancelled",
    "cancel-in-progress: false",
    "cancel-in-progress: true",
    "deploys one at a time, each to its end",
  ],
  [
    "a deployment that is cancelled sometimes",
    "cancel-in-progress: false",
    "cancel-in-progress: ${{ github.ref != 'refs/heads/main' }}",
    "deploys one at a time, each to its end",
  ],
  [
    "a deployment beside another",
    "concurrency:\n  group: deploy\n  cancel-in-progress: false\n",
    "",
    "deploys one at a time, each to its end",
  ],
  ["an input that our action has not", "model: mood", "models: mood", "our inputs, secrets and permissions"],
  ["an action that we have not", "actions/deploy@", "actions/undeploy@", "our inputs, secrets and permissions"],
  [
    "an input that our workflow has not",
    "gate.yml@SHA",
    "gate.yml@SHA\n    with: { comment: never }",
    "our inputs, secrets and permissions",
  ],
  [
    "a secret that our workflow has not",
    "TELEGRAM_BOT_TOKEN: ",
    "TELEGRAM_TOKEN: ",
    "our inputs, secrets and permissions",
  ],
  ["less than our workflow's jobs ask for", "      pull-requests: write\n", "", "our inputs, secrets and permissions"],
  ["a workflow of ours that cannot be called", "gate.yml@", "ci.yml@", "our inputs, secrets and permissions"],
  [
    "all secrets",
    "secrets:\n      TELEGRAM_BOT_TOKEN: ${{ secrets.TELEGRAM_BOT_TOKEN }}",
    "secrets: inherit",
    "no secret given by the handful",
  ],
];

describe("a rule of ours", () => {
  it("accepts the good example", () => {
    expect(findingsOf(good)).toEqual([]);
  });

  it.each(bad)("sees %s", (_what, from, to, rule) => {
    expect(good.split(from)).toHaveLength(2);
    expect(findingsOf(good.replace(from, () => to)).map((one) => one.rule)).toEqual([rule]);
  });
});

describe("the tools", () => {
  let diagnosticsOf: Awaited<ReturnType<typeof openTools>>;
  beforeAll(async () => {
    diagnosticsOf = await openTools();
  });

  it.each([
    ["languageservice", "an unknown key", "timeout-minutes: 10", "timeout-minute: 10", /timeout-minute/],
    [
      "languageservice",
      "a job that is not there",
      "    timeout-minutes: 10",
      "    timeout-minutes: 10\n    needs: [nobody]",
      /nobody/,
    ],
    ["actionlint", "a title pasted into a shell", '"$TITLE"', '"${{ github.event.pull_request.title }}"', /untrusted/],
    ["actionlint", "an unknown event", "  pull_request:", "  pull_requests:", /unknown Webhook event/],
  ] as const)("%s sees %s", async (tool, _what, from, to, message) => {
    const found = await diagnosticsOf(
      ".github/workflows/bad.yml",
      good.replace(from, () => to),
    );
    expect(
      found
        .filter((one) => one.tool === tool)
        .map((one) => one.message)
        .join("\n"),
    ).toMatch(message);
  });
});
