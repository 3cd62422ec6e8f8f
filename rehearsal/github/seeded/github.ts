import type { AddressInfo } from "node:net";
import { allRoutes } from "../routes.ts";
import { createGitHubServer } from "../server.ts";
import { botLogin, Tokens, type Caller } from "../tokens.ts";
import type { Environment, Json, Pull, RecordedExchange, Repository, Role, User, World } from "../world.ts";
import { SeededEmulator, seededUser } from "./emulator.ts";
import { SeededExecutor } from "./executor.ts";
import { SeededGit } from "./git.ts";
import { allPulls, seededState, type GitHubState, type StoredPull } from "./state.ts";

/** `transcript`: all requests except those for ID tokens and for the archives that redirects lead to. */
export type SeededGitHub = {
  url: string;
  state: GitHubState;
  readonly transcript: readonly RecordedExchange[];
  close: () => Promise<void>;
};

/**
 * The same GitHub with a state in memory instead of repositories on disk, for tests of its clients. It needs no git, no
 * emulator and no other process, and commits need not exist. Routes, formats, permissions and refusals are those of
 * github.ts.
 */
export async function startGitHub(given: Partial<GitHubState> = {}): Promise<SeededGitHub> {
  const state = seededState(given);
  const world = seededWorld(state);
  const server = createGitHubServer(world, allRoutes(world), state.workflows);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  world.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const isKept = ({ door }: RecordedExchange) => door !== "oidc" && door !== "download";
  return {
    url: world.origin,
    state,
    get transcript() {
      return world.transcript.filter(isKept);
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
      if (world.problems.length > 0) throw new AggregateError(world.problems, "the seeded GitHub failed");
    },
  };
}

function seededWorld(state: GitHubState): World {
  let id = 10_000;
  const git = new SeededGit(state);
  const kept = new Map<string, Repository>();
  // Shared by all requests, because answers with many runs contain each person and repository several times.
  const users = new Map<string, User>();
  const home = () => state.repository.split("/")[0] ?? "";
  const repositoryOf = (owner: string): Repository => {
    const known = kept.get(owner) ?? seededRepository(world, state, git, owner, repositoryOf);
    kept.set(owner, known);
    return known;
  };
  const callerOf = (token: string): Caller =>
    state.viewer === botLogin
      ? {
          kind: "job",
          login: botLogin,
          repository: state.repository,
          permissions: state.permissions,
          runId: 0,
          jobId: 0,
          token,
        }
      : { kind: "person", login: state.viewer, token };
  const tokens = new Tokens(() => state.workflows.tokens, callerOf);
  tokens.allowIdTokens(state.oidc);
  const executor = new SeededExecutor(state, repositoryId);
  const world: World = {
    origin: "",
    emulate: new SeededEmulator(state, () => world.origin),
    tokens,
    get repositories() {
      return new Map(
        [home(), ...forkOwners(state)].map((owner) => {
          const repository = repositoryOf(owner);
          return [repository.fullName.toLowerCase(), repository];
        }),
      );
    },
    get users() {
      return seededUsers(world.origin, state, users);
    },
    get faults() {
      return state.faults;
    },
    transcript: [],
    deliveries: [],
    reactions: [],
    downloads: new Map(),
    problems: [],
    executor,
    readArtifact: async (artifact) => executor.archive(artifact.id) ?? Buffer.alloc(0),
    keepsAuthorization: true,
    now: () => new Date(state.workflows.now()),
    nextId: () => {
      id += 1;
      return id;
    },
  };
  return world;
}

const ownerOf = ({ head }: StoredPull) => head.split(":")[0] ?? "";

function forkOwners(state: GitHubState): Set<string> {
  const owners = new Set([
    ...allPulls(state).map(ownerOf),
    ...state.workflows.runs.flatMap(({ fork }) => (fork === undefined ? [] : [fork])),
  ]);
  owners.delete(state.repository.split("/")[0] ?? "");
  return owners;
}

/** Everybody in the state, by login in lower case. */
function seededUsers(origin: string, state: GitHubState, made: Map<string, User>): Map<string, User> {
  const { people, tokens, runs } = state.workflows;
  const logins = new Set([
    botLogin,
    state.viewer,
    state.repository.split("/")[0] ?? "",
    "octo",
    ...forkOwners(state),
    ...Object.keys(people),
    ...Object.values(tokens),
    ...runs.flatMap(({ actor, pending, reviews }) => [
      actor,
      ...pending.flatMap(({ reviewers }) => reviewers),
      ...reviews.map(({ user }) => user),
    ]),
    ...state.rows.flatMap(({ creator }) => creator ?? []),
    ...Object.values(state.deployments)
      .flat()
      .flatMap(({ creator }) => creator ?? []),
  ]);
  const userOf = (login: string): User => {
    const id = people[login]?.id;
    const user = made.get(`${login} ${id}`) ?? seededUser(origin, login, id);
    made.set(`${login} ${id}`, user);
    return user;
  };
  return new Map([...logins].map((login) => [login.toLowerCase(), userOf(login)]));
}

function seededRepository(
  world: World,
  state: GitHubState,
  git: SeededGit,
  owner: string,
  repositoryOf: (owner: string) => Repository,
): Repository {
  const name = state.repository.split("/")[1] ?? "";
  const home = state.repository.split("/")[0] ?? "";
  const pullOf = (stored: StoredPull): Pull => ({
    number: stored.number,
    author: ownerOf(stored),
    headRepository: repositoryOf(ownerOf(stored)),
    headRef: stored.head.split(":")[1] ?? "",
    headSha: stored.headSha,
    baseRef: "main",
    baseSha: stored.baseSha ?? stored.headSha,
    mergeSha: null,
    merged: null,
    closed: false,
  });
  let resource: Repository["resource"] | undefined;
  return {
    fullName: `${owner}/${name}`,
    owner,
    name,
    get resource() {
      resource ??= repositoryResource(world.origin, owner, name, owner !== home);
      return resource;
    },
    parent: owner === home ? null : repositoryOf(home),
    private: false,
    defaultBranch: "main",
    git,
    get roles() {
      const roles = Object.entries(state.workflows.people).map(([login, { role }]): [string, Role] => [
        login.toLowerCase(),
        role as Role,
      ]);
      return new Map<string, Role>([[owner.toLowerCase(), "admin"], [state.viewer.toLowerCase(), "write"], ...roles]);
    },
    get environments() {
      return environmentsOf(state);
    },
    secrets: {},
    variables: {},
    actionsOpenPulls: true,
    get pulls() {
      return new Map(owner === home ? allPulls(state).map((stored) => [stored.number, pullOf(stored)]) : []);
    },
    required: new Map(),
    get deployments() {
      return state.rows;
    },
    get deploymentStatuses() {
      return state.deployments;
    },
    statuses: [],
    hooks: [],
    shadows: { of: new Map(), real: new Map() },
  };
}

/** The environments that a run waits for or was reviewed for. */
function environmentsOf({ workflows }: GitHubState): Environment[] {
  const found = new Map<string, Environment>();
  for (const { pending, reviews, createdAt, updatedAt } of workflows.runs)
    for (const one of [...pending, ...reviews.map(({ environment }) => ({ id: 1, name: environment, reviewers: [] }))])
      if (!found.has(one.name))
        found.set(one.name, { ...one, preventSelfReview: false, createdAt, updatedAt, secrets: {}, variables: {} });
  return [...found.values()];
}

/** Always the same id for the same owner. */
const repositoryId = (owner: string) =>
  [...owner].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 1_000_003, 7);

const repositoryLinks =
  "archive assignees blobs branches collaborators comments commits compare contents contributors deployments downloads events forks git_commits git_refs git_tags git hooks html issue_comment issue_events issues keys labels languages merges milestones notifications pulls releases stargazers statuses subscribers subscription tags teams trees clone ssh svn".split(
    " ",
  );

/** A repository in the format of answers. */
function repositoryResource(origin: string, owner: string, name: string, fork: boolean): Json & { id: number } {
  const url = `${origin}/repos/${owner}/${name}`;
  const each = (names: string, value: unknown) => Object.fromEntries(names.split(" ").map((one) => [one, value]));
  return {
    id: repositoryId(owner),
    node_id: `R_${repositoryId(owner)}`,
    name,
    full_name: `${owner}/${name}`,
    owner: seededUser(origin, owner),
    private: false,
    fork,
    url,
    default_branch: "main",
    ...each("description license mirror_url homepage language", null),
    ...Object.fromEntries(repositoryLinks.map((one) => [`${one}_url`, `${url}/${one}`])),
    ...each("forks forks_count open_issues open_issues_count size stargazers_count watchers watchers_count", 0),
    ...each("has_downloads has_issues has_projects has_wiki has_pages archived disabled", false),
    ...each("created_at updated_at pushed_at", "2020-01-01T00:00:00Z"),
  };
}
