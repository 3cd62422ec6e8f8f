import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Executor, JobRecord, Permissions, Platform, RunRecord, TriggerEvent } from "./platform.ts";
import { Activity } from "./activity.ts";
import { ArtifactStore } from "./artifacts.ts";
import { ConcurrencyGroups, Slots } from "./concurrency.ts";
import type { WorkflowSource } from "./contexts.ts";
import { interpolateText, type Json } from "./expressions.ts";
import { changedPaths, commitMessage, mergeBase, subjectOf, workflowFiles } from "./git.ts";
import { messageOf } from "./job-runner.ts";
import { WorkflowReader, type Prepared } from "./prepare.ts";
import { runnerKillTimeouts, type KillTimeouts } from "./processes.ts";
import { makeRunner } from "./runner.ts";
import { DispatchRefused, inputsOf, listens } from "./triggers.ts";
import type { WorkflowFile } from "./workflow.ts";
import { WorkflowRun } from "./workflow-run.ts";

export type ExecutorOptions = {
  /** An empty directory for the executor alone; removed by close(). */
  directory: string;
  /** Number of jobs that run at the same time, over all runs. */
  parallelJobs?: number;
  /** Variables that every job gets, like those in a self-hosted runner's .env file. */
  environment?: Readonly<Record<string, string>>;
  /** RUNNER_TOOL_CACHE; a directory of the executor's own by default. */
  toolCache?: string;
  killTimeouts?: KillTimeouts;
  /** Length in milliseconds of a minute of `timeout-minutes`. */
  minuteMs?: number;
  now?: () => Date;
};

/** Found in the message of the head commit. */
const skips = /\[(skip ci|ci skip|no ci|skip actions|actions skip)\]/;

/** Starts an executor on this machine; see contract.ts. Jobs run in directories below `directory`. */
export async function createExecutor(
  platform: Platform,
  {
    directory,
    parallelJobs = 2,
    environment = {},
    toolCache,
    killTimeouts = runnerKillTimeouts,
    minuteMs = 60_000,
    now = () => new Date(),
  }: ExecutorOptions,
): Promise<Executor> {
  await mkdir(directory, { recursive: true });
  const closing = new AbortController();
  const runner = await makeRunner({
    directory,
    environment,
    killTimeouts,
    minuteMs,
    closing: closing.signal,
    ...(toolCache === undefined ? {} : { toolCache }),
  });
  const records: RunRecord[] = [];
  const runs = new Map<number, WorkflowRun>();
  const finished: Promise<void>[] = [];
  const activity = new Activity();
  const reader = new WorkflowReader(platform);
  const numbers = new Map<string, number>();
  const repositories = new Map<string, string>();
  let nextRunId = 1001;
  let nextJobId = 50_001;
  const deps = {
    platform,
    runner,
    now,
    activity,
    repositories,
    artifacts: new ArtifactStore(join(directory, "artifacts"), now),
    slots: new Slots(parallelJobs),
    groups: new ConcurrencyGroups(),
    tokens: new Map<string, Permissions>(),
    findRun: (id: number) => records.find((one) => one.id === id),
    nextJobId: () => {
      nextJobId += 1;
      return nextJobId - 1;
    },
    changed: (run: RunRecord, job?: JobRecord) => {
      runs.get(run.id)?.refresh();
      platform.runChanged(run, job);
    },
  };

  const pathsOf = (event: TriggerEvent) => async (): Promise<string[]> => {
    const git = platform.gitDirectory(event.repository);
    if (event.name === "push") {
      const before = String(event.payload["before"] ?? "");
      return changedPaths(git, /^0*$/.test(before) ? null : before, event.sha);
    }
    const base =
      (event.payload["pull_request"] as { base?: { sha?: string } } | undefined)?.base?.sha ?? `${event.sha}^1`;
    return changedPaths(git, await mergeBase(git, base, event.headSha), event.headSha);
  };

  async function titleOf(
    event: TriggerEvent,
    { workflow }: WorkflowFile,
    name: string,
    { github, vars }: WorkflowRun,
    inputs: Record<string, Json>,
  ): Promise<string> {
    const own =
      workflow["run-name"] === undefined
        ? ""
        : interpolateText(workflow["run-name"], { contexts: { github, inputs, vars } }).trim();
    if (own !== "") return own;
    if (event.name === "pull_request")
      return String((event.payload["pull_request"] as { title?: string } | undefined)?.title ?? name);
    if (event.name === "push" || event.name === "merge_group")
      return subjectOf(platform.gitDirectory(event.repository), event.sha);
    return name;
  }

  async function start(event: TriggerEvent, file: WorkflowFile): Promise<RunRecord> {
    const path = `.github/workflows/${file.name}`;
    const source: WorkflowSource = { repository: event.repository, sha: event.sha, ref: event.ref, path };
    const name = file.workflow.name ?? path;
    const inputs =
      event.name === "workflow_dispatch"
        ? inputsOf(file.workflow.events["workflow_dispatch"]?.inputs, event.inputs ?? {})
        : {};
    const triggered: TriggerEvent =
      event.name === "workflow_dispatch"
        ? {
            ...event,
            payload: {
              ...event.payload,
              inputs: Object.fromEntries(Object.entries(inputs).map(([key, value]) => [key, String(value)])),
            },
          }
        : event;
    const pull = event.payload["pull_request"] as { number?: number } | undefined;
    const number = (numbers.get(`${event.repository} ${path}`) ?? 0) + 1;
    numbers.set(`${event.repository} ${path}`, number);
    const at = now().toISOString();
    const record: RunRecord = {
      id: nextRunId,
      repository: event.repository,
      workflowFile: file.name,
      workflowName: name,
      displayTitle: name,
      event: event.name,
      attempt: 1,
      status: "queued",
      conclusion: null,
      headSha: event.headSha,
      headBranch: event.headBranch,
      headRepository: event.headRepository,
      actor: event.actor,
      // GitHub lists no pull requests on the runs of a fork.
      pullRequests: pull?.number === undefined || event.headRepository.fork ? [] : [pull.number],
      createdAt: at,
      updatedAt: at,
      jobs: [],
      artifacts: [],
      pending: [],
      reviews: [],
      inputs:
        event.name === "workflow_dispatch"
          ? Object.fromEntries(Object.entries(inputs).map(([key, value]) => [key, String(value)]))
          : null,
    };
    nextRunId += 1;
    records.push(record);
    let prepared: Prepared | null = null;
    const run = new WorkflowRun({ event: triggered, run: record, number, source }, deps);
    runs.set(record.id, run);
    try {
      record.displayTitle = await titleOf(event, file, name, run, inputs);
      prepared = await reader.prepare(source, file, null);
    } catch (error) {
      record.startupError = messageOf(error);
      record.status = "completed";
      record.conclusion = "startup_failure";
    }
    run.changed();
    if (prepared !== null) finished.push(run.execute(prepared, inputs));
    return record;
  }

  async function filesOf(event: TriggerEvent): Promise<WorkflowFile[]> {
    const git = platform.gitDirectory(event.repository);
    repositories.set(`${platform.serverUrl}/${event.repository}`, git);
    const listed = await workflowFiles(git, event.sha);
    const wanted =
      event.name === "workflow_dispatch" ? listed.filter((one) => one.name === event.workflowFile) : listed;
    return Promise.all(wanted.map((one) => reader.file(event.repository, one.name, one.blob)));
  }

  async function trigger(event: TriggerEvent): Promise<RunRecord[]> {
    if (closing.signal.aborted) throw new Error(`the executor is closed; received ${event.name}`);
    const busy = activity.begin();
    try {
      const files = await filesOf(event);
      if (event.name === "workflow_dispatch") {
        const [file] = files;
        if (file === undefined) throw new DispatchRefused(404, "Not Found");
        if (file.workflow.events["workflow_dispatch"] === undefined)
          throw new DispatchRefused(422, "Workflow does not have 'workflow_dispatch' trigger");
        return [await start(event, file)];
      }
      if (
        (event.name === "push" || event.name === "pull_request") &&
        skips.test(await commitMessage(platform.gitDirectory(event.repository), event.headSha))
      )
        return [];
      const started: RunRecord[] = [];
      for (const file of files) {
        // A file that cannot be parsed does not say which events it listens to. On a push, GitHub reports that it is
        // broken.
        const broken =
          file.errors.length > 0 && Object.keys(file.workflow.events).length === 0 && event.name === "push";
        if (broken || (await listens(file.workflow, event, pathsOf(event)))) started.push(await start(event, file));
      }
      return started;
    } finally {
      busy.end();
    }
  }

  const runOf = (id: number): WorkflowRun => {
    const run = runs.get(id);
    if (run === undefined) throw new Error(`there is no run ${id}`);
    return run;
  };

  return {
    runs: records,
    trigger,
    review: (runId, environmentIds, review) => {
      runOf(runId).reviews.review(environmentIds, review);
    },
    cancel: (runId) => {
      runOf(runId).cancel("The run was canceled.");
    },
    idle: () => activity.idle(),
    close: async () => {
      for (const run of runs.values()) run.cancel("The runner was shut down.");
      closing.abort();
      await Promise.all(finished);
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
