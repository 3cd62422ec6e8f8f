import { isUntrusted, workflowRef } from "./contexts.ts";
import { asText, interpolate, type Json } from "./expressions.ts";
import { JobRunner, messageOf } from "./job-runner.ts";
import type { Instance, Result, WorkflowRun } from "./workflow-run.ts";

type Busy = { end: () => void; rest: () => () => void };

function environmentName(instance: Instance): string {
  const { environment } = instance.job;
  if (environment === undefined || environment === null) return "";
  const named = typeof environment === "object" ? (environment as { name?: unknown }).name : environment;
  return asText(interpolate(named ?? "", { contexts: instance.contexts }));
}

/**
 * One job from its turn to its conclusion: its concurrency group, its environment's reviewers, a place on the runner,
 * its steps.
 */
export async function runInstance(
  run: WorkflowRun,
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
  const leaving: (() => void)[] = [];
  try {
    if (cancelled) return finish("cancelled");
    const leave = await run.enter(
      job.concurrency,
      { contexts: instance.contexts },
      instance,
      new Set(instance.frame.held),
      busy,
    );
    if (leave === null) return finish("cancelled");
    leaving.push(leave);
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
    leaving.push(back);
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
    for (const leave of leaving) leave();
  }
}

function planOf(run: WorkflowRun, instance: Instance, environment: string) {
  const { deps, facts } = run;
  const { event } = facts;
  const { frame, job, record, permissions } = instance;
  const untrusted = isUntrusted(event);
  // What the environment holds beyond the repository's own; the latter come through the frame, which a call may narrow.
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
