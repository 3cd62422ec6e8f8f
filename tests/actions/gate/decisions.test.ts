import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { gitIn } from "../../../eval/gate/git.ts";
import type { Check, VerdictFile } from "../../../eval/schema/verdict.ts";
import { annotationsOf } from "../../../eval/report/annotations.ts";
import { candidateName, changedModels } from "../../../eval/gate/changed-models.ts";
import { commentMarker } from "../../../github/sticky-comment.ts";
import { gitCredentials } from "../../../eval/gate/commits.ts";
import { readEvent } from "../../../eval/gate/event.ts";
import { fileAndLine } from "../../../actions/runner/annotate.ts";
import { escapeWorkflowCommands } from "../../../actions/runner/log.ts";
import { exitCode } from "../../../actions/gate/result.ts";
import { withStableNames } from "../../../scripts/build/stable-names.ts";

const [a, b, zero] = ["a".repeat(40), "b".repeat(40), "0".repeat(40)];
const repository = { default_branch: "main" };

describe("what an event means", () => {
  it("merge group: its base for baseline and thresholds", () => {
    const { baseline, policy, pullRequest } = readEvent(
      "merge_group",
      { merge_group: { base_sha: a, head_sha: b } },
      b,
      "refs/heads/gh-readonly-queue/main/pr-1",
    );
    expect(baseline).toMatchObject({ kind: "commit", commit: a });
    expect(policy).toMatchObject({ kind: "commit", commit: a });
    expect(pullRequest).toBeNull();
  });

  it("the first push of a branch: the merge base with the default branch", () => {
    expect(
      readEvent("push", { before: zero, after: b, ref: "refs/heads/topic", repository }, b, "refs/heads/topic")
        .baseline,
    ).toEqual({ kind: "merge-base", base: "main", head: b });
  });

  it("by hand on the default branch: that commit's own production version", () => {
    expect(readEvent("workflow_dispatch", { repository }, b, "refs/heads/main").baseline).toMatchObject({
      kind: "commit",
      commit: b,
    });
  });

  it("a pull request whose fork was deleted counts as a fork", () => {
    const base = { sha: a, ref: "main", repo: { full_name: "octo/models" } };
    expect(
      readEvent("pull_request", { pull_request: { number: 1, base, head: { sha: b, ref: "x", repo: null } } }, b, "")
        .pullRequest,
    ).toEqual({ number: 1, fork: true });
  });

  it("a payload that lacks what is needed says which field", () => {
    expect(() => readEvent("pull_request", { pull_request: { number: 1 } }, b, "")).toThrow("pull_request.base");
  });
});

it("the exit code is the verdict's, except for a required comment and a trial run", () => {
  const failed = { status: "failed", why: "403" } as const;
  const auto = { failOn: "not-pass", comment: "auto" } as const;
  expect(exitCode("PASS", 0, failed, auto)).toBe(0);
  expect(exitCode("PASS", 0, failed, { ...auto, comment: "required" })).toBe(5);
  expect(exitCode("INCONCLUSIVE", 3, failed, { ...auto, comment: "required" })).toBe(3);
  expect(exitCode("FAIL", 1, failed, { ...auto, failOn: "nothing" })).toBe(0);
  expect(exitCode("ERROR", 2, failed, { ...auto, failOn: "nothing" })).toBe(2);
});

describe("annotations", () => {
  const failing = (line: number, advisory = false): Check => ({
    id: `c${line}`,
    metric: "mae",
    head: null,
    slice: "all",
    kind: "limit",
    observed: 2,
    baseline: null,
    difference: null,
    interval: null,
    margin: null,
    scale: "absolute",
    limit: { min: null, max: 1, confident: false },
    direction: "lower",
    n: 9,
    unit: "",
    verdict: "FAIL",
    reason: "2 > 1",
    declaredAt: { file: "models/m/model.yaml", line },
    advisory,
  });
  const file = (checks: Check[]): VerdictFile => ({
    schemaVersion: 1,
    verdict: "FAIL",
    reason: "",
    commit: null,
    sluiceVersion: "0",
    createdAt: "2026-11-21T08:00:00.000Z",
    models: [
      {
        model: { id: "m", version: "1.0.0", task: "regression", sha256: "" },
        baseline: null,
        baselineSource: "",
        dataset: null,
        verdict: "FAIL",
        reason: "",
        checks,
        notes: [],
        policySource: "",
        policyChanges: [],
      },
    ],
  });

  it("stop at ten, the tenth counting the rest, and leave advisory checks out", () => {
    expect(annotationsOf(file([failing(3), failing(4, true)])).map(({ line }) => line)).toEqual([3]);
    const many = annotationsOf(file(Array.from({ length: 14 }, (_, i) => failing(i + 1))));
    expect(many).toHaveLength(10);
    expect(many[9]?.message).toBe("5 more checks did not pass; see the step summary");
  });

  it("find the file of a complaint from the workspace", () => {
    expect(fileAndLine("/w/repo/models/m/model.yaml:7:3 gates", "/w/repo")).toEqual({
      file: "models/m/model.yaml",
      line: 7,
    });
    expect(fileAndLine("--baseline", "/w/repo")).toBeNull();
  });
});

it("text from a repository cannot command the runner", () => {
  for (const text of ["::error::x", "a\n  ::set-env name=x::y", "##[group]x", ":::add-mask::x"])
    expect(escapeWorkflowCommands(text)).not.toMatch(/^\s*::|##\[/m);
});

it("a marker cannot be closed from inside", () => {
  expect(commentMarker("a --><b>.yaml", ["x", "--"])).toMatch(/^<!-- (?:(?!--)[\w.,=/ -])+ -->$/);
  expect(commentMarker("s.yaml", ["b", "a"])).toBe(commentMarker("s.yaml", ["a", "b"]));
});

it("folders that only share a prefix are not affected", () => {
  expect(changedModels(["models/mood2/model.yaml"], ["models/mood", "models/mood2/"], []).models).toEqual([
    "models/mood2/",
  ]);
});

it("git sends the token in one Authorization header, whatever a checkout left behind, and to no other server", async () => {
  const seen: (string[] | undefined)[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headersDistinct.authorization);
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const folder = mkdtempSync(join(tmpdir(), "sluice-git-"));
  const plain = gitIn(folder, { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null" });
  try {
    await plain(["init", "-q"]);
    await plain(["config", `http.${url}/.extraheader`, "AUTHORIZATION: basic left-behind"]);
    const ask = (server: string) =>
      gitIn(folder, { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", ...gitCredentials(server, "t") })([
        "ls-remote",
        `${url}/octo/models`,
      ]);
    await ask(`${url}/`);
    await ask("https://github.com");
    expect(seen[0]).toEqual([`basic ${Buffer.from("x-access-token:t").toString("base64")}`]);
    expect(seen.at(-1)).toEqual(["basic left-behind"]);
  } finally {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

it("names of chunks do not depend on their content", () => {
  const output = (source: string, bytes: number) => ({
    bytes,
    imports: [],
    exports: [],
    inputs: { [source]: { bytesInOutput: bytes } },
  });
  const build = (hash: string) =>
    withStableNames(
      [
        { name: "main.js", bytes: Buffer.from(`import "./chunk-${hash}.js";import("./lib-${hash}.js")`) },
        { name: `chunk-${hash}.js`, bytes: Buffer.from("") },
        { name: `lib-${hash}.js`, bytes: Buffer.from("") },
      ],
      {
        inputs: {},
        outputs: {
          "d/main.js": { ...output("a/main.ts", 1), entryPoint: "a/main.ts" },
          [`d/chunk-${hash}.js`]: output("node_modules/zod/v4/core.js", 9),
          [`d/lib-${hash}.js`]: output("node_modules/@x/lib/index.js", 9),
        },
      },
      ["main.js"],
    ).map(({ name, bytes }) => [name, Buffer.from(bytes).toString()]);
  expect(build("AAAA1111")).toEqual(build("BBBB2222"));
  expect(build("AAAA1111")[0]).toEqual(["main.js", 'import "./chunk-zod.js";import("./chunk-x-lib.js")']);
});

it("a candidate's name is what its model.yaml says, where that is harmless, else its folder's", async () => {
  const dir = mkdtempSync(join(tmpdir(), "sluice-names-"));
  const named = async (folder: string, yaml: string) => {
    mkdirSync(join(dir, folder));
    writeFileSync(join(dir, folder, "model.yaml"), yaml);
    return candidateName(join(dir, folder));
  };
  try {
    expect(await named("a", "id: mood\nversion: 1.1.0\n")).toBe("mood@1.1.0");
    expect(await named("b", "id: mood\nversion: 1.1\n")).toBe("mood@1.1");
    expect(await named("c", 'id: "x y\\nmodels=[]"\nversion: "$(id)"\n')).toBe("c");
    expect(await named("d", "id: [mood\n")).toBe("d");
    expect(await candidateName(join(dir, "nowhere"))).toBe("nowhere");
  } finally {
    rmSync(dir, { recursive: true });
  }
});
