/**
 * What the workflow executor (executor/) and the stand-in GitHub (github/) know of each other. The executor owns runs
 * and what happens in them; GitHub owns repositories, people, permissions and everything that is asked over HTTP.
 */

export type Access = "read" | "write" | "none";
/** As `permissions:` of a job names them: contents, pull-requests, id-token, deployments, actions, checks, statuses… */
export type Permissions = Readonly<Record<string, Access>>;

/** Something that may start workflows, as GitHub's event payloads describe it. */
export type TriggerEvent = {
  name: "push" | "pull_request" | "merge_group" | "workflow_dispatch" | "workflow_run";
  /** "OWNER/NAME": where the workflows lie and run. */
  repository: string;
  /** GITHUB_SHA and GITHUB_REF of the run; for a pull request the merge commit and refs/pull/N/merge. */
  sha: string;
  ref: string;
  /** What the run's head is, which for a pull request is not `sha`. */
  headSha: string;
  headBranch: string;
  /** Of a pull request: the branch names. */
  headRef?: string;
  baseRef?: string;
  /** Where the head lies; a fork's runs get a read-only token and no secrets. */
  headRepository: { id: number; fullName: string; fork: boolean };
  actor: string;
  /** Of a dispatch: the workflow's file name; others start every workflow that listens. */
  workflowFile?: string;
  inputs?: Record<string, string>;
  /** The webhook's payload: `github.event`, and the file at GITHUB_EVENT_PATH. */
  payload: Record<string, unknown>;
};

export type StepRecord = {
  name: string;
  number: number;
  status: "queued" | "in_progress" | "completed";
  conclusion: string | null;
  startedAt: string | null;
  completedAt: string | null;
};
export type Annotation = {
  level: "notice" | "warning" | "failure";
  title: string;
  message: string;
  path: string | null;
  line: number | null;
};
export type JobRecord = {
  id: number;
  key: string;
  name: string;
  status: "queued" | "waiting" | "in_progress" | "completed";
  conclusion: string | null;
  startedAt: string | null;
  completedAt: string | null;
  steps: StepRecord[];
  /** Masked, as a reader of the run sees it. */
  log: string;
  summary: string;
  annotations: Annotation[];
  environment: string | null;
};
export type ArtifactRecord = {
  id: number;
  runId: number;
  name: string;
  /** Of the stored zip. */
  path: string;
  sizeBytes: number;
  /** "sha256:…" */
  digest: string;
  createdAt: string;
  expired: boolean;
};
type PendingEnvironment = { id: number; name: string; reviewers: readonly string[]; jobKeys: readonly string[] };
export type Review = { environment: string; state: "approved" | "rejected"; user: string; comment: string };
export type RunRecord = {
  id: number;
  repository: string;
  workflowFile: string;
  workflowName: string;
  displayTitle: string;
  event: TriggerEvent["name"];
  attempt: number;
  status: "queued" | "waiting" | "in_progress" | "completed";
  conclusion: string | null;
  headSha: string;
  headBranch: string;
  headRepository: TriggerEvent["headRepository"];
  actor: string;
  pullRequests: readonly number[];
  createdAt: string;
  updatedAt: string;
  jobs: JobRecord[];
  artifacts: ArtifactRecord[];
  pending: PendingEnvironment[];
  reviews: Review[];
  inputs: Record<string, string> | null;
  /** Why a run with the conclusion startup_failure could not start. */
  startupError?: string;
};

/** What a job's token may do; GitHub refuses everything else with 403 "Resource not accessible by integration". */
export type Grant = { repository: string; runId: number; jobId: number; permissions: Permissions };
/** A running job that was given `id-token: write` asks here for its OIDC token. */
export type OidcClaims = {
  repository: string;
  ref: string;
  sha: string;
  environment: string | null;
  workflowRef: string;
  jobWorkflowRef: string;
  runId: number;
  actor: string;
  eventName: string;
};

/** GitHub, as the executor needs it. */
export interface Platform {
  /** GITHUB_API_URL and GITHUB_SERVER_URL. */
  readonly apiUrl: string;
  readonly serverUrl: string;
  /** A bare repository on disk; the executor reads workflows from it and clones it for actions/checkout. */
  gitDirectory(repository: string): string;
  /** A token for one job; `revoke` is called when the job ends. */
  issueToken(grant: Grant): { token: string; revoke: () => void };
  issueOidc(claims: OidcClaims): { url: string; requestToken: string; revoke: () => void };
  secrets(repository: string, environment: string | null): Readonly<Record<string, string>>;
  variables(repository: string, environment: string | null): Readonly<Record<string, string>>;
  /** Rules of an environment; a job that names an unknown one creates it, without rules. */
  environment(
    repository: string,
    name: string,
  ): { id: number; reviewers: readonly string[]; preventSelfReview: boolean };
  defaultBranch(repository: string): string;
  /** After every change of a run: GitHub raises workflow_run events, check runs of the jobs, and webhooks from it. */
  runChanged(run: RunRecord, job?: JobRecord): void;
}

/** The executor, as GitHub needs it. */
export interface Executor {
  readonly runs: readonly RunRecord[];
  /**
   * Starts every workflow that listens to the event (or the dispatched one) and answers at once with the new runs.
   * @throws DispatchRefused (executor/triggers.ts) for a dispatch that GitHub answers with its `status`, 404 or 422,
   * and its message
   */
  trigger(event: TriggerEvent): Promise<readonly RunRecord[]>;
  /** @throws Error when the run does not wait for one of these environments */
  review(runId: number, environmentIds: readonly number[], review: Omit<Review, "environment">): void;
  cancel(runId: number): void;
  /** Resolves when no run is going on; runs that wait for a person count as resting. */
  idle(): Promise<void>;
  /** Ends every child process. */
  close(): Promise<void>;
}
