import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { StepRecord } from "./platform.ts";
import {
  condition,
  interpolate,
  interpolateText,
  interpolateTexts,
  type Contexts,
  type Functions,
  type Json,
} from "./expressions.ts";
import { hashFiles } from "./hash-files.ts";
import { JobLog } from "./log.ts";
import { Masks } from "./masks.ts";
import { Processes } from "./processes.ts";
import { makeJobDirectories, runnerContext, runnerEnvironment, type JobDirectories } from "./runner.ts";
import type { JobDeps, JobPlan, JobResult, PostStep, RunningJob } from "./job.ts";
import { runStep } from "./steps.ts";
import type { Step } from "./workflow.ts";

type StepResult = { outputs: Record<string, string>; outcome: string; conclusion: string };

const defaultTimeoutMinutes = 360;

/** Runs one job: sets up its directories, token and environment, and runs its steps one after the other. */
export class JobRunner implements RunningJob {
  readonly plan: JobPlan;
  readonly deps: JobDeps;
  readonly masks = new Masks();
  readonly log: JobLog;
  readonly processes = new Processes();
  readonly posts: PostStep[] = [];
  readonly steps: Record<string, StepResult> = {};
  readonly timeout = new AbortController();
  readonly signal: AbortSignal;
  readonly extraPath: string[] = [];
  /** Variables from GITHUB_ENV. They override the workflow's and the job's. */
  env: Record<string, string> = {};
  status: "success" | "failure" | "cancelled" = "success";
  directories!: JobDirectories;
  credentials: Record<string, string> = {};
  token = "";

  constructor(plan: JobPlan, deps: JobDeps) {
    this.plan = plan;
    this.deps = deps;
    this.log = new JobLog(plan.record, this.masks);
    this.signal = AbortSignal.any([plan.signal, this.timeout.signal]);
  }

  async run(): Promise<JobResult> {
    const { plan, deps } = this;
    const { record, job } = plan;
    const repository = String(
      plan.contexts["github"] === undefined ? "" : (plan.contexts["github"] as Record<string, Json>)["repository"],
    );
    record.status = "in_progress";
    record.startedAt = deps.now().toISOString();
    record.steps = ["Set up job", ...(job.steps ?? []).map(rawName)].map((name, at) => ({
      name,
      number: at + 1,
      status: "queued",
      conclusion: null,
      startedAt: null,
      completedAt: null,
    }));
    const issued = deps.platform.issueToken({
      repository,
      runId: plan.run.id,
      jobId: record.id,
      permissions: plan.permissions,
    });
    const oidc = plan.oidc?.() ?? null;
    this.token = issued.token;
    deps.tokens.set(issued.token, plan.permissions);
    for (const secret of [
      issued.token,
      oidc?.requestToken ?? "",
      ...Object.values((plan.contexts["secrets"] ?? {}) as Record<string, string>),
    ])
      this.masks.add(secret);
    if (oidc !== null)
      this.credentials = { ACTIONS_ID_TOKEN_REQUEST_URL: oidc.url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: oidc.requestToken };
    let timer: NodeJS.Timeout | undefined;
    let outputs: Record<string, string> = {};
    try {
      await this.#record(record.steps[0] as StepRecord, async () => {
        const minutes = Number(interpolate(job["timeout-minutes"] ?? defaultTimeoutMinutes, this.scope({})));
        timer = setTimeout(
          () => {
            this.timeout.abort(`The job has exceeded the maximum execution time of ${minutes}m0s`);
          },
          Math.min(minutes * deps.runner.minuteMs, 2 ** 31 - 1),
        );
        await this.#setUp(repository);
        return "success";
      });
      if (this.status === "success") {
        for (const [at, step] of (job.steps ?? []).entries())
          await this.#step(step, record.steps[at + 1] as StepRecord, at);
        for (const post of this.posts.toReversed()) await this.#post(post);
      }
      outputs = this.#outputs();
    } catch (error) {
      this.log.error(messageOf(error));
      this.status = "failure";
    } finally {
      clearTimeout(timer);
      this.processes.killAll();
      for (const revoke of [issued.revoke, oidc?.revoke]) revoke?.();
      deps.tokens.delete(issued.token);
      await rm(this.directories?.root ?? "", { recursive: true, force: true });
    }
    if (this.timeout.signal.aborted) this.log.error(String(this.timeout.signal.reason));
    if (this.signal.aborted && this.status === "success") this.status = "cancelled";
    return { conclusion: this.signal.aborted ? "cancelled" : this.status, outputs };
  }

  /** Contexts and functions for an expression in a step, with that step's environment. */
  scope(env: Readonly<Record<string, string>>, more: Contexts = {}) {
    const { plan } = this;
    const github = {
      ...(plan.contexts["github"] as Record<string, Json>),
      token: this.token,
      job: plan.key,
      workspace: this.directories?.workspace ?? "",
      event_path: join(this.directories?.temporary ?? "", "_github_workflow/event.json"),
    };
    const steps = Object.fromEntries(Object.entries(this.steps).map(([id, one]) => [id, { ...one }]));
    const contexts = {
      ...plan.contexts,
      github,
      steps,
      env: { ...this.env, ...env },
      runner: this.directories === undefined ? {} : runnerContext(this.deps.runner, this.directories),
      secrets: {
        ...(plan.contexts["secrets"] as Record<string, Json>),
        GITHUB_TOKEN: this.token,
        github_token: this.token,
      },
      job: { ...(plan.contexts["job"] as Record<string, Json>), status: this.status, check_run_id: plan.record.id },
      ...more,
    };
    return { contexts, functions: this.#functions() };
  }

  #functions(): Functions {
    return {
      success: () => this.status === "success" && !this.signal.aborted,
      failure: () => this.status === "failure" && !this.signal.aborted,
      cancelled: () => this.signal.aborted,
      always: () => true,
      hashfiles: (...patterns) => hashFiles(this.directories.workspace, patterns),
    };
  }

  async #setUp(repository: string): Promise<void> {
    const { plan, deps } = this;
    const { job, workflow } = plan;
    for (const key of ["container", "services", "snapshot"] as const)
      if (job[key] !== undefined) throw new Error(`the rehearsal does not play jobs.${plan.key}.${key}`);
    const label = interpolate(job["runs-on"], this.scope({}));
    const labels = (Array.isArray(label) ? label : [label]).map(String);
    if (!labels.every((one) => /^(ubuntu-[\w.-]+|self-hosted|linux|x64)$/i.test(one)))
      throw new Error(`the rehearsal has no runner with the label ${labels.join(", ")}; it plays ubuntu-*`);
    this.directories = await makeJobDirectories(deps.runner, plan.record.id, repository, plan.repositories);
    await writeEvent(this.directories, plan.contexts);
    this.env = interpolateTexts(workflow.env, this.scope({}));
    this.env = { ...this.env, ...interpolateTexts(job.env, this.scope({})) };
    this.log.write(
      `##[group]GITHUB_TOKEN Permissions\n${
        Object.entries(plan.permissions)
          .map(([name, access]) => `${name}: ${access}`)
          .join("\n") || "none"
      }\n##[endgroup]`,
    );
  }

  async #record(step: StepRecord, work: () => Promise<string>): Promise<string> {
    step.status = "in_progress";
    step.startedAt = this.deps.now().toISOString();
    this.deps.changed(this.plan.run, this.plan.record);
    let conclusion = "failure";
    try {
      conclusion = await work();
    } catch (error) {
      this.log.error(messageOf(error));
      this.status = "failure";
    }
    step.status = "completed";
    step.conclusion = conclusion;
    step.completedAt = this.deps.now().toISOString();
    this.deps.changed(this.plan.run, this.plan.record);
    return conclusion;
  }

  async #step(step: Step, record: StepRecord, at: number): Promise<void> {
    const id = step.id ?? `__${at + 1}`;
    await this.#record(record, async () => {
      this.log.startStep();
      // The `steps` context contains only steps with an id.
      const keep = (outcome: string, conclusion: string, outputs: Record<string, string>) => {
        if (step.id !== undefined) this.steps[id] = { outputs, outcome, conclusion };
        return conclusion;
      };
      const env = interpolateTexts(step.env, this.scope({}));
      if (step.name !== undefined) record.name = this.masks.apply(interpolateText(step.name, this.scope(env)));
      if (!condition(step.if, this.scope(env))) return keep("skipped", "skipped", {});
      const result = await runStep(this, step, id, env);
      if (result.outcome === "success") return keep("success", "success", result.outputs);
      if (result.outcome === "failure" && interpolate(step["continue-on-error"] ?? false, this.scope(env)) === true)
        return keep("failure", "success", result.outputs);
      if (result.outcome === "failure") this.status = "failure";
      return keep(result.outcome, result.outcome, result.outputs);
    });
  }

  async #post(post: PostStep): Promise<void> {
    const record: StepRecord = {
      name: `Post ${post.name}`,
      number: this.plan.record.steps.length + 1,
      status: "queued",
      conclusion: null,
      startedAt: null,
      completedAt: null,
    };
    this.plan.record.steps.push(record);
    await this.#record(record, async () => {
      this.log.startStep();
      if (!condition(post.if ?? "always()", this.scope(post.env))) return "skipped";
      const outcome = await post.run();
      if (outcome === "failure") this.status = "failure";
      return outcome;
    });
  }

  #outputs(): Record<string, string> {
    const outputs = interpolateTexts(this.plan.job.outputs, this.scope({}));
    for (const [name, value] of Object.entries(outputs)) {
      if (!this.masks.holds(value)) continue;
      this.log.warning(`Skip output '${name}' since it may contain secret.`);
      delete outputs[name];
    }
    return outputs;
  }

  environment(env: Readonly<Record<string, string>>): Record<string, string> {
    const runner = runnerEnvironment(this.deps.runner, this.directories, this.extraPath);
    const fixed = Object.fromEntries(
      Object.entries(runner).filter(([name]) => name.startsWith("RUNNER_") || name === "NODE_OPTIONS"),
    );
    return { ...runner, ...this.env, ...env, ...fixed, ...this.credentials };
  }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const rawName = (step: Step): string => step.name ?? `Run ${step.uses ?? (step.run ?? "").split("\n")[0] ?? ""}`;

async function writeEvent(directories: JobDirectories, contexts: Contexts): Promise<void> {
  const folder = join(directories.temporary, "_github_workflow");
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, "event.json"),
    JSON.stringify((contexts["github"] as Record<string, Json>)["event"], null, 2),
  );
}
