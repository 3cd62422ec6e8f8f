import type { ArtifactRecord, Executor } from "../executor/platform.ts";
import type { Emulator } from "./emulate.ts";
import type { Exchange, Fault } from "./exchange.ts";
import type { GitStore } from "./git.ts";
import type { Caller, Tokens } from "./tokens.ts";

export type Json = Record<string, unknown>;
export type Role = "read" | "triage" | "write" | "maintain" | "admin";
/** A `user` in the format of answers. The object comes from the emulator. */
export type User = Json & { login: string; id: number };

export type Environment = {
  id: number;
  name: string;
  reviewers: string[];
  preventSelfReview: boolean;
  createdAt: string;
  updatedAt: string;
  secrets: Record<string, string>;
  variables: Record<string, string>;
};

/** A pull request's head and base. Its text and comments are in the emulator. */
export type Pull = {
  number: number;
  author: string;
  headRepository: Repository;
  headRef: string;
  headSha: string;
  baseRef: string;
  /** Head of the base branch when the merge commit was made. */
  baseSha: string;
  /** The commit at refs/pull/N/merge; null if the branches conflict. */
  mergeSha: string | null;
  merged: { sha: string; at: string; by: string; commits: string[] } | null;
  closed: boolean;
};

export type CommitStatus = {
  id: number;
  sha: string;
  state: string;
  context: string;
  description: string | null;
  targetUrl: string | null;
  creator: string;
  createdAt: string;
};
export type Hook = {
  id: number;
  url: string;
  secret: string;
  events: readonly string[];
  active: boolean;
  createdAt: string;
};
export type Delivery = { hook: number; event: string; delivery: string; status: number | null; error: string | null };
export type Reaction = { id: number; subject: string; content: string; login: string; createdAt: string };

/** A Deployment as it was created. */
export type StoredDeployment = {
  id: number;
  sha: string;
  ref: string;
  task: string;
  environment: string;
  description: string;
  payload: unknown;
  transient_environment: boolean;
  production_environment: boolean;
  creator?: string;
  /** ISO 8601. */
  createdAt?: string;
};
/** A Deployment's status as it was posted. */
export type StoredStatus = {
  id: number;
  state: string;
  description: string;
  log_url: string;
  environment_url: string;
  environment?: string;
  creator?: string;
  /** ISO 8601. */
  createdAt?: string;
};

export type Repository = {
  fullName: string;
  owner: string;
  name: string;
  /** The repository in the format of answers. */
  resource: Json & { id: number };
  parent: Repository | null;
  /** Only its owner and collaborators can see it. */
  private: boolean;
  defaultBranch: string;
  git: GitStore;
  roles: Map<string, Role>;
  environments: Environment[];
  secrets: Record<string, string>;
  variables: Record<string, string>;
  /** The setting "Allow GitHub Actions to create and approve pull requests". */
  actionsOpenPulls: boolean;
  pulls: Map<number, Pull>;
  /** Branch → names of the checks that a merge requires. */
  required: Map<string, readonly string[]>;
  deployments: StoredDeployment[];
  /** Deployment → its statuses, oldest first. */
  deploymentStatuses: Record<number, StoredStatus[]>;
  statuses: CommitStatus[];
  hooks: Hook[];
  /** Real commit → the emulator's commit that stands for it, and back. */
  shadows: { of: Map<string, string>; real: Map<string, string> };
};

/** The state that all routes share. */
export type World = {
  origin: string;
  emulate: Emulator;
  tokens: Tokens;
  repositories: Map<string, Repository>;
  users: Map<string, User>;
  faults: Fault[];
  transcript: RecordedExchange[];
  deliveries: Delivery[];
  reactions: Reaction[];
  /** Downloads that redirects lead to, by path. */
  downloads: Map<string, () => Promise<Answer>>;
  /** Errors of the stand-in itself; must stay empty. */
  problems: Error[];
  executor: Executor | null;
  /** The archive of an artifact. */
  readArtifact: (artifact: ArtifactRecord) => Promise<Buffer>;
  /** Whether the transcript keeps the Authorization header. */
  keepsAuthorization: boolean;
  now: () => Date;
  /** A fresh id, unique among everything. */
  nextId: () => number;
};

/** An exchange and the token's owner. Only exchanges of kind `rest` have an OpenAPI description. */
export type RecordedExchange = Exchange & {
  door: "rest" | "graphql" | "login" | "oidc" | "download";
  owner: string;
  runId: number | null;
  at: string;
  /** Answered with 304, because the caller has the answer already. */
  notModified: boolean;
};

export type Request = {
  method: string;
  url: URL;
  /** The path after /repos/OWNER/NAME/, as it was sent. */
  rest: string;
  query: URLSearchParams;
  body: Json;
  headers: Record<string, string | string[] | undefined>;
  caller: Caller;
};
export type RepositoryRequest = Request & { repository: Repository };
/** `raw` is sent unchanged instead of as JSON. */
export type Answer = { status: number; body?: unknown; headers?: Record<string, string>; raw?: Buffer | string };
/** A group of routes. Returns null for a request that it does not handle. */
export type Routes = (world: World, request: RepositoryRequest) => Promise<Answer | null>;

/** Thrown to answer a request with GitHub's own refusal. */
export class Refusal extends Error {
  readonly status: number;
  readonly errors: readonly unknown[] | undefined;

  constructor(status: number, message: string, errors?: readonly unknown[]) {
    super(message);
    this.name = "Refusal";
    this.status = status;
    this.errors = errors;
  }
}

export const notFound = () => new Refusal(404, "Not Found");
/** @param code missing, missing_field, invalid, already_exists, unprocessable or custom */
export const invalid = (resource: string, field: string, code: string, message: string) =>
  new Refusal(422, "Validation Failed", [{ resource, field, code, message }]);

export function userOf(world: World, login: string): User {
  const user = world.users.get(login.toLowerCase());
  if (user === undefined) throw new Error(`nobody is called ${login}: name everybody when GitHub starts`);
  return user;
}

export function repositoryNamed(world: World, fullName: string): Repository {
  const repository = world.repositories.get(fullName.toLowerCase());
  if (repository === undefined) throw new Error(`there is no repository ${fullName}: createRepository comes first`);
  return repository;
}

/** A page of a list, with the Link header that leads to the next. */
export function paged<T>(
  world: World,
  { url, query }: Request,
  all: readonly T[],
): { items: T[]; headers: Record<string, string> } {
  const perPage = Math.min(100, Math.max(1, Number(query.get("per_page") ?? "30") || 30));
  const page = Math.max(1, Number(query.get("page") ?? "1") || 1);
  const next = new URL(`${world.origin}${url.pathname}${url.search}`);
  next.searchParams.set("page", String(page + 1));
  return {
    items: all.slice((page - 1) * perPage, page * perPage),
    headers: page * perPage < all.length ? { link: `<${next.href}>; rel="next"` } : {},
  };
}

/** The world's time as GitHub writes it: ISO 8601, whole seconds. */
export const instantOf = (world: World) =>
  world
    .now()
    .toISOString()
    .replace(/\.\d+Z$/, "Z");

/** The branch that a name or full ref refers to; null for other refs. */
export const branchOf = (ref: string) =>
  ref.startsWith("refs/heads/") ? ref.slice("refs/heads/".length) : ref.startsWith("refs/") ? null : ref;
