/**
 * The interface between the workflow executor (executor/) and the stand-in GitHub (github/). The executor owns runs and
 * everything in them. GitHub owns repositories, people, permissions and all HTTP answers.
 */

export type Access = "read" | "write" | "none";
/** Named as in a job's `permissions:`: contents, pull-requests, id-token, deployments, actions, checks, statuses… */
export type Permissions = Readonly<Record<string, Access>>;

/** An event that may start workflows, described as in GitHub's payloads. */
export type TriggerEvent = {
  name: "push" | "pull_request" | "merge_group" | "workflow_dispatch" | "repository_dispatch" | "workflow_run";
  /** "OWNER/NAME" of the repository that has the workflows and runs them. */
  repository: string;
  /** GITHUB_SHA and GITHUB_REF of the run; for a pull request the merge commit and refs/pull/N/merge. */
  sha: string;
  ref: string;
  /** The head commit of the run. For a pull request it differs from `sha`. */
  headSha: string;
  headBranch: string;
  /** For a pull request: the branch names. */
  headRef?: string;
  baseRef?: string;
  /** The repository of the head. A fork's runs get a read-only token and no secrets. */
  headRepository: { id: number; fullName: string; fork: boolean };
  actor: string;
  /** For a dispatch: the workflow's file name. Other events start every workflow that listens to them. */
  workflowFile?: string;
  inputs?: Record<string, string>;
  /** The webhook's payload, available as `github.event` and as the file at GITHUB_EVENT_PATH. */
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
  /** The masked log, as a reader of the run sees it. */
  log: string;
  summary: string;
  annotations: Annotation[];
  environment: string | null;
};
export type ArtifactRecord = {
  id: number;
  runId: number;
  name: string;
  /** Path of the stored zip. */
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
/** The claims of a job's OIDC token, for jobs with `id-token: write`. */
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

/** What the executor needs from GitHub. */
export interface Platform {
  /** GITHUB_API_URL and GITHUB_SERVER_URL. */
  readonly apiUrl: string;
  readonly serverUrl: string;
  /** Path of a bare repository. The executor reads workflows from it and clones it for actions/checkout. */
  gitDirectory(repository: string): string;
  /** Issues a token for one job. `revoke` is called when the job ends. */
  issueToken(grant: Grant): { token: string; revoke: () => void };
  issueOidc(claims: OidcClaims): { url: string; requestToken: string; revoke: () => void };
  secrets(repository: string, environment: string | null): Readonly<Record<string, string>>;
  variables(repository: string, environment: string | null): Readonly<Record<string, string>>;
  /** The rules of an environment. A job that names an unknown environment creates it, without rules. */
  environment(
    repository: string,
    name: string,
  ): { id: number; reviewers: readonly string[]; preventSelfReview: boolean };
  defaultBranch(repository: string): string;
  /** Whether a token can read the contents of a repository that is not the run's own. */
  isReadable(repository: string, token: string): boolean;
  /**
   * Called after every change of a run. GitHub then raises workflow_run events, updates the jobs' check runs and sends
   * webhooks.
   */
  runChanged(run: RunRecord, job?: JobRecord): void;
}

/** What GitHub needs from the executor. */
export interface Executor {
  readonly runs: readonly RunRecord[];
  /**
   * Starts every workflow that listens to the event (or the dispatched one) and returns the new runs at once.
   * @throws DispatchRefused (executor/triggers.ts) for a dispatch that GitHub refuses; it has GitHub's status, 404 or
   * 422, and message
   */
  trigger(event: TriggerEvent): Promise<readonly RunRecord[]>;
  /** @throws Error if the run does not wait for one of these environments */
  review(runId: number, environmentIds: readonly number[], review: Omit<Review, "environment">): void;
  cancel(runId: number): void;
  /** Resolves when no run is active. Runs that wait for a person do not count as active. */
  idle(): Promise<void>;
  /** Ends every child process. */
  close(): Promise<void>;
}
