import { join } from "node:path";
import { raiseMerge, raisePull, raisePush } from "./events.ts";
import { initBare, type Git } from "./git.ts";
import type { GitHub } from "./github.ts";
import { mergePull, movePull, openPull, refreshMerge, setProtection } from "./pulls.ts";
import { shadowOf } from "./shadows.ts";
import { type Json, Refusal, type Repository, repositoryNamed, userOf, type World } from "./world.ts";

const nullSha = "0".repeat(40);
const identity = (login: string) => ({ name: login, email: `${login}@users.noreply.example.org` });

type Files = Readonly<Record<string, string | Buffer | null>>;

/**
 * Creates "OWNER/NAME" with a folder's files in one commit on the default branch, and requires these checks for merges
 * into it. Starts no workflow.
 */
export async function createRepository(
  github: GitHub,
  fullName: string,
  {
    from,
    paths,
    files = {},
    defaultBranch = "main",
    private: isPrivate = false,
    requiredChecks = [],
    message = "First commit",
  }: {
    from?: string;
    paths?: readonly string[];
    files?: Files;
    defaultBranch?: string;
    private?: boolean;
    requiredChecks?: readonly string[];
    message?: string;
  },
): Promise<string> {
  const { world } = github;
  const [owner = "", name = ""] = fullName.split("/");
  userOf(world, owner);
  const git = await initBare(join(github.directory, `${owner}+${name}.git`), defaultBranch);
  const folder = from === undefined ? null : await git.folderTree(from, paths);
  const sha = await git.makeCommit({
    tree: await git.changedTree(folder, files),
    parents: [],
    message,
    author: identity(owner),
    at: world.now(),
  });
  await git.setRef(`refs/heads/${defaultBranch}`, sha);
  const resource = await world.emulate.must<Json & { id: number }>(owner, "POST", "/user/repos", {
    name,
    auto_init: true,
  });
  const repository = remember(world, fullName, {
    git,
    defaultBranch,
    parent: null,
    private: isPrivate,
    resource: { ...resource, default_branch: defaultBranch, private: isPrivate },
  });
  const api = `/repos/${fullName}`;
  if (defaultBranch !== resource["default_branch"])
    await world.emulate.must(owner, "POST", `${api}/git/refs`, {
      ref: `refs/heads/${defaultBranch}`,
      sha: await shadowOf(world, repository, sha),
    });
  if (requiredChecks.length > 0) {
    await setProtection(world, repository, defaultBranch, requiredChecks);
    repository.required.set(defaultBranch, requiredChecks);
  }
  return sha;
}

/** Forks a repository. @returns the fork's name */
export async function fork(github: GitHub, of: string, login: string): Promise<string> {
  const { world } = github;
  const parent = repositoryNamed(world, of);
  const fullName = `${login}/${parent.name}`;
  const git = await initBare(join(github.directory, `${login}+${parent.name}.git`), parent.defaultBranch);
  await git.run(["fetch", "--quiet", parent.git.directory, "+refs/heads/*:refs/heads/*"]);
  const resource = await world.emulate.must<Json & { id: number }>(
    login,
    "POST",
    `/repos/${parent.fullName}/forks`,
    {},
  );
  remember(world, fullName, {
    git,
    defaultBranch: parent.defaultBranch,
    parent,
    resource: { ...resource, fork: true, default_branch: parent.defaultBranch },
  });
  return fullName;
}

function remember(
  world: World,
  fullName: string,
  {
    git,
    defaultBranch,
    parent,
    private: isPrivate = parent?.private ?? false,
    resource,
  }: {
    git: Git;
    defaultBranch: string;
    parent: Repository | null;
    private?: boolean;
    resource: Json & { id: number };
  },
): Repository {
  const [owner = "", name = ""] = fullName.split("/");
  const repository: Repository = {
    fullName,
    owner,
    name,
    git,
    defaultBranch,
    parent,
    private: isPrivate,
    resource,
    roles: new Map([[owner.toLowerCase(), "admin" as const]]),
    environments: [],
    secrets: {},
    variables: {},
    actionsOpenPulls: false,
    pulls: new Map(),
    required: new Map(),
    deployments: [],
    deploymentStatuses: {},
    statuses: [],
    hooks: [],
    shadows: { of: new Map(), real: new Map() },
  };
  world.repositories.set(fullName.toLowerCase(), repository);
  return repository;
}

type Push = {
  repository: string;
  branch: string;
  /** Where a new branch starts; the default branch if not given. */
  from?: string;
  files: Files;
  message: string;
  by: string;
};

/**
 * Pushes one commit to a new or existing branch, and starts the workflows of the push and of the branch's pull
 * requests.
 */
export async function pushTo(
  github: GitHub,
  { repository: fullName, branch, from, files, message, by }: Push,
): Promise<string> {
  const { world } = github;
  const repository = repositoryNamed(world, fullName);
  const { git } = repository;
  requireUnprotected(repository, branch, by);
  const before = await git.resolve(`refs/heads/${branch}`);
  const parent = before ?? (await git.commitOf(from ?? repository.defaultBranch));
  if (parent === null) throw new Error(`${fullName} has no ${from}`);
  const sha = await git.makeCommit({
    tree: await git.changedTree(parent, files),
    parents: [parent],
    message,
    author: identity(userOf(world, by).login),
    at: world.now(),
  });
  await git.setRef(`refs/heads/${branch}`, sha);
  await follow(world, repository, branch, before ?? nullSha, sha, by);
  return sha;
}

/** Force-pushes HEAD of a working copy, and starts the same workflows as pushTo. @returns the commit */
export async function pushFrom(
  github: GitHub,
  { repository: fullName, branch, folder, by }: { repository: string; branch: string; folder: string; by: string },
): Promise<string> {
  const { world } = github;
  const repository = repositoryNamed(world, fullName);
  const { git } = repository;
  requireUnprotected(repository, branch, by);
  const before = (await git.resolve(`refs/heads/${branch}`)) ?? nullSha;
  await git.run(["fetch", "--quiet", folder, `+HEAD:refs/heads/${branch}`]);
  const sha = (await git.resolve(`refs/heads/${branch}`)) ?? nullSha;
  if (sha !== before) await follow(world, repository, branch, before, sha, by);
  return sha;
}

function requireUnprotected({ required, roles }: Repository, branch: string, by: string): void {
  if (required.has(branch) && roles.get(by.toLowerCase()) !== "admin")
    throw new Refusal(
      403,
      `Protected branch update failed for refs/heads/${branch}: required status checks are expected.`,
    );
}

/** Starts the workflows of the push and updates the branch's pull requests. */
async function follow(
  world: World,
  repository: Repository,
  branch: string,
  before: string,
  sha: string,
  by: string,
): Promise<void> {
  await raisePush(world, repository, { ref: `refs/heads/${branch}`, before, after: sha, by });
  const target = repository.parent ?? repository;
  for (const pull of target.pulls.values()) {
    if (pull.closed) continue;
    if (pull.headRepository === repository && pull.headRef === branch) {
      const old = pull.headSha;
      await movePull(world, target, pull, sha, by);
      await raisePull(world, target, pull, "synchronize", by, { before: old, after: sha });
    } else if (target === repository && pull.baseRef === branch) await refreshMerge(world, repository, pull);
  }
}

/** @param opening `head` is a branch of the repository, or "OWNER:BRANCH" for a fork @returns its number */
export async function openPullRequest(
  github: GitHub,
  {
    repository: fullName,
    head,
    base,
    title,
    body = "",
    by,
  }: { repository: string; head: string; base?: string; title: string; body?: string; by: string },
): Promise<number> {
  const { world } = github;
  const repository = repositoryNamed(world, fullName);
  const [owner = "", headRef = ""] = head.includes(":") ? head.split(":") : [repository.owner, head];
  const from =
    owner.toLowerCase() === repository.owner.toLowerCase()
      ? repository
      : repositoryNamed(world, `${owner}/${repository.name}`);
  const pull = await openPull(world, {
    repository,
    from,
    headRef,
    baseRef: base ?? repository.defaultBranch,
    title,
    body,
    by,
  });
  await raisePull(world, repository, pull, "opened", by);
  return pull.number;
}

/** @returns the merge commit @throws Refusal with GitHub's 405 if a required check is not green */
export async function mergePullRequest(github: GitHub, fullName: string, number: number, by: string): Promise<string> {
  const { world } = github;
  const repository = repositoryNamed(world, fullName);
  const pull = repository.pulls.get(number);
  if (pull === undefined) throw new Error(`${fullName} has no pull request ${number}`);
  const before = (await repository.git.resolve(`refs/heads/${pull.baseRef}`)) ?? nullSha;
  const sha = await mergePull(world, repository, pull, { by });
  await raiseMerge(world, repository, pull, before, by);
  return sha;
}
