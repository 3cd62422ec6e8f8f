import { commitAnswer, filesAnswer, gitCommitAnswer, refAnswer, tagAnswer } from "./git-answers.ts";
import { GitFailure, type GitStore } from "./git.ts";
import {
  branchOf,
  notFound,
  paged,
  Refusal,
  type Answer,
  type Json,
  type Repository,
  type RepositoryRequest,
  type Routes,
  type World,
} from "./world.ts";

/** Called after somebody has changed a branch or tag over REST. It does what a push does. */
type Pushed = (
  world: World,
  repository: Repository,
  push: { ref: string; before: string; after: string; by: string },
) => Promise<void>;
const nullSha = "0".repeat(40);

/** The git database, commits, comparisons, contents and branches, all read from the bare repository on disk. */
export function gitRoutes(pushed: Pushed): Routes {
  return async (world, request) => {
    const [what = "", kind = "", ...rest] = request.rest.split("/");
    const name = [...rest].map(decodeURIComponent).join("/");
    if (what === "git") return database(world, request, kind, name, pushed);
    const tail = [kind, ...rest].map(decodeURIComponent).join("/");
    if (request.method !== "GET") return null;
    switch (what) {
      case "commits":
        return kind === "" ? list(world, request) : rest.length === 0 ? oneCommit(world, request, tail) : null;
      case "compare":
        return compare(world, request, tail);
      case "contents":
        return contents(world, request, tail);
      case "branches":
        return rest.length === 0 ? branches(world, request, tail) : null;
      default:
        return null;
    }
  };
}

async function database(
  world: World,
  { method, repository, body, query, caller }: RepositoryRequest,
  kind: string,
  name: string,
  pushed: Pushed,
): Promise<Answer | null> {
  const { git } = repository;
  const found = async (ref: string) => {
    const sha = await git.resolve(ref);
    return sha === null ? null : { ref, sha, type: (await git.typeOf(sha)) ?? "commit" };
  };
  const moved = async (ref: string, before: string, after: string) => {
    if (caller.kind !== "anonymous" && /^refs\/(heads|tags)\//.test(ref))
      await pushed(world, repository, { ref, before, after, by: caller.login });
  };
  switch (`${method} ${kind}`) {
    case "GET ref": {
      const ref = await found(`refs/${name}`);
      if (ref === null) throw notFound();
      return { status: 200, body: refAnswer(world, repository, ref) };
    }
    case "GET matching-refs":
      return { status: 200, body: (await git.refs(`refs/${name}`)).map((row) => refAnswer(world, repository, row)) };
    case "POST refs": {
      const { ref = "", sha = "" } = body as { ref?: string; sha?: string };
      if (!/^refs\/[^/]+\/.+/.test(ref))
        throw new Refusal(422, "Reference name must start with 'refs' and have at least two slashes");
      if ((await git.typeOf(sha)) === null) throw new Refusal(422, "Object does not exist");
      const created = await git.createRef(ref, sha).catch((error: unknown) => {
        throw error instanceof GitFailure ? new Refusal(422, "Reference update failed") : error;
      });
      if (!created) throw new Refusal(422, "Reference already exists");
      await moved(ref, nullSha, sha);
      return {
        status: 201,
        body: refAnswer(world, repository, { ref, sha, type: (await git.typeOf(sha)) ?? "commit" }),
      };
    }
    case "PATCH refs": {
      const { sha = "", force = false } = body as { sha?: string; force?: boolean };
      const ref = await found(`refs/${name}`);
      if (ref === null) throw new Refusal(422, "Reference does not exist");
      if ((await git.typeOf(sha)) === null) throw new Refusal(422, "Object does not exist");
      if (!force && (await git.mergeBase(ref.sha, sha)) !== ref.sha)
        throw new Refusal(422, "Update is not a fast forward");
      if (repository.required.has(branchOf(ref.ref) ?? ""))
        throw new Refusal(422, "Required status check is expected: changes must be made through a pull request.");
      await git.setRef(ref.ref, sha);
      await moved(ref.ref, ref.sha, sha);
      return { status: 200, body: refAnswer(world, repository, { ...ref, sha }) };
    }
    case "DELETE refs": {
      const ref = await found(`refs/${name}`);
      if (ref === null) throw new Refusal(422, "Reference does not exist");
      if (branchOf(ref.ref) === repository.defaultBranch) throw new Refusal(422, "Cannot delete the default branch");
      await git.deleteRef(ref.ref);
      return { status: 204 };
    }
    case "POST tags": {
      const {
        tag = "",
        message = "",
        object = "",
        type = "commit",
        tagger,
      } = body as {
        tag?: string;
        message?: string;
        object?: string;
        type?: string;
        tagger?: { name: string; email: string };
      };
      if ((await git.typeOf(object)) !== type) throw new Refusal(422, "Object does not exist");
      const sha = await git.makeTag({
        tag,
        message,
        object,
        type,
        tagger: tagger ?? {
          name: caller.login,
          email: `${caller.login.replace(/\W/g, "-")}@users.noreply.example.org`,
        },
        at: world.now(),
      });
      return { status: 201, body: tagAnswer(world, repository, await git.tag(sha)) };
    }
    case "GET tags": {
      if ((await git.typeOf(name)) !== "tag") throw notFound();
      return { status: 200, body: tagAnswer(world, repository, await git.tag(name)) };
    }
    case "GET commits": {
      if ((await git.typeOf(name)) !== "commit") throw notFound();
      return { status: 200, body: gitCommitAnswer(world, repository, await git.commit(name)) };
    }
    case "POST blobs": {
      const { content = "", encoding = "utf-8" } = body as { content?: string; encoding?: string };
      const sha = await git.makeBlob(Buffer.from(content, encoding === "base64" ? "base64" : "utf8"));
      return { status: 201, body: { sha, url: `${world.origin}/repos/${repository.fullName}/git/blobs/${sha}` } };
    }
    case "POST trees": {
      const { base_tree: base = null, tree = [] } = body as {
        base_tree?: string | null;
        tree?: { path: string; mode: string; sha: string | null }[];
      };
      // A job's token never has the permission `workflows`.
      if (caller.kind === "job" && tree.some(({ path }) => path.startsWith(".github/workflows/")))
        throw new Refusal(403, "Resource not accessible by integration");
      for (const { sha } of tree)
        if (sha !== null && (await git.typeOf(sha)) === null)
          throw new Refusal(422, `tree.sha ${sha} is not a valid blob`);
      const sha = await git.makeTree(base, tree);
      return { status: 201, body: await treeAnswer(world, repository, sha, false) };
    }
    case "POST commits": {
      const {
        message = "",
        tree = "",
        parents = [],
      } = body as {
        message?: string;
        tree?: string;
        parents?: string[];
      };
      if ((await git.typeOf(tree)) !== "tree") throw new Refusal(422, "Tree SHA does not exist");
      for (const parent of parents)
        if ((await git.typeOf(parent)) !== "commit") throw new Refusal(422, "Parent SHA does not exist");
      const email = `${caller.login.replace(/\W/g, "-")}@users.noreply.example.org`;
      const author = { name: caller.login, email };
      const sha = await git.makeCommit({ tree, parents, message, author, at: world.now() });
      return { status: 201, body: gitCommitAnswer(world, repository, await git.commit(sha)) };
    }
    case "GET trees": {
      const sha = await git.resolve(`${name}^{tree}`);
      if (sha === null) throw notFound();
      return { status: 200, body: await treeAnswer(world, repository, sha, query.get("recursive") !== null) };
    }
    case "GET blobs": {
      if ((await git.typeOf(name)) !== "blob") throw notFound();
      const content = await git.blob(name);
      return {
        status: 200,
        body: {
          sha: name,
          node_id: `B_${name}`,
          url: `${world.origin}/repos/${repository.fullName}/git/blobs/${name}`,
          size: content.length,
          content: content.toString("base64"),
          encoding: "base64",
        },
      };
    }
    default:
      return null;
  }
}

async function treeAnswer({ origin }: World, { git, fullName }: Repository, sha: string, recursive: boolean) {
  const url = `${origin}/repos/${fullName}/git`;
  const tree = (await git.tree(sha, { recursive })).map(({ size, ...row }) => ({
    ...row,
    ...(size === null ? {} : { size }),
    url: `${url}/${row.type}s/${row.sha}`,
  }));
  return { sha, url: `${url}/trees/${sha}`, tree, truncated: false };
}

async function oneCommit(world: World, { repository }: RepositoryRequest, name: string): Promise<Answer> {
  const { git } = repository;
  const sha = await git.commitOf(name);
  if (sha === null) throw new Refusal(422, `No commit found for SHA: ${name}`);
  const commit = await git.commit(sha);
  const files = await filesAnswer(world, repository, commit.parents[0] ?? emptyTree, sha);
  const sum = (of: string) => files.reduce((total, file) => total + (file[of] as number), 0);
  return {
    status: 200,
    body: {
      ...commitAnswer(world, repository, commit),
      stats: { additions: sum("additions"), deletions: sum("deletions"), total: sum("changes") },
      files,
    },
  };
}

const emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

async function list(world: World, request: RepositoryRequest): Promise<Answer> {
  const { repository, query } = request;
  const start = await repository.git.commitOf(query.get("sha") ?? repository.defaultBranch);
  if (start === null) throw notFound();
  const { items, headers } = paged(world, request, (await repository.git.commits(start)).toReversed());
  return {
    status: 200,
    body: await Promise.all(
      items.map(async (sha) => commitAnswer(world, repository, await repository.git.commit(sha))),
    ),
    headers,
  };
}

/** Compares BASE...HEAD. Each is a branch, a tag, a sha or, for a fork, OWNER:BRANCH. */
async function compare(world: World, request: RepositoryRequest, basehead: string): Promise<Answer> {
  const { repository } = request;
  const { git } = repository;
  const [base, head] = await Promise.all(basehead.split("...").map((name) => side(world, repository, name)));
  if (base == null || head == null) throw notFound();
  const common = await git.mergeBase(base, head);
  if (common === null) throw new Refusal(404, `No common ancestor between ${basehead.split("...").join(" and ")}.`);
  const [ahead, behind] = await Promise.all([git.commits(`${base}..${head}`), git.commits(`${head}..${base}`)]);
  const write = async (sha: string) => commitAnswer(world, repository, await git.commit(sha));
  const { items, headers } = paged(world, request, ahead);
  const page = `${world.origin}/${repository.fullName}/compare/${encodeURIComponent(basehead)}`;
  return {
    status: 200,
    headers,
    body: {
      url: `${world.origin}/repos/${repository.fullName}/compare/${encodeURIComponent(basehead)}`,
      html_url: page,
      permalink_url: page,
      diff_url: `${page}.diff`,
      patch_url: `${page}.patch`,
      base_commit: await write(base),
      merge_base_commit: await write(common),
      status:
        ahead.length === 0
          ? behind.length === 0
            ? "identical"
            : "behind"
          : behind.length === 0
            ? "ahead"
            : "diverged",
      ahead_by: ahead.length,
      behind_by: behind.length,
      total_commits: ahead.length,
      commits: await Promise.all(items.map(write)),
      files: await filesAnswer(world, repository, common, head),
    },
  };
}

async function side(world: World, repository: Repository, name: string): Promise<string | null> {
  const [owner, branch] = name.includes(":")
    ? [name.slice(0, name.indexOf(":")), name.slice(name.indexOf(":") + 1)]
    : [null, name];
  if (owner === null || owner.toLowerCase() === repository.owner.toLowerCase()) return repository.git.commitOf(branch);
  const fork = [...world.repositories.values()].find(
    (one) => one.parent === repository && one.owner.toLowerCase() === owner.toLowerCase(),
  );
  const sha = fork === undefined ? null : await fork.git.commitOf(branch);
  if (sha !== null && fork !== undefined) await repository.git.run(["fetch", "--quiet", fork.git.directory, sha]);
  return sha;
}

async function contents(
  world: World,
  { repository, query, headers }: RepositoryRequest,
  path: string,
): Promise<Answer> {
  const ref = query.get("ref") ?? repository.defaultBranch;
  const commit = await repository.git.commitOf(ref);
  if (commit === null) throw new Refusal(404, `No commit found for the ref ${ref}`);
  const clean = path.replace(/^\/+|\/+$/g, "");
  const sha = await repository.git.resolve(`${commit}:${clean}`);
  if (sha === null) throw notFound();
  const api = `${world.origin}/repos/${repository.fullName}`;
  const entry = (at: string, object: string, type: string, size: number): Json => {
    const self = `${api}/contents/${encodeURIComponent(at)}?ref=${ref}`;
    const html = `${world.origin}/${repository.fullName}/blob/${commit}/${at}`;
    return {
      type: type === "blob" ? "file" : type === "tree" ? "dir" : "submodule",
      size,
      name: at.split("/").at(-1) ?? "",
      path: at,
      sha: object,
      url: self,
      html_url: html,
      git_url: `${api}/git/${type}s/${object}`,
      download_url: type === "blob" ? `${world.origin}/${repository.fullName}/raw/${commit}/${at}` : null,
      _links: { self, git: `${api}/git/${type}s/${object}`, html },
    };
  };
  if ((await repository.git.typeOf(sha)) === "tree")
    return {
      status: 200,
      body: (await repository.git.tree(sha)).map((row) =>
        entry(clean === "" ? row.path : `${clean}/${row.path}`, row.sha, row.type, row.size ?? 0),
      ),
    };
  const content = await repository.git.blob(sha);
  if (/\braw\b/.test(String(headers["accept"] ?? "")))
    return { status: 200, raw: content, headers: { "content-type": "application/vnd.github.raw+json" } };
  return {
    status: 200,
    body: { ...entry(clean, sha, "blob", content.length), encoding: "base64", content: content.toString("base64") },
  };
}

async function branches(world: World, request: RepositoryRequest, name: string): Promise<Answer> {
  const { repository } = request;
  const write = (branch: string, sha: string, commit?: Json): Json => {
    const api = `${world.origin}/repos/${repository.fullName}`;
    const isProtected = repository.required.has(branch);
    const url = `${api}/branches/${encodeURIComponent(branch)}`;
    const protection = {
      required_status_checks: {
        enforcement_level: "everyone",
        contexts: [...(repository.required.get(branch) ?? [])],
        checks: (repository.required.get(branch) ?? []).map((context) => ({ context, app_id: null })),
      },
    };
    return {
      name: branch,
      commit: commit ?? { sha, url: `${api}/commits/${sha}` },
      protected: isProtected,
      protection,
      protection_url: `${url}/protection`,
      ...(commit === undefined
        ? {}
        : { _links: { self: url, html: `${world.origin}/${repository.fullName}/tree/${branch}` } }),
    };
  };
  if (name === "") {
    const { items, headers } = paged(world, request, await repository.git.refs("refs/heads/"));
    return { status: 200, headers, body: items.map(({ ref, sha }) => write(ref.slice("refs/heads/".length), sha)) };
  }
  const sha = await headOf(repository.git, name);
  if (sha === null) throw new Refusal(404, "Branch not found");
  return { status: 200, body: write(name, sha, commitAnswer(world, repository, await repository.git.commit(sha))) };
}

const headOf = (git: GitStore, branch: string): Promise<string | null> => git.resolve(`refs/heads/${branch}`);
