import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { actions } from "../../scripts/build/action-metadata.ts";
import { repositoryRoot } from "./runner.ts";

type Step = { uses?: string; run?: string; with?: Record<string, unknown> };
type Job = { "timeout-minutes"?: number; permissions?: unknown; steps?: Step[]; uses?: string; if?: string; needs?: string | string[] };
type Workflow = { on: Record<string, unknown>; permissions: unknown; concurrency: unknown; jobs: Record<string, Job> };

const folder = join(repositoryRoot, ".github/workflows");
const workflows = readdirSync(folder).map((name) => {
  const text = readFileSync(join(folder, name), "utf8");
  return { name, text, workflow: parse(text) as Workflow };
});
const steps = (workflow: Workflow) => Object.values(workflow.jobs).flatMap((job) => job.steps ?? []);

describe.each(workflows)("$name", ({ text, workflow }) => {
  it("grants nothing at the top and what is needed per job", () => {
    expect(workflow.permissions).toEqual({});
    for (const job of Object.values(workflow.jobs)) expect(job.permissions).toBeTypeOf("object");
  });

  it("bounds every job in time and cancels what is overtaken", () => {
    expect(workflow.concurrency).toBeTypeOf("object");
    for (const job of Object.values(workflow.jobs)) expect(job["timeout-minutes"]).toBeGreaterThan(0);
  });

  it("pins other people's actions by full SHA, with the version in words", () => {
    const used = [...text.matchAll(/^[^#\n]*uses: (\S+)(.*)$/gm)].map((one) => ({ action: one[1] as string, comment: one[2] as string }));
    expect(used.length).toBeGreaterThan(0);
    for (const { action, comment } of used.filter((one) => !one.action.startsWith("./"))) {
      expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
      expect(comment).toMatch(/^ # v\d+\.\d+\.\d+$/);
    }
  });

  it("leaves no token behind in a checkout", () => {
    for (const step of steps(workflow).filter((one) => one.uses?.startsWith("actions/checkout@"))) expect(step.with?.["persist-credentials"]).toBe(false);
  });

  it("writes no expression into a script", () => {
    for (const step of steps(workflow)) expect(step.run ?? "").not.toContain("${{");
  });

  it("gives our own actions only inputs that they have", () => {
    for (const step of steps(workflow)) {
      const own = actions.find((action) => step.uses === `./.sluice-action/${action.folder}`);
      if (step.uses?.startsWith("./") === true) expect(own).toBeDefined();
      for (const name of own === undefined ? [] : Object.keys(step.with ?? {})) expect(Object.keys(own!.inputs.shape)).toContain(name);
    }
  });
});

describe("the required check", () => {
  const gate = workflows.find(({ name }) => name === "gate.yml")!.workflow;

  it("runs on pull requests and merge groups, unfiltered, and can be called", () => {
    expect(Object.keys(gate.on)).toEqual(expect.arrayContaining(["pull_request", "merge_group", "push", "workflow_dispatch", "workflow_call"]));
    expect(gate.on["pull_request"]).toBeNull();
    expect(gate.on["merge_group"]).toBeNull();
  });

  it("ends in a job that always runs and that waits for all others", () => {
    const { gate: last, ...others } = gate.jobs;
    expect(last?.if).toBe("always()");
    expect([...(last?.needs ?? [])].sort()).toEqual(Object.keys(others).sort());
  });
});

it("the workflow with write access to forks' pull requests checks out nothing of theirs", () => {
  const { workflow, text } = workflows.find(({ name }) => name === "gate-comment.yml")!;
  expect(Object.keys(workflow.on)).toEqual(["workflow_run"]);
  for (const step of steps(workflow).filter((one) => one.uses?.startsWith("actions/checkout@"))) {
    expect(step.with).toMatchObject({ repository: "${{ job.workflow_repository }}", ref: "${{ job.workflow_sha }}" });
  }
  expect(text).not.toMatch(/ref: .*head_(sha|branch)/);
});
