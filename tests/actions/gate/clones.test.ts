import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { requireContract } from "../../../rehearsal/github/openapi.ts";
import { startGitHub, type SeededGitHub } from "../../../rehearsal/github/seeded/github.ts";
import type { GitHubState } from "../../../rehearsal/github/seeded/state.ts";
import type { VerdictFile } from "../../../eval/schema/verdict.ts";
import { makeRepository, pullRequest, withChecks, type ModelRepository } from "./repository.ts";
import { git, runStep, unpackAction, type UnpackedAction } from "./runner.ts";

const lenient = "{kind: limit, metric: mae, max: 1000}";
const strict = "{kind: limit, metric: mae, max: 100}";

let action: UnpackedAction;
let github: SeededGitHub | undefined;
let upstream: ModelRepository;
let clone: string;
/** The base branch's newest commit, which the pull request does not contain and whose thresholds are stricter. */
let tip: string;

beforeAll(async () => {
  action = await unpackAction({ native: true });
});
afterAll(() => {
  action.remove();
});
beforeEach(() => {
  upstream = makeRepository({ checks: [lenient] });
  git(upstream.dir, "checkout", "-q", "main");
  const manifest = join(upstream.dir, "models/births/model.yaml");
  writeFileSync(manifest, withChecks(readFileSync(manifest, "utf8"), [strict]));
  git(upstream.dir, "commit", "-q", "-a", "-m", "stricter");
  tip = git(upstream.dir, "rev-parse", "HEAD");
  clone = mkdtempSync(join(tmpdir(), "sluice-clone-"));
});
afterEach(async () => {
  upstream.remove();
  rmSync(clone, { recursive: true, force: true });
  const transcript = github?.transcript ?? [];
  await github?.close();
  github = undefined;
  requireContract(transcript);
});

function checkout(depth: "full" | "shallow") {
  git(
    tmpdir(),
    "clone",
    "-q",
    ...(depth === "shallow" ? ["--depth=1"] : []),
    "--branch",
    "topic",
    pathToFileURL(upstream.dir).href,
    clone,
  );
}

async function gate(state: Partial<GitHubState>, inputs: Record<string, string> = {}) {
  github = await startGitHub(state);
  const run = await runStep({
    action,
    workspace: clone,
    event: pullRequest({ base: tip, head: upstream.head }),
    sha: upstream.head,
    apiUrl: github.url,
    inputs: { token: "t", performance: "false", comment: "never", ...inputs },
  });
  expect(run.outside).toEqual([]);
  return run;
}

const baselineSource = () => {
  const { models } = JSON.parse(readFileSync(join(clone, ".sluice/verdict.json"), "utf8")) as VerdictFile;
  return models[0]?.baselineSource;
};

describe("the change starts at the merge base, and is judged by the base branch", () => {
  it("in a full clone, without asking GitHub", async () => {
    checkout("full");
    const run = await gate({});
    expect(run.outputs["result"]).toContain(`"baseline":"${upstream.base}"`);
    expect([run.code, run.outputs["verdict"]]).toEqual([1, "FAIL"]);
    expect(baselineSource()).toMatch(`at ${tip.slice(0, 12)}, where the base branch is now`);
    expect(github?.transcript).toEqual([]);
  });

  it("in a shallow clone, by asking GitHub once and fetching two commits", async () => {
    checkout("shallow");
    const run = await gate({ mergeBases: { [`${tip}...${upstream.head}`]: upstream.base } });
    expect(run.outputs["result"]).toContain(`"baseline":"${upstream.base}"`);
    expect([run.code, run.outputs["verdict"]]).toEqual([1, "FAIL"]);
    expect(baselineSource()).toMatch(`at ${tip.slice(0, 12)}, where the base branch is now`);
    expect(github?.transcript.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `GET /repos/octo/models/compare/${tip}...${upstream.head}`,
    ]);
    expect(git(clone, "rev-parse", "--is-shallow-repository")).toBe("true");
  });

  it("in a shallow clone where GitHub does not help, the verdict is ERROR and says what to do", async () => {
    checkout("shallow");
    const run = await gate({});
    expect([run.code, run.outputs["verdict"]]).toEqual([4, "ERROR"]);
    expect(run.log).toContain("fetch-depth: 0");
    expect(run.summary).toContain("fetch-depth: 0");
  });

  it("the same in a shallow clone without a token", async () => {
    checkout("shallow");
    const run = await gate({}, { token: "" });
    expect(run.code).toBe(4);
    expect(run.log).toContain("no token to ask GitHub with");
  });
});

describe("which models a change touches", () => {
  const changed = async (inputs: Record<string, string> = {}) => {
    const run = await runStep({
      action,
      entry: "changed",
      workspace: clone,
      event: pullRequest({ base: tip, head: upstream.head }),
      sha: upstream.head,
      inputs,
    });
    expect(run.code).toBe(0);
    return {
      models: JSON.parse(run.outputs["models"] as string) as string[],
      any: run.outputs["any"],
      candidates: run.outputs["candidates"],
    };
  };

  it("those with a changed file in their folder", async () => {
    checkout("full");
    expect(await changed()).toEqual({
      models: ["models/births"],
      any: "true",
      candidates: expect.stringMatching(/^births@\d+\.\d+\.\d+$/) as string,
    });
  });

  it("none when only other files changed, all when a path that matters to every model did", async () => {
    checkout("full");
    git(clone, "reset", "-q", "--hard", upstream.base);
    writeFileSync(join(clone, "NOTES.md"), "x\n");
    git(clone, "add", "-A");
    git(clone, "commit", "-q", "-m", "notes");
    upstream.head = git(clone, "rev-parse", "HEAD");
    expect(await changed()).toEqual({ models: [], any: "false", candidates: "" });
    expect(await changed({ always: "docs\nNOTES.md" })).toMatchObject({ models: ["models/births"], any: "true" });
  });

  it("never one that a remote provider answers for: there is nothing to judge", async () => {
    checkout("full");
    mkdirSync(join(clone, "models/reply"));
    writeFileSync(join(clone, "models/reply/model.yaml"), "id: reply\nversion: 1.0.0\nbackend: hf-inference\n");
    writeFileSync(join(clone, "sluice.yaml"), "schemaVersion: 1\nmodels: [models/births, models/reply]\n");
    git(clone, "add", "-A");
    git(clone, "commit", "-q", "-m", "a remote model");
    upstream.head = git(clone, "rev-parse", "HEAD");
    expect(await changed()).toMatchObject({
      models: ["models/births"],
      candidates: expect.stringMatching(/^births@\S+$/) as string,
    });
  });

  it("one that had an artifact and now names a provider, because its gate has to refuse it", async () => {
    checkout("full");
    git(clone, "reset", "-q", "--hard", upstream.base);
    writeFileSync(
      join(clone, "models/births/model.yaml"),
      "schemaVersion: 1\nid: births\nversion: 9.0.0\ntask: text-generation\nbackend: hf-inference\nmodel: ORG/NAME\ninputs: {text: {type: text}}\nprompt: {template: '{{text}}'}\n",
    );
    git(clone, "add", "-A");
    git(clone, "commit", "-q", "-m", "nobody needs to measure births any more");
    upstream.head = git(clone, "rev-parse", "HEAD");
    expect(await changed()).toMatchObject({ models: ["models/births"], any: "true" });
  });
});
