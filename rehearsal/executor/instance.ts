import { isUntrusted, workflowRef, type RunFacts } from "./contexts.ts";
import { asText, interpolate, type Contexts, type Functions, type Json } from "./expressions.ts";
import { JobRunner, messageOf } from "./job-runner.ts";
import type { Activity } from "./activity.ts";
import type { ConcurrencyGroups, Slots } from "./concurrency.ts";
import type { JobDeps } from "./job.ts";
import type { JobRecord, Permissions, RunRecord } from "./platform.ts";
import type { Prepared } from "./prepare.ts";
import type { Reviews } from "./reviews.ts";
import type { Job } from "./workflow.ts";

export type RunDeps = JobDeps & {
  activity: Activity;
  slots: Slots;
  groups: ConcurrencyGroups;
  nextJobId: () => number;
  repositories: ReadonlyMap<string, string>;
};
export type Result = "success" | "failure" | "cancelled" | "skipped";
/** One workflow that is being executed: the run's own, or one that a job calls. */
export type Frame = {
  prepared: Prepared;
  inputs: Record<string, Json>;
  secrets: Record<string, string>;
  keyPrefix: string;
  namePrefix: string;
  signal: AbortSignal;
  cancel: (why: string) => void;
  /** The concurrency groups that it holds, including its callers'. */
  held: Set<string>;
};
/** One job of a matrix, or the only one. */
export type Instance = {
  frame: Frame;
  key: string;
  job: Job;
  record: JobRecord;
  contexts: Contexts;
  permissions: Permissions;
  signal: AbortSignal;
  cancel: (why: string) => void;
};

/** The parts of a run that its instances use. */
export type InstanceRun = {
  readonly record: RunRecord;
  readonly facts: RunFacts;
  readonly deps: RunDeps;
  readonly reviews: Reviews;
  readonly vars: Readonly<Record<string, string>>;
  changed: (job?: JobRecord) => void;
  /** Waits for a `concurrency:` group; null if replaced or cancelled. */
  enter: (
    concurrency: unknown,
    scope: { contexts: Contexts; functions?: Functions },
    target: { signal: AbortSignal; cancel: (why: string) => void },
    held: Set<string>,
    busy: { rest: () => () => void },
  ) => Promise<(() => void) | null>;
  jobContext: (instance: Instance) => Record<string, Json>;
};

type Busy = { end: () => void; rest: () => () => void };

function environmentName(instance: Instance): string {
  const { environment } = instance.job;
  if (environment === undefined || environment === null) return "";
  const named = typeof environment === "object" ? (environment as { name?: unknown }).name : environment;
  return asText(interpolate(named ?? "", { contexts: instance.contexts }));
}

/**
 * Runs one job until its conclusion: waits for its concurrency group, its environment's reviewers and a free slot on
 * the runner, then runs its steps.
 */
export async function runInstance(
  run: InstanceRun,
  instance: Instance,
  busy: Busy,
  cancelled: boolean,
): Promise<{ conclusion: Result; outputs: Record<string, string> }> {
  const { record, job, signal } = instance;
  const { deps, facts } = run;
  const finish = (conclusion: Result, outputs: Record<string, string> = {}) => {
    record.status = "completed";
    record.conclusion = conclusion;
    record.completedAt = deps.now().toISOString();
    run.changed(record);
    return { conclusion, outputs };
  };
  const releases: (() => void)[] = [];
  try {
    if (cancelled) return finish("cancelled");
    const release = await run.enter(
      job.concurrency,
      { contexts: instance.contexts },
      instance,
      new Set(instance.frame.held),
      busy,
    );
    if (release === null) return finish("cancelled");
    releases.push(release);
    const name = environmentName(instance);
    record.environment = name === "" ? null : name;
    if (name !== "" && deps.platform.environment(facts.event.repository, name).reviewers.length > 0) {
      record.status = "waiting";
      const answer = run.reviews.wait(name, record.key, signal);
      run.changed(record);
      const over = busy.rest();
      const said = await answer;
      over();
      if (said !== "approved") return finish(said === "cancelled" ? "cancelled" : "failure");
      record.status = "queued";
      run.changed(record);
    }
    const back = await deps.slots.acquire(signal);
    if (back === null) return finish("cancelled");
    releases.push(back);
    const { conclusion, outputs } = await new JobRunner(planOf(run, instance, name), deps).run();
    return finish(conclusion, outputs);
  } catch (error) {
    record.log += `##[error]${messageOf(error)}\n`;
    record.annotations.push({
      level: "failure",
      title: "",
      message: messageOf(error),
      path: instance.frame.prepared.source.path,
      line: null,
    });
    return finish("failure");
  } finally {
    for (const release of releases) release();
  }
}

function planOf(run: InstanceRun, instance: Instance, environment: string) {
  const { deps, facts } = run;
  const { event } = facts;
  const { frame, job, record, permissions } = instance;
  const untrusted = isUntrusted(event);
  // The environment's secrets that are not the repository's. The repository's own come from the frame, where a call may
  // have restricted them.
  const repositorySecrets = deps.platform.secrets(event.repository, null);
  const environmentSecrets =
    untrusted || environment === ""
      ? {}
      : Object.fromEntries(
          Object.entries(deps.platform.secrets(event.repository, environment)).filter(
            ([name, value]) => repositorySecrets[name] !== value,
          ),
        );
  const vars =
    untrusted || environment === ""
      ? run.vars
      : { ...run.vars, ...deps.platform.variables(event.repository, environment) };
  const contexts = {
    ...instance.contexts,
    secrets: { ...frame.secrets, ...environmentSecrets } as Record<string, Json>,
    vars,
    job: run.jobContext(instance),
  };
  const claims = () =>
    deps.platform.issueOidc({
      repository: event.repository,
      ref: event.ref,
      sha: event.sha,
      environment: environment === "" ? null : environment,
      workflowRef: workflowRef(facts.source),
      jobWorkflowRef: workflowRef(frame.prepared.source),
      runId: run.record.id,
      actor: event.actor,
      eventName: event.name,
    });
  return {
    record,
    run: run.record,
    key: instance.key,
    job,
    workflow: frame.prepared.workflow,
    contexts,
    permissions,
    oidc: permissions["id-token"] === "write" ? claims : null,
    repositories: deps.repositories,
    signal: instance.signal,
  };
}
