import type { ArtifactStore } from "./artifacts.ts";
import type { Contexts, Functions } from "./expressions.ts";
import type { JobLog } from "./log.ts";
import type { Masks } from "./masks.ts";
import type { JobRecord, Permissions, Platform, RunRecord } from "./platform.ts";
import type { Processes } from "./processes.ts";
import type { JobDirectories, Runner } from "./runner.ts";
import type { Job, Workflow } from "./workflow.ts";

/** What jobs need from the executor. */
export type JobDeps = {
  platform: Platform;
  runner: Runner;
  artifacts: ArtifactStore;
  now: () => Date;
  changed: (run: RunRecord, job?: JobRecord) => void;
  findRun: (id: number) => RunRecord | undefined;
  /** Permissions of the tokens of running jobs. */
  tokens: Map<string, Permissions>;
};

export type JobPlan = {
  record: JobRecord;
  run: RunRecord;
  key: string;
  job: Job;
  workflow: Workflow;
  /** github, inputs, vars, needs, strategy, matrix, secrets (without the token), and job's own facts. */
  contexts: Contexts;
  permissions: Permissions;
  oidc: (() => { url: string; requestToken: string; revoke: () => void }) | null;
  repositories: ReadonlyMap<string, string>;
  /** Cancels the job; the reason is a message. */
  signal: AbortSignal;
};

export type JobResult = { conclusion: "success" | "failure" | "cancelled"; outputs: Record<string, string> };

/** A step that an action registered, to run after the job's own steps. */
export type PostStep = {
  name: string;
  if: string | undefined;
  env: Record<string, string>;
  run: () => Promise<"success" | "failure" | "cancelled">;
};

/** A running job, as its steps see it. */
export type RunningJob = {
  readonly plan: JobPlan;
  readonly deps: JobDeps;
  readonly masks: Masks;
  readonly log: JobLog;
  readonly processes: Processes;
  readonly posts: PostStep[];
  readonly signal: AbortSignal;
  /** Folders that steps put before PATH. */
  readonly extraPath: string[];
  /** Variables from GITHUB_ENV. They override the workflow's and the job's. */
  readonly env: Record<string, string>;
  readonly directories: JobDirectories;
  /** Contexts and functions for an expression in a step, with that step's environment. */
  scope: (env: Readonly<Record<string, string>>) => { contexts: Contexts; functions: Functions };
  environment: (env: Readonly<Record<string, string>>) => Record<string, string>;
};
