import { missingCheck } from "./checks.ts";
import type { EmulateAnswer } from "./emulate.ts";
import { commitAnswer, filesAnswer } from "./git-answers.ts";
import { GitFailure } from "./git.ts";
import { deliver } from "./hooks.ts";
import { shadowOf, linkShadow } from "./shadows.ts";
import { botLogin } from "./tokens.ts";
import {
  notFound,
  paged,
  Refusal,
  type Json,
  type Pull,
  type Repository,
  type RepositoryRequest,
  type Routes,
  userOf,
  type World,
} from "./world.ts";

type Raised = {
  opened: (repository: Repository, pull: Pull, by: string) => Promise<void>;
  edited: (repository: Repository, pull: Pull, by: string, changes: Json) => Promise<void>;
  merged: (repository: Repository, pull: Pull, before: string, by: string) => Promise<void>;
};

const pathOf = (repository: Repository, number: number) => `/repos/${repository.fullName}/pulls/${number}`;

/** Pull requests. Their text is in the emulator, their commits are in git. */
export function pullRoutes(raised: Raised): Routes {
  return async (world, request) => {
    const { repository, method, rest, query, body, caller } = request;
    const ofCommit = /^commits\/([^/]+)\/pulls$/.exec(rest);
    if (ofCommit !== null && method === "GET")
      return {
        status: 200,
        ...(await listPulls(world, request, await pullsOf(repository, decodeURIComponent(ofCommit[1] ?? "")))),
      };
    if (rest === "pulls" && method === "GET") {
      const [state, head, base] = [query.get("state") ?? "open", query.get("head"), query.get("base")];
      const found = [...repository.pulls.values()].filter(
        (pull) =>
          (state === "all" || (state === "open") !== pull.closed) &&
          (base === null || pull.baseRef === base) &&
          (head === null || `${pull.headRepository.owner}:${pull.headRef}`.toLowerCase() === head.toLowerCase()),
      );
      return {
        status: 200,
        ...(await listPulls(world, request, query.get("direction") === "asc" ? found : found.toReversed())),
      };
    }
    if (rest === "pulls" && method === "POST") {
      if (caller.kind === "job" && !repository.actionsOpenPulls)
        throw new Refusal(403, "GitHub Actions is not permitted to create or approve pull requests.");
      const {
        title = "",
        head = "",
        base = "",
        body: words = "",
      } = body as { title?: string; head?: string; base?: string; body?: string };
      const [owner, ref] = head.includes(":")
        ? [head.slice(0, head.indexOf(":")), head.slice(head.indexOf(":") + 1)]
        : [repository.owner, head];
      const from = [repository, ...world.repositories.values()].find(
        (one) => (one === repository || one.parent === repository) && one.owner.toLowerCase() === owner.toLowerCase(),
      );
      if (from === undefined)
        throw new Refusal(422, "Validation Failed", [{ resource: "PullRequest", field: "head", code: "invalid" }]);
      const pull = await openPull(world, {
        repository,
        from,
        headRef: ref,
        baseRef: base,
        title,
        body: words,
        by: caller.login,
      });
      await raised.opened(repository, pull, caller.login);
      return { status: 201, body: await pullAnswer(world, repository, pull) };
    }
    const one = /^pulls\/(\d+)(?:\/(\w+))?$/.exec(rest);
    const pull = repository.pulls.get(Number(one?.[1]));
    if (one === null) return null;
    if (pull === undefined) throw notFound();
    const { git } = repository;
    const base = await baseOf(repository, pull);
    switch (`${method} ${one[2] ?? ""}`) {
      case "GET ":
        return { status: 200, body: await pullAnswer(world, repository, pull) };
      case "PATCH ": {
        if (body["state"] === "open" && pull.merged !== null)
          throw new Refusal(422, "Validation Failed", [{ resource: "PullRequest", field: "state", code: "invalid" }]);
        const newBase = typeof body["base"] === "string" && body["base"] !== pull.baseRef ? body["base"] : null;
        if (newBase !== null && (await git.resolve(`refs/heads/${newBase}`)) === null)
          throw new Refusal(422, "Validation Failed", [{ resource: "PullRequest", field: "base", code: "invalid" }]);
        const words = await world.emulate.must<Json>(botLogin, "GET", pathOf(repository, pull.number));
        await world.emulate.must(caller.login, "PATCH", pathOf(repository, pull.number), body);
        if (body["state"] === "closed" || body["state"] === "open") pull.closed = body["state"] === "closed";
        const changes: Record<string, Json> = Object.fromEntries(
          ["title", "body"].flatMap((field) =>
            body[field] === undefined || body[field] === words[field] ? [] : [[field, { from: words[field] }]],
          ),
        );
        if (newBase !== null) {
          changes["base"] = { ref: { from: pull.baseRef }, sha: { from: base } };
          pull.baseRef = newBase;
          await refreshMerge(world, repository, pull);
        }
        if (Object.keys(changes).length > 0) await raised.edited(repository, pull, caller.login, changes);
        return { status: 200, body: await pullAnswer(world, repository, pull) };
      }
      case "GET commits": {
        const { items, headers } = paged(
          world,
          request,
          pull.merged?.commits ?? (await git.commits(`${base}..${pull.headSha}`)),
        );
        return {
          status: 200,
          headers,
          body: await Promise.all(items.map(async (sha) => commitAnswer(world, repository, await git.commit(sha)))),
        };
      }
      case "GET files": {
        const { items, headers } = paged(
          world,
          request,
          await filesAnswer(world, repository, (await git.mergeBase(base, pull.headSha)) ?? base, pull.headSha),
        );
        return { status: 200, headers, body: items };
      }
      case "GET merge":
        return pull.merged === null
          ? { status: 404, body: { message: "Not Found", documentation_url: "https://docs.github.com/rest" } }
          : { status: 204 };
      case "PUT merge": {
        const before = await baseHead(repository, pull);
        const merged = await mergePull(world, repository, pull, {
          by: caller.login,
          ...(typeof body["sha"] === "string" ? { expected: body["sha"] } : {}),
          ...(typeof body["commit_title"] === "string" ? { title: body["commit_title"] } : {}),
        });
        await raised.merged(repository, pull, before, caller.login);
        return { status: 200, body: { sha: merged, merged: true, message: "Pull Request successfully merged" } };
      }
      default:
        return null;
    }
  };
}

const baseHead = async (repository: Repository, { baseRef }: Pull) =>
  (await repository.git.resolve(`refs/heads/${baseRef}`)) ?? "";

/** The commit that a pull request is compared to: the head of its base branch, or after a merge the head before it. */
async function baseOf(repository: Repository, pull: Pull): Promise<string> {
  return pull.merged === null
    ? (await baseHead(repository, pull)) || pull.baseSha
    : ((await repository.git.commit(pull.merged.sha)).parents[0] ?? pull.merged.sha);
}

async function listPulls(
  world: World,
  request: RepositoryRequest,
  found: readonly Pull[],
): Promise<{ body: Json[]; headers: Record<string, string> }> {
  const { items, headers } = paged(world, request, found);
  return { headers, body: await Promise.all(items.map((pull) => pullAnswer(world, request.repository, pull))) };
}

/**
 * The pull requests that a commit belongs to: open ones with the commit in their head's history, merged ones that added
 * the commit.
 */
async function pullsOf(repository: Repository, name: string): Promise<Pull[]> {
  const sha = await repository.git.commitOf(name);
  if (sha === null) throw new Refusal(422, `No commit found for SHA: ${name}`);
  const belongs = await Promise.all(
    [...repository.pulls.values()].map(async (pull) => {
      const commits =
        pull.merged === null
          ? await repository.git.commits(`${await baseHead(repository, pull)}..${pull.headSha}`)
          : [...pull.merged.commits, pull.merged.sha];
      return commits.includes(sha);
    }),
  );
  return [...repository.pulls.values()].filter((_, i) => belongs[i]);
}

/** A pull request in GitHub's format, combined from the emulator's text and git's commits. */
export async function pullAnswer(world: World, repository: Repository, pull: Pull): Promise<Json> {
  const words = await world.emulate.must<Json>(botLogin, "GET", pathOf(repository, pull.number));
  const { git } = repository;
  const base = await baseOf(repository, pull);
  const [commits, files] = await Promise.all([
    git.commits(`${base}..${pull.headSha}`),
    filesAnswer(world, repository, (await git.mergeBase(base, pull.headSha)) ?? base, pull.headSha),
  ]);
  const sum = (of: string) => files.reduce((total, file) => total + (file[of] as number), 0);
  const side = (of: Repository, ref: string, sha: string) => ({
    label: `${of.owner}:${ref}`,
    ref,
    sha,
    user: userOf(world, of.owner),
    repo: of.resource,
  });
  const statuses = `${world.origin}/repos/${repository.fullName}/statuses/${pull.headSha}`;
  const blocked =
    pull.closed || pull.mergeSha === null ? null : await missingCheck(world, repository, pull.baseRef, pull.headSha);
  return {
    ...words,
    head: side(pull.headRepository, pull.headRef, pull.headSha),
    base: side(repository, pull.baseRef, base),
    statuses_url: statuses,
    _links: { ...(words["_links"] as Json), statuses: { href: statuses } },
    merge_commit_sha: pull.merged?.sha ?? pull.mergeSha,
    mergeable: pull.closed ? null : pull.mergeSha !== null,
    rebaseable: pull.closed ? null : pull.mergeSha !== null,
    mergeable_state: pull.closed
      ? "unknown"
      : pull.mergeSha === null
        ? "dirty"
        : blocked === null
          ? "clean"
          : "blocked",
    commits: commits.length,
    additions: sum("additions"),
    deletions: sum("deletions"),
    changed_files: files.length,
  };
}

/**
 * Updates refs/pull/N/head and, unless the branches conflict, refs/pull/N/merge, the commit that workflows check out.
 */
export async function refreshMerge(world: World, repository: Repository, pull: Pull): Promise<void> {
  const { git } = repository;
  const base = await baseHead(repository, pull);
  pull.baseSha = base;
  await git.setRef(`refs/pull/${pull.number}/head`, pull.headSha);
  const tree = await git.mergeTree(base, pull.headSha);
  pull.mergeSha =
    tree === null
      ? null
      : await git.makeCommit({
          tree,
          parents: [base, pull.headSha],
          message: `Merge ${pull.headSha} into ${base}`,
          author: { name: "GitHub", email: "noreply@example.org" },
          at: world.now(),
        });
  if (pull.mergeSha !== null) await git.setRef(`refs/pull/${pull.number}/merge`, pull.mergeSha);
}

type Opening = {
  repository: Repository;
  from: Repository;
  headRef: string;
  baseRef: string;
  title: string;
  body: string;
  by: string;
};

export async function openPull(
  world: World,
  { repository, from, headRef, baseRef, title, body, by }: Opening,
): Promise<Pull> {
  const wrong = (field: string, message?: string) =>
    new Refusal(422, "Validation Failed", [
      {
        resource: "PullRequest",
        ...(message === undefined ? { field, code: "invalid" } : { code: "custom", message }),
      },
    ]);
  const headSha = await from.git.resolve(`refs/heads/${headRef}`);
  if (headSha === null) throw wrong("head");
  const base = await repository.git.resolve(`refs/heads/${baseRef}`);
  if (base === null) throw wrong("base");
  if (from !== repository) await repository.git.run(["fetch", "--quiet", from.git.directory, headSha]);
  if ((await repository.git.commits(`${base}..${headSha}`, 1)).length === 0)
    throw wrong("", `No commits between ${baseRef} and ${headRef}`);
  if (
    [...repository.pulls.values()].some(
      (one) => !one.closed && one.headRepository === from && one.headRef === headRef && one.baseRef === baseRef,
    )
  )
    throw wrong("", `A pull request already exists for ${from.owner}:${headRef}.`);

  // Each pull request gets its own branch in the emulator, so that forks with equal branch names do not collide.
  const api = `/repos/${repository.fullName}`;
  const shadowBranch = `shadow-${world.nextId()}`;
  await world.emulate.must(repository.owner, "POST", `${api}/git/refs`, {
    ref: `refs/heads/${shadowBranch}`,
    sha: await shadowOf(world, repository, headSha),
  });
  const { number } = await world.emulate.must<{ number: number }>(by, "POST", `${api}/pulls`, {
    title,
    body,
    head: shadowBranch,
    base: baseRef,
  });
  const pull: Pull = {
    number,
    author: by,
    headRepository: from,
    headRef,
    headSha,
    baseRef,
    baseSha: base,
    mergeSha: null,
    merged: null,
    closed: false,
  };
  repository.pulls.set(number, pull);
  await refreshMerge(world, repository, pull);
  deliver(world, repository, "pull_request", {
    action: "opened",
    number,
    pull_request: await pullAnswer(world, repository, pull),
    sender: userOf(world, by),
  });
  return pull;
}

/** Updates a pull request after a push to its head branch. */
export async function movePull(
  world: World,
  repository: Repository,
  pull: Pull,
  headSha: string,
  by: string,
): Promise<void> {
  if (pull.headRepository !== repository)
    await repository.git.run(["fetch", "--quiet", pull.headRepository.git.directory, headSha]);
  const before = pull.headSha;
  // This is the only way to move a head in the emulator. The commit that it creates stands for the real one.
  await world.emulate.must(repository.owner, "PUT", `${pathOf(repository, pull.number)}/update-branch`, {});
  const moved = await world.emulate.must<{ head: { sha: string } }>(botLogin, "GET", pathOf(repository, pull.number));
  linkShadow(repository, headSha, moved.head.sha);
  pull.headSha = headSha;
  await refreshMerge(world, repository, pull);
  deliver(world, repository, "pull_request", {
    action: "synchronize",
    number: pull.number,
    before,
    after: headSha,
    pull_request: await pullAnswer(world, repository, pull),
    sender: userOf(world, by),
  });
}

/**
 * Merges in the emulator. Unlike GitHub, it does not count skipped or neutral checks as green, and knows no commit
 * statuses as required checks. The caller has already checked these, so the protection is lifted if only it is in the
 * way.
 */
async function mergeInEmulator(world: World, repository: Repository, pull: Pull, by: string): Promise<EmulateAnswer> {
  const merge = () => world.emulate.call(by, "PUT", `${pathOf(repository, pull.number)}/merge`, {});
  const first = await merge();
  if (first.status !== 422 || !/status checks/i.test(String((first.body as Json)["message"]))) return first;
  await setProtection(world, repository, pull.baseRef, []);
  try {
    return await merge();
  } finally {
    await setProtection(world, repository, pull.baseRef, repository.required.get(pull.baseRef) ?? []);
  }
}

/** Sets the checks that merges into a branch require, also for administrators. */
export function setProtection(
  world: World,
  { owner, fullName }: Repository,
  branch: string,
  contexts: readonly string[],
): Promise<unknown> {
  return world.emulate.must(owner, "PUT", `/repos/${fullName}/branches/${encodeURIComponent(branch)}/protection`, {
    required_status_checks: { strict: false, contexts },
    enforce_admins: true,
    required_pull_request_reviews: null,
    restrictions: null,
  });
}

/**
 * Merges with a merge commit, both in git and in the emulator.
 * @throws Refusal with GitHub's 405 or 409
 */
export async function mergePull(
  world: World,
  repository: Repository,
  pull: Pull,
  { by, expected, title }: { by: string; expected?: string; title?: string },
): Promise<string> {
  const { git } = repository;
  if (pull.closed) throw new Refusal(405, "Pull Request is not mergeable");
  if (expected !== undefined && expected !== pull.headSha)
    throw new Refusal(409, "Head branch was modified. Review and try the merge again.");
  await refreshMerge(world, repository, pull);
  if (pull.mergeSha === null) throw new Refusal(405, "Pull Request is not mergeable");
  const missing = await missingCheck(world, repository, pull.baseRef, pull.headSha);
  if (missing !== null) throw new Refusal(405, missing);
  const base = await baseHead(repository, pull);
  const commits = await git.commits(`${base}..${pull.headSha}`);
  const answer = await mergeInEmulator(world, repository, pull, by);
  if (answer.status !== 200)
    throw new Refusal(answer.status === 422 ? 405 : answer.status, String((answer.body as Json)["message"]));
  const message = title ?? `Merge pull request #${pull.number} from ${pull.headRepository.owner}/${pull.headRef}`;
  const { tree } = await git.commit(pull.mergeSha);
  const sha = await git.makeCommit({
    tree,
    parents: [base, pull.headSha],
    message,
    author: { name: by, email: `${by}@users.noreply.example.org` },
    at: world.now(),
  });
  try {
    await git.run(["update-ref", `refs/heads/${pull.baseRef}`, sha, base]);
  } catch (error) {
    if (error instanceof GitFailure)
      throw new Refusal(409, "Base branch was modified. Review and try the merge again.");
    throw error;
  }
  linkShadow(repository, sha, String((answer.body as Json)["sha"]));
  pull.merged = { sha, at: world.now().toISOString(), by, commits };
  pull.closed = true;
  await git.run(["update-ref", "-d", `refs/pull/${pull.number}/merge`]);
  deliver(world, repository, "pull_request", {
    action: "closed",
    number: pull.number,
    pull_request: await pullAnswer(world, repository, pull),
    sender: userOf(world, by),
  });
  // The base of the other open pull requests has moved, so recreate their merge commits.
  for (const other of repository.pulls.values())
    if (!other.closed && other.baseRef === pull.baseRef) await refreshMerge(world, repository, other);
  return sha;
}
