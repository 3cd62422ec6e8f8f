import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { eventsOf, type Step, type Workflow } from "../../workflows/workflow.ts";
import { repositoryRoot } from "./runner.ts";

const folder = join(repositoryRoot, ".github/workflows");
const workflows = readdirSync(folder).map((name) => {
  const text = readFileSync(join(folder, name), "utf8");
  return { name, text, workflow: parse(text) as Workflow };
});
const steps = (workflow: Workflow): Step[] => Object.values(workflow.jobs ?? {}).flatMap((job) => job.steps ?? []);
const named = (name: string) => workflows.find((one) => one.name === name)!;

it("the workflows install the image library in the version that the bundles look for", () => {
  const { dependencies } = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8")) as {
    dependencies: { sharp: string };
  };
  const scripts = workflows
    .flatMap(({ workflow }) => steps(workflow))
    .filter(({ name }) => name?.startsWith("Image library"))
    .map(({ run }) => run ?? "");
  expect(scripts.length).toBe(2);
  for (const script of scripts) {
    expect(script).toContain(`sluice-sharp/${dependencies.sharp}"`);
    expect(script).toContain(`--ignore-scripts sharp@${dependencies.sharp}\n`);
  }
});

it("the workflows install what decodes sound in the versions that the bundles look for", () => {
  const { dependencies } = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  const standIn = readFileSync(join(repositoryRoot, "actions/runner/runtime/audio.cjs"), "utf8");
  const names = [...standIn.matchAll(/node_modules\/([^"]+)\/package\.json"/g)].map(([, name]) => name!);
  expect(names).toContain("mediabunny");
  const scripts = workflows
    .flatMap(({ workflow }) => steps(workflow))
    .filter(({ name }) => name?.startsWith("Audio libraries"))
    .map(({ run }) => run ?? "");
  expect(scripts.length).toBe(2);
  for (const script of scripts) {
    expect(script).toContain(`sluice-audio/${dependencies["mediabunny"]}"`);
    for (const name of names) expect(script).toContain(` ${name}@${dependencies[name]}`);
  }
});

describe("the required check", () => {
  const gate = named("gate.yml").workflow;

  it("runs on pull requests and merge groups, unfiltered, and can be called", () => {
    expect(eventsOf(gate.on)).toEqual(
      expect.arrayContaining(["pull_request", "merge_group", "push", "workflow_dispatch", "workflow_call"]),
    );
    // By default GitHub leaves out `edited`, which tells of another base.
    expect(gate.on).toMatchObject({
      pull_request: { types: ["opened", "synchronize", "reopened", "edited"] },
      merge_group: null,
    });
  });

  it("ends in a job that always runs, but for an edited title, and that waits for all others", () => {
    const { gate: last, ...others } = gate.jobs ?? {};
    expect(last?.if).toBe("${{ always() && (github.event.action != 'edited' || github.event.changes.base) }}");
    expect([...(last?.needs ?? [])].sort()).toEqual(Object.keys(others).sort());
  });
});

it("the workflow with write access to forks' pull requests checks out nothing of theirs", () => {
  const { workflow, text } = named("gate-comment.yml");
  expect(eventsOf(workflow.on)).toEqual(["workflow_run", "workflow_call"]);
  for (const step of steps(workflow).filter((one) => one.uses?.startsWith("actions/checkout@"))) {
    expect(step.with).toMatchObject({ repository: "${{ job.workflow_repository }}", ref: "${{ job.workflow_sha }}" });
  }
  expect(text).not.toMatch(/ref: .*head_(sha|branch)/);
  // What a run left behind must be checked before anything is sent to people.
  const notifyStep = steps(workflow).findIndex((one) => one.uses?.endsWith("/actions/notify"));
  expect(steps(workflow)[notifyStep - 1]).toMatchObject({
    id: "report",
    uses: expect.stringMatching(/gate\/report$/) as string,
  });
  expect(steps(workflow)[notifyStep]?.if).toContain("steps.report.outputs.pull-request != ''");
});

it("only files that the gate wrote itself are kept, because a pull request can contain files of the same names", () => {
  const upload = steps(named("gate.yml").workflow).find((one) =>
    String(one.with?.["name"]).startsWith("${{ env.ARTIFACT }}-"),
  );
  expect(upload?.if).toContain("steps.gate.outputs.verdict != ''");
});

describe("the card", () => {
  const jobs = ["gate.yml", "gate-comment.yml", "deploy.yml"].flatMap((name) =>
    Object.entries(named(name).workflow.jobs ?? {}).map(([id, job]) => ({ id: `${name}, ${id}`, job })),
  );
  const telling = jobs.flatMap(({ id, job }) =>
    (job.steps ?? []).filter((step) => step.uses?.endsWith("/actions/notify")).map((step) => ({ id, job, step })),
  );

  it("goes through a candidate's whole life", () => {
    expect(
      telling.map(
        ({ id, step }) =>
          `${id}: ${String(step.with?.["phase"] ?? (step.with?.["verdict"] === undefined ? "evaluating" : "verdict"))}`,
      ),
    ).toEqual([
      "gate.yml, evaluating: evaluating",
      "gate.yml, gate: verdict",
      "gate-comment.yml, comment: verdict",
      "deploy.yml, waiting: waiting",
      "deploy.yml, deploy: build",
      "deploy.yml, deploy: ${{ steps.deploy.outcome == 'failure' && 'failed' || 'auto' }}",
      "deploy.yml, waiting-to-promote: waiting",
      "deploy.yml, promote: build",
      "deploy.yml, promote: ${{ steps.deploy.outcome == 'failure' && 'failed' || 'auto' }}",
      "deploy.yml, not-let-through: failed",
    ]);
  });

  it.each(telling)(
    "is updated by $id, which has the secret, can remember the card and cannot fail the job",
    ({ job, step }) => {
      expect(step["continue-on-error"]).toBe(true);
      expect(step.with).toMatchObject({
        token: "${{ secrets.TELEGRAM_BOT_TOKEN }}",
        chat: "${{ vars.TELEGRAM_CHAT_ID }}",
      });
      expect(job.permissions).toMatchObject({ "pull-requests": "write" });
      expect(`${job.if ?? ""} ${step.if ?? ""}`).toContain("vars.TELEGRAM_CHAT_ID != ''");
    },
  );

  it("asks for approval from a job that waits for nobody and cannot delay the deployment", () => {
    const deploy = named("deploy.yml").workflow.jobs ?? {};
    for (const id of ["waiting", "waiting-to-promote"])
      expect(deploy[id]).toMatchObject({ "continue-on-error": true, permissions: { actions: "read" } });
    for (const id of ["waiting", "waiting-to-promote"]) expect(deploy[id]).not.toHaveProperty("environment");
    expect(deploy["deploy"]?.if).toContain("!cancelled()");
    expect(deploy["promote"]?.if).toContain("!cancelled()");
  });
});
