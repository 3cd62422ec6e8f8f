import { Octokit } from "@octokit/rest";
import type { Permissions, RunRecord } from "../../../rehearsal/executor/platform.ts";
import { FakeExecutor } from "./fake-executor.ts";
import { GitHub } from "../../../rehearsal/github/github.ts";
import { createRepository } from "../../../rehearsal/github/stories.ts";

export const name = "octo/models";
export const where = { owner: "octo", repo: "models" };
const gateYaml = "name: gate\non: { pull_request: null, push: { branches: [main] } }\njobs: {}\n";
const deployYaml =
  "name: deploy\non:\n  workflow_dispatch:\n    inputs:\n      model: { type: string, required: true }\njobs: {}\n";

/** A repository with a required check, its people, and an executor that the test controls. */
export class Stage {
  readonly github: GitHub;
  readonly executor: FakeExecutor;

  constructor(github: GitHub, executor: FakeExecutor) {
    this.github = github;
    this.executor = executor;
  }

  as(auth: string): Octokit {
    return new Octokit({
      auth,
      baseUrl: this.github.apiUrl,
      log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    });
  }

  person(login: string): Octokit {
    return this.as(this.github.tokenOf(login));
  }

  jobToken(permissions: Permissions, runId = 0): string {
    return this.github.issueToken({ repository: name, runId, jobId: 1, permissions }).token;
  }

  job(permissions: Permissions, runId = 0): Octokit {
    return this.as(this.jobToken(permissions, runId));
  }

  runFor(sha: string): RunRecord {
    return this.executor.runs.findLast((run) => run.headSha === sha && run.workflowFile === "gate.yml") as RunRecord;
  }

  async gateEnds(sha: string, conclusion: "success" | "failure"): Promise<void> {
    const run = this.runFor(sha);
    this.executor.job(run, "gate", { status: "in_progress", startedAt: "2026-11-21T09:00:01Z" });
    this.executor.job(run, "gate", {
      status: "completed",
      conclusion,
      completedAt: "2026-11-21T09:00:02Z",
      annotations: [{ level: "failure", title: "gate", message: "worse", path: null, line: null }],
    });
    this.executor.end(run, conclusion);
    await this.github.settled();
  }

  /** @returns everything in the transcript that violates GitHub's description */
  async close(): Promise<string[]> {
    try {
      await this.github.settled();
      return this.github.violations();
    } finally {
      await this.github.close();
    }
  }
}

export async function openStage(): Promise<Stage> {
  const github = await GitHub.start({ people: ["octo", "ada", "bob", "sluice-bot"] });
  const executor = new FakeExecutor(github, (event) =>
    event.name === "workflow_run" || event.payload["action"] === "closed" ? [] : ["gate.yml"],
  );
  github.attach(executor);
  await createRepository(github, name, {
    files: { "model.txt": "one\n", ".github/workflows/gate.yml": gateYaml, ".github/workflows/deploy.yml": deployYaml },
    requiredChecks: ["gate"],
  });
  await github.addCollaborator(name, "ada", "write");
  await github.addCollaborator(name, "sluice-bot", "write");
  return new Stage(github, executor);
}

/** "STATUS words" of a refused request. */
export const refusal = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => {
      throw new Error("it was allowed");
    },
    (error: { status: number; message: string }) => `${error.status} ${error.message.split(" - https")[0]}`,
  );
