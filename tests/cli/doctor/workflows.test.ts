import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { workflows } from "../../../cli/doctor/workflows.ts";
import { workflowsFor } from "../../../eval/init/workflows.ts";

const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});

function findings(files: Record<string, string>) {
  const root = mkdtempSync(join(tmpdir(), "sluice-doctor-"));
  dirs.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return workflows({ root }).map(({ name, status, says }) => [name, status, says]);
}
const gate = (uses: string, more = "name: gate\non: pull_request") =>
  `${more}\njobs:\n  gate:\n    permissions: {contents: read, pull-requests: write}\n    uses: ${uses}\n`;
const file = ".github/workflows/gate.yml";

it("those that init writes are in order", () => {
  const [first] = workflowsFor({ repository: "octo/sluice", version: "1.2.3", commit: "a".repeat(40) });
  expect(findings({ [first!.path]: first!.text })).toEqual([
    [file, "ok", `it gates pull requests by ${"a".repeat(12)}`],
  ]);
});

it.each([
  ["a branch", gate("octo/sluice/.github/workflows/gate.yml@main"), "warning", /follows main/],
  [
    "a push alone",
    gate("octo/sluice/.github/workflows/gate.yml@v1", "name: gate\non: push"),
    "broken",
    /no pull request/,
  ],
  [
    "another name",
    gate("octo/sluice/.github/workflows/gate.yml@v1", "name: checks\non: pull_request"),
    "warning",
    /"gate"/,
  ],
  [
    "too few permissions",
    gate("octo/sluice/.github/workflows/gate.yml@v1").replace("pull-requests: write", "pull-requests: read"),
    "broken",
    /does not start/,
  ],
  ["no YAML", "jobs: [\n", "broken", /no YAML/],
  [
    "the action itself",
    "on: [pull_request]\njobs: {gate: {steps: [{uses: octo/sluice/actions/gate@v1.2.3}]}}\n",
    "ok",
    /by v1\.2\.3/,
  ],
])("%s", (_, text, status, says) => {
  const [[name, got, words] = []] = findings({ [file]: text });
  expect([name, got]).toEqual([file, status]);
  expect(words).toMatch(says);
});

it("none at all", () => {
  expect(findings({})).toMatchObject([["workflows", "warning", "none gates pull requests"]]);
  expect(findings({ [file]: "on: push\njobs:\n" })).toMatchObject([["workflows", "warning", expect.any(String)]]);
});
