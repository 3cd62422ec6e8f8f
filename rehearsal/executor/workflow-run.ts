import type { JobRecord, RunRecord } from "./platform.ts";
import { Slots } from "./concurrency.ts";
import { githubContext, isUntrusted, workflowRef, type RunFacts } from "./contexts.ts";
import {
  asText,
  condition,
  interpolate,
  interpolateText,
  interpolateTexts,
  type Contexts,
  type Functions,
  type Json,
} from "./expressions.ts";
import { runInstance, type Frame, type Instance, type InstanceRun, type Result, type RunDeps } from "./instance.ts";
import { messageOf } from "./job-runner.ts";
import { combinationName, combinations, type Combination } from "./matrix.ts";
import { permissionsOf, withoutWrite } from "./permissions.ts";
import type { Prepared } from "./prepare.ts";
import { Reviews } from "./reviews.ts";
import { inputsOf } from "./triggers.ts";
import { needsOf, type Job } from "./workflow.ts";

type NodeResult = {
  result: Result;
  outputs: Record<string, string>;
  /** All jobs that it needs, directly or indirectly. */
  ancestors: ReadonlySet<string>;
};

export class WorkflowRun implements InstanceRun {
  readonly record: RunRecord;
  readonly facts: RunFacts;
  readonly deps: RunDeps;
  readonly reviews: Reviews;
  readonly #abort = new AbortController();
  readonly github: Record<string, Json>;
  readonly vars: Readonly<Record<string, string>>;

  constructor(facts: RunFacts, deps: RunDeps) {
    this.record = facts.run;
    this.facts = facts;
    this.deps = deps;
    this.reviews = new Reviews(facts.run, deps.platform);
    this.github = githubContext(facts, deps.platform);
    this.vars = isUntrusted(facts.event) ? {} : deps.platform.variables(facts.event.repository, null);
  }

  get cancelled(): boolean {
    return this.#abort.signal.aborted;
  }
  cancel(why: string): void {
    this.#abort.abort(why);
  }

  /** Derives the run's status from the status of its jobs. */
  refresh(): void {
    const { record } = this;
    record.updatedAt = this.deps.now().toISOString();
    if (record.status === "completed") return;
    const has = (status: JobRecord["status"]) => record.jobs.some((one) => one.status === status);
    if (has("in_progress")) record.status = "in_progress";
    else if (has("waiting") && !has("queued")) record.status = "waiting";
    else record.status = record.jobs.some((one) => one.startedAt !== null) ? "in_progress" : "queued";
  }

  changed(job?: JobRecord): void {
    this.deps.changed(this.record, job);
  }

  /** Runs to the end; never rejects. */
  async execute(prepared: Prepared, inputs: Record<string, Json>): Promise<void> {
    const busy = this.deps.activity.begin();
    const secrets = isUntrusted(this.facts.event) ? {} : this.deps.platform.secrets(this.facts.event.repository, null);
    const frame: Frame = {
      prepared,
      inputs,
      secrets: { ...secrets },
      keyPrefix: "",
      namePrefix: "",
      signal: this.#abort.signal,
      cancel: (why) => {
        this.cancel(why);
      },
      held: new Set(),
    };
    let conclusion: string;
    try {
      const release = await this.enter(prepared.workflow.concurrency, this.scope(frame), frame, frame.held, busy);
      if (release === null) conclusion = "cancelled";
      else {
        busy.end();
        try {
          const results = await this.#jobs(frame);
          conclusion = conclusionOf([...results.values()].map((one) => one.result));
        } finally {
          release();
        }
        if (this.cancelled && conclusion !== "success") conclusion = "cancelled";
      }
    } catch (error) {
      conclusion = "startup_failure";
      this.record.startupError = messageOf(error);
    }
    this.record.status = "completed";
    this.record.conclusion = conclusion;
    this.changed();
    busy.end();
  }

  /**
   * Waits for a `concurrency:` group and adds it to the held ones; null if replaced or cancelled.
   * @throws Error if it is already held, because waiting would never end
   */
  async enter(
    concurrency: unknown,
    scope: { contexts: Contexts; functions?: Functions },
    target: { signal: AbortSignal; cancel: (why: string) => void },
    held: Set<string>,
    busy: { rest: () => () => void },
  ): Promise<(() => void) | null> {
    if (concurrency === undefined || concurrency === null) return target.signal.aborted ? null : () => {};
    const value = interpolate(concurrency, scope);
    const settings = typeof value === "object" && value !== null ? (value as Record<string, Json>) : { group: value };
    const group = asText(settings["group"] ?? "");
    if (group === "") return () => {};
    if (held.has(group.toLowerCase()))
      throw new Error(
        `Canceling since a deadlock was detected for concurrency group: '${group}' between a workflow and what it calls`,
      );
    held.add(group.toLowerCase());
    return this.deps.groups.enter(this.record.repository, group, {
      cancelInProgress: settings["cancel-in-progress"] === true || settings["cancel-in-progress"] === "true",
      cancel: target.cancel,
      signal: target.signal,
      waiting: () => busy.rest(),
    });
  }

  scope(frame: Frame, more: Contexts = {}, functions: Functions = {}): { contexts: Contexts; functions: Functions } {
    return {
      contexts: { github: this.github, inputs: frame.inputs, vars: this.vars, secrets: frame.secrets, ...more },
      functions,
    };
  }

  async #jobs(frame: Frame): Promise<Map<string, NodeResult>> {
    const results = new Map<string, NodeResult>();
    const started = new Map<string, Promise<void>>();
    const start = (key: string): Promise<void> => {
      const known = started.get(key);
      if (known !== undefined) return known;
      const job = frame.prepared.workflow.jobs[key] as Job;
      const promise = Promise.all(needsOf(job).map(start)).then(async () => {
        const busy = this.deps.activity.begin();
        try {
          results.set(key, await this.#node(frame, key, job, results, busy));
        } finally {
          busy.end();
        }
      });
      started.set(key, promise);
      return promise;
    };
    await Promise.all(Object.keys(frame.prepared.workflow.jobs).map(start));
    return results;
  }

  async #node(
    frame: Frame,
    key: string,
    job: Job,
    results: ReadonlyMap<string, NodeResult>,
    busy: { end: () => void; rest: () => () => void },
  ): Promise<NodeResult> {
    const needs = needsOf(job);
    const ancestors = new Set(needs.flatMap((name) => [name, ...(results.get(name)?.ancestors ?? [])]));
    const result = (outcome: Result, outputs: Record<string, string> = {}): NodeResult => ({
      result: outcome,
      outputs,
      ancestors,
    });
    const resultsOf = (names: readonly string[]) =>
      (names.length > 0 ? names : [...ancestors]).map((name) => results.get(name)?.result);
    const functions: Functions = {
      always: () => true,
      cancelled: () => this.cancelled,
      success: (...names) => !this.cancelled && resultsOf(names).every((one) => one === "success"),
      failure: (...names) => !this.cancelled && resultsOf(names).includes("failure"),
    };
    const needed = Object.fromEntries(
      needs.map((name) => [
        name,
        { result: results.get(name)?.result ?? "skipped", outputs: results.get(name)?.outputs ?? {} },
      ]),
    );
    const scope = this.scope(frame, { needs: needed }, functions);
    try {
      if (!condition(job.if, scope)) {
        this.#addJob(frame, key, displayName(job, key, scope), "skipped");
        return result("skipped");
      }
      const matrix =
        job.strategy?.matrix === undefined ? [null] : combinations(interpolate(job.strategy.matrix, scope));
      if (matrix.length === 0) return result("skipped");
      return await this.#instances(frame, key, job, matrix, scope.contexts, result, busy);
    } catch (error) {
      this.#refused(this.#addJob(frame, key, displayName(job, key, scope), "failure"), frame, error);
      return result("failure");
    }
  }

  async #instances(
    frame: Frame,
    key: string,
    job: Job,
    matrix: readonly (Combination | null)[],
    contexts: Contexts,
    result: (outcome: Result, outputs?: Record<string, string>) => NodeResult,
    busy: { end: () => void },
  ): Promise<NodeResult> {
    const strategyScope = { contexts };
    const failFast = interpolate(job.strategy?.["fail-fast"] ?? true, strategyScope) !== false;
    const parallel = new Slots(
      Number(interpolate(job.strategy?.["max-parallel"] ?? matrix.length, strategyScope)) || matrix.length,
    );
    const outputs: Record<string, string> = {};
    const results: Result[] = [];
    // A job that starts after the run was cancelled (with always()) cleans up, so the cancellation does not end it.
    const base = frame.signal.aborted ? this.deps.runner.closing : frame.signal;
    const instances = matrix.map((combination, index): Instance => {
      const stop = new AbortController();
      const more = {
        strategy: {
          "fail-fast": failFast,
          "job-index": index,
          "job-total": matrix.length,
          "max-parallel": matrix.length,
        },
        matrix: combination,
      };
      const named = combinationName(key, combination ?? {});
      const record = this.#newRecord(
        frame,
        key,
        job.name === undefined ? named : interpolateText(job.name, { contexts: { ...contexts, ...more } }),
      );
      const asked = permissionsOf(frame.prepared.workflow.permissions, job.permissions, frame.prepared.ceiling);
      return {
        frame,
        key,
        job,
        record,
        contexts: { ...contexts, ...more },
        permissions: isUntrusted(this.facts.event) ? withoutWrite(asked) : asked,
        signal: AbortSignal.any([base, stop.signal]),
        cancel: (why) => {
          stop.abort(why);
        },
      };
    });
    if (job.uses === undefined)
      for (const { record } of instances) {
        this.record.jobs.push(record);
        this.changed(record);
      }
    const all = Promise.all(
      instances.map(async (one) => {
        const own = this.deps.activity.begin();
        const back = await parallel.acquire(one.signal);
        const { conclusion, outputs: given } = await (job.uses === undefined
          ? runInstance(this, one, own, back === null)
          : this.#call(one, own).catch((error: unknown) => this.#failed(one, error)));
        back?.();
        const tolerated =
          conclusion === "failure" &&
          interpolate(job["continue-on-error"] ?? false, { contexts: one.contexts }) === true;
        results.push(tolerated ? "success" : conclusion);
        for (const [name, value] of Object.entries(given))
          if (value !== "" || outputs[name] === undefined) outputs[name] = value;
        if (conclusion === "failure" && !tolerated && failFast && matrix.length > 1)
          for (const other of instances)
            if (other !== one)
              other.cancel("The strategy configuration was canceled because another job of the matrix failed");
        own.end();
      }),
    );
    // From here on each instance reports for itself whether it is active or waits.
    busy.end();
    await all;
    return result(conclusionOf(results), outputs);
  }

  /** Runs a job that calls a workflow. */
  async #call(
    { frame, key, job, record, contexts, signal, cancel }: Instance,
    busy: { end: () => void; rest: () => () => void },
  ): Promise<{ conclusion: Result; outputs: Record<string, string> }> {
    const prepared = frame.prepared.called.get(key) as Prepared;
    const definition = prepared.workflow.events["workflow_call"] ?? {};
    const inputs = inputsOf(
      definition.inputs,
      Object.fromEntries(
        Object.entries((interpolate(job.with ?? {}, { contexts }) ?? {}) as Record<string, Json>).filter(
          ([, value]) => value !== null,
        ),
      ),
    );
    const secrets = job.secrets === "inherit" ? frame.secrets : interpolateTexts(job.secrets, { contexts });
    for (const [name, one] of Object.entries(definition.secrets ?? {}))
      if (one?.required === true && (secrets[name] ?? "") === "")
        throw new Error(`Secret ${name} is required, but not provided while calling.`);
    const inner: Frame = {
      prepared,
      inputs,
      secrets,
      signal,
      cancel,
      keyPrefix: `${frame.keyPrefix}${key}/`,
      namePrefix: `${record.name} / `,
      held: new Set(frame.held),
    };
    const releaseJob = await this.enter(job.concurrency, { contexts }, inner, inner.held, busy);
    if (releaseJob === null) return { conclusion: "cancelled", outputs: {} };
    const release = await this.enter(prepared.workflow.concurrency, this.scope(inner), inner, inner.held, busy).catch(
      (error: unknown) => {
        releaseJob();
        throw error;
      },
    );
    if (release === null) {
      releaseJob();
      return { conclusion: "cancelled", outputs: {} };
    }
    try {
      const results = this.#jobs(inner);
      busy.end();
      const finished = await results;
      const jobs = Object.fromEntries(
        [...finished].map(([name, one]) => [name, { result: one.result, outputs: one.outputs }]),
      );
      const outputs = Object.fromEntries(
        Object.entries(definition.outputs ?? {}).map(([name, one]) => [
          name,
          interpolateText(one?.value ?? "", this.scope(inner, { jobs })),
        ]),
      );
      return { conclusion: conclusionOf([...finished.values()].map((one) => one.result)), outputs };
    } finally {
      release();
      releaseJob();
    }
  }

  /** The result of a workflow call that failed to start. */
  #failed({ frame, key, record }: Instance, error: unknown): { conclusion: Result; outputs: Record<string, string> } {
    this.#refused(this.#addJob(frame, key, record.name.slice(frame.namePrefix.length), "failure"), frame, error);
    return { conclusion: "failure", outputs: {} };
  }

  #refused(record: JobRecord, frame: Frame, error: unknown): void {
    record.log += `##[error]${messageOf(error)}\n`;
    record.annotations.push({
      level: "failure",
      title: "",
      message: messageOf(error),
      path: frame.prepared.source.path,
      line: null,
    });
    this.changed(record);
  }

  #newRecord(frame: Frame, key: string, name: string): JobRecord {
    return {
      id: this.deps.nextJobId(),
      key: frame.keyPrefix + key,
      name: frame.namePrefix + name,
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
  }

  #addJob(frame: Frame, key: string, name: string, conclusion: string): JobRecord {
    const now = this.deps.now().toISOString();
    const record: JobRecord = {
      ...this.#newRecord(frame, key, name),
      status: "completed",
      conclusion,
      startedAt: now,
      completedAt: now,
    };
    this.record.jobs.push(record);
    this.changed(record);
    return record;
  }

  /** The `job` context, which also says where the job's workflow file comes from. */
  jobContext({ frame }: Instance): Record<string, Json> {
    const { source } = frame.prepared;
    return {
      workflow_ref: workflowRef(source),
      workflow_sha: source.sha,
      workflow_repository: source.repository,
      workflow_file_path: source.path,
    };
  }
}

/** A job whose matrix was never expanded shows its name as written, as on GitHub. */
function displayName(job: Job, key: string, scope: { contexts: Contexts }): string {
  if (job.name === undefined) return key;
  if (/\b(matrix|strategy)\b/.test(job.name)) return job.name;
  try {
    return interpolateText(job.name, scope);
  } catch {
    return job.name;
  }
}

function conclusionOf(results: readonly Result[]): Result {
  for (const worst of ["failure", "cancelled"] as const) if (results.includes(worst)) return worst;
  return results.length > 0 && results.every((one) => one === "skipped") ? "skipped" : "success";
}
