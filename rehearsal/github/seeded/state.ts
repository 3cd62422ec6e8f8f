import type { Fault } from "../exchange.ts";
import type { OidcState } from "../oidc.ts";
import { noLogins, type Logins } from "../device-flow.ts";
import type { JobRecord, Permissions } from "../../executor/platform.ts";
import type { StoredDeployment, StoredStatus } from "../world.ts";

export type StoredComment = { id: number; issue: number; author: string; body: string };
export type StoredPull = {
  number: number;
  /** OWNER:BRANCH */
  head: string;
  headSha: string;
  /** Default: the head itself. */
  baseSha?: string;
};
export type StoredRun = {
  id: number;
  file: string;
  name: string;
  title: string;
  status: "queued" | "in_progress" | "waiting" | "completed";
  conclusion: string | null;
  sha: string;
  branch: string;
  event: string;
  actor: string;
  /** ISO 8601. */
  createdAt: string;
  updatedAt: string;
  /** `zip`: the archive; an artifact without one has expired. */
  artifacts: { name: string; digest: string; zip?: Buffer }[];
  /** Environments that wait for a review, and their possible reviewers. */
  pending: { id: number; name: string; reviewers: string[] }[];
  reviews: { state: "approved" | "rejected"; user: string; comment: string; environment: string }[];
  inputs: Record<string, string> | null;
  jobs: JobRecord[];
  /** Owner of the fork that contains the run's commit. */
  fork?: string;
};

type WorkflowsState = Logins & {
  runs: StoredRun[];
  /** Workflow file → names of its inputs. */
  workflows: Record<string, { inputs: string[] }>;
  /** Login → number and role in the repository. */
  people: Record<string, { id: number; role: string }>;
  /** Unix time in milliseconds. */
  now: () => number;
};

/** Refs by full name, and annotated tags by object id. */
type GitState = {
  refs: Record<string, { sha: string; type: "commit" | "tag" }>;
  tags: Record<string, { tag: string; message: string; object: string }>;
};

/** The state of a seeded GitHub. Tests may change it at any time; the next request sees the change. */
export type GitHubState = {
  repository: string;
  /** The owner of every unknown token: a person with write access, or the job's own "github-actions[bot]". */
  viewer: string;
  /** What the job's own token may do. */
  permissions: Permissions;
  comments: StoredComment[];
  pulls: StoredPull[];
  /** "BASE...HEAD" → merge base. */
  mergeBases: Record<string, string>;
  /** Commit or tree → folder by name → its tree; empty by default. */
  trees: Record<string, Record<string, string>>;
  /** Commit → the pull requests that it belongs to. */
  commitPulls: Record<string, StoredPull[]>;
  /** Deployment → its statuses, oldest first. */
  deployments: Record<number, StoredStatus[]>;
  /** Every Deployment, oldest first. */
  rows: StoredDeployment[];
  git: GitState;
  workflows: WorkflowsState;
  oidc: OidcState;
  faults: Fault[];
};

export const seededState = (given: Partial<GitHubState>): GitHubState => ({
  repository: "octo/models",
  viewer: "github-actions[bot]",
  permissions: {
    actions: "write",
    contents: "write",
    deployments: "write",
    issues: "write",
    "pull-requests": "write",
    "id-token": "write",
  },
  comments: [],
  pulls: [],
  mergeBases: {},
  trees: {},
  commitPulls: {},
  deployments: {},
  rows: [],
  git: { refs: {}, tags: {} },
  workflows: { ...noLogins(), runs: [], workflows: {}, people: {}, now: Date.now },
  oidc: { requestToken: "runner-id-token-request", issued: {} },
  faults: [],
  ...given,
});

export function addRun(state: WorkflowsState, run: Partial<StoredRun>): StoredRun {
  const at = new Date(state.now()).toISOString();
  const added: StoredRun = {
    id: 500 + state.runs.length,
    file: "gate.yml",
    name: run.file ?? "gate.yml",
    title: "a run",
    status: "completed",
    conclusion: null,
    sha: "0".repeat(40),
    branch: "main",
    event: "push",
    actor: "octo",
    createdAt: at,
    updatedAt: at,
    artifacts: [],
    pending: [],
    reviews: [],
    inputs: null,
    jobs: [],
    ...run,
  };
  state.runs.push(added);
  return added;
}

/** Every pull request in the state, each number once. */
export function allPulls({ pulls, commitPulls }: GitHubState): StoredPull[] {
  const all = [...pulls, ...Object.values(commitPulls).flat()];
  return all.filter((pull, i) => all.findIndex(({ number }) => number === pull.number) === i);
}
