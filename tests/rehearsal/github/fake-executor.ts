import type {
  Executor,
  JobRecord,
  Platform,
  Review,
  RunRecord,
  TriggerEvent,
} from "../../../rehearsal/executor/platform.ts";
import { DispatchRefused } from "../../../rehearsal/executor/triggers.ts";

/** An executor that runs nothing. The test controls its runs. */
export class FakeExecutor implements Executor {
  readonly runs: RunRecord[] = [];
  readonly events: TriggerEvent[] = [];
  readonly #platform: Platform;
  /** Which workflow files start for an event. */
  readonly #listens: (event: TriggerEvent) => readonly string[];

  constructor(platform: Platform, listens: (event: TriggerEvent) => readonly string[]) {
    this.#platform = platform;
    this.#listens = listens;
  }

  async trigger(event: TriggerEvent): Promise<readonly RunRecord[]> {
    this.events.push(event);
    if (Object.keys(event.inputs ?? {}).includes("unknown"))
      throw new DispatchRefused(422, 'Unexpected inputs provided: ["unknown"]');
    const files = event.workflowFile === undefined ? this.#listens(event) : [event.workflowFile];
    return files.map((file) => {
      const at = "2026-11-21T09:00:00Z";
      const number = (event.payload["number"] as number | undefined) ?? null;
      const run: RunRecord = {
        id: 900 + this.runs.length,
        repository: event.repository,
        workflowFile: file,
        workflowName: file.replace(".yml", ""),
        displayTitle: `a run of ${file}`,
        event: event.name,
        attempt: 1,
        status: "queued",
        conclusion: null,
        headSha: event.headSha,
        headBranch: event.headBranch,
        headRepository: event.headRepository,
        actor: event.actor,
        pullRequests: number === null ? [] : [number],
        createdAt: at,
        updatedAt: at,
        jobs: [],
        artifacts: [],
        pending: [],
        reviews: [],
        inputs: event.inputs ?? null,
      };
      this.runs.push(run);
      this.#platform.runChanged(run);
      return run;
    });
  }

  /** Creates or updates a job. */
  job(run: RunRecord, key: string, change: Partial<JobRecord>): JobRecord {
    let job = run.jobs.find((one) => one.key === key);
    if (job === undefined) {
      job = {
        id: run.id * 10 + run.jobs.length,
        key,
        name: key,
        status: "queued",
        conclusion: null,
        startedAt: null,
        completedAt: null,
        steps: [],
        log: "",
        summary: "",
        annotations: [],
        environment: null,
      };
      run.jobs.push(job);
    }
    Object.assign(job, change);
    this.#platform.runChanged(run, job);
    return job;
  }

  end(run: RunRecord, conclusion: string): void {
    Object.assign(run, { status: "completed", conclusion });
    this.#platform.runChanged(run);
  }

  review(
    runId: number,
    environmentIds: readonly number[],
    { state, user, comment }: Omit<Review, "environment">,
  ): void {
    const run = this.runs.find(({ id }) => id === runId);
    if (run === undefined) throw new Error(`no run ${runId}`);
    const meant = run.pending.filter(({ id }) => environmentIds.includes(id));
    run.reviews.push(...meant.map(({ name }) => ({ environment: name, state, user, comment })));
    run.pending = run.pending.filter(({ id }) => !environmentIds.includes(id));
    run.status = "in_progress";
    this.#platform.runChanged(run);
  }

  cancel(runId: number): void {
    const run = this.runs.find(({ id }) => id === runId);
    if (run !== undefined) this.end(run, "cancelled");
  }

  idle(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
