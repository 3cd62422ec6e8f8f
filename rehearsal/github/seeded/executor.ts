import type { Executor, Review, RunRecord, TriggerEvent } from "../../executor/platform.ts";
import { DispatchRefused } from "../../executor/triggers.ts";
import { addRun, type GitHubState, type StoredRun } from "./state.ts";

/** The runs in the state. A dispatch adds one that stays queued. Nothing is ever executed. */
export class SeededExecutor implements Executor {
  readonly #state: GitHubState;
  readonly #repositoryId: (owner: string) => number;

  constructor(state: GitHubState, repositoryId: (owner: string) => number) {
    this.#state = state;
    this.#repositoryId = repositoryId;
  }

  get runs(): RunRecord[] {
    return this.#state.workflows.runs.map((run) => this.#record(run));
  }

  async trigger(event: TriggerEvent): Promise<readonly RunRecord[]> {
    if (event.name !== "workflow_dispatch") return [];
    const { workflowFile: file = "", inputs = {} } = event;
    const allowed = this.#state.workflows.workflows[file]?.inputs;
    if (allowed === undefined) throw new DispatchRefused(404, "Not Found");
    const unexpected = Object.keys(inputs).filter((name) => !allowed.includes(name));
    if (unexpected.length > 0)
      throw new DispatchRefused(422, `Unexpected inputs provided: ${JSON.stringify(unexpected)}`);
    const run = addRun(this.#state.workflows, {
      file,
      event: event.name,
      status: "queued",
      sha: event.sha,
      branch: event.headBranch,
      actor: event.actor,
      inputs,
      title: ["Deploy", inputs["model"], inputs["request"]].filter(Boolean).join(" "),
    });
    return [this.#record(run)];
  }

  review(
    runId: number,
    environmentIds: readonly number[],
    { state, user, comment }: Omit<Review, "environment">,
  ): void {
    const run = this.#state.workflows.runs.find(({ id }) => id === runId);
    if (run === undefined) throw new Error(`no run ${runId} was seeded`);
    const meant = run.pending.filter(({ id }) => environmentIds.includes(id));
    run.reviews.push(...meant.map(({ name }) => ({ state, user, comment, environment: name })));
    run.pending = run.pending.filter((one) => !meant.includes(one));
    if (run.pending.length > 0) return;
    if (state === "approved") run.status = "in_progress";
    else Object.assign(run, { status: "completed", conclusion: "failure" });
  }

  cancel(runId: number): void {
    const run = this.#state.workflows.runs.find(({ id }) => id === runId);
    if (run !== undefined) Object.assign(run, { status: "completed", conclusion: "cancelled" });
  }

  async idle(): Promise<void> {}
  async close(): Promise<void> {}

  /** @param id of an artifact: ten times its run's id, plus its index there */
  archive(id: number): Buffer | undefined {
    return this.#state.workflows.runs.find((run) => run.id === Math.floor(id / 10))?.artifacts[id % 10]?.zip;
  }

  #record(run: StoredRun): RunRecord {
    const { repository } = this.#state;
    const [owner = "", name = ""] = repository.split("/");
    const from = run.fork ?? owner;
    return {
      id: run.id,
      repository,
      workflowFile: run.file,
      workflowName: run.name,
      displayTitle: run.title,
      event: run.event as RunRecord["event"],
      attempt: 1,
      status: run.status,
      conclusion: run.conclusion,
      headSha: run.sha,
      headBranch: run.branch,
      headRepository: { id: this.#repositoryId(from), fullName: `${from}/${name}`, fork: run.fork !== undefined },
      actor: run.actor,
      pullRequests: [],
      createdAt: run.createdAt,
      updatedAt: run.updatedAt,
      jobs: run.jobs,
      artifacts: run.artifacts.map((artifact, i) => ({
        id: run.id * 10 + i,
        runId: run.id,
        name: artifact.name,
        path: "",
        sizeBytes: artifact.zip?.length ?? 1000,
        digest: artifact.digest,
        createdAt: run.createdAt,
        expired: artifact.zip === undefined,
      })),
      pending: run.pending.map((one) => ({ ...one, jobKeys: [] })),
      reviews: run.reviews,
      inputs: run.inputs,
    };
  }
}
