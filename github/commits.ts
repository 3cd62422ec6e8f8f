import { posix } from "node:path";
import { statusOf, type RepositoryApi } from "./api.ts";

type TreeEntry = { mode: string; sha: string; folder: boolean };
type Tree = ReadonlyMap<string, TreeEntry>;

/** The merge base of two commits or branches. */
export async function mergeBase({ octokit, owner, repo }: RepositoryApi, base: string, head: string): Promise<string> {
  // Only the merge base is needed; one commit per page keeps the answer small.
  const { data } = await octokit.rest.repos.compareCommitsWithBasehead({
    owner,
    repo,
    basehead: `${base}...${head}`,
    per_page: 1,
  });
  return data.merge_base_commit.sha;
}

/** A commit's id, and when it was written: milliseconds since 1970; null where it does not say. */
export type DatedCommit = { sha: string; at: number | null };

/** Commits that are looked at between two: more make a time of delivery that nobody reads. */
const maxComparePages = 5;

/** What `head` has and `base` has not, oldest first, 500 at most. Null where GitHub no longer knows one of them. */
export async function commitsBetween(
  { octokit, owner, repo }: RepositoryApi,
  base: string,
  head: string,
): Promise<DatedCommit[] | null> {
  const found: DatedCommit[] = [];
  try {
    for (let page = 1; page <= maxComparePages; page += 1) {
      const { data } = await octokit.rest.repos.compareCommitsWithBasehead({
        owner,
        repo,
        basehead: `${base}...${head}`,
        per_page: 100,
        page,
      });
      for (const { sha, commit } of data.commits) {
        const at = Date.parse(commit.author?.date ?? commit.committer?.date ?? "");
        found.push({ sha, at: Number.isNaN(at) ? null : at });
      }
      if (found.length >= data.total_commits || data.commits.length === 0) break;
    }
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw error;
  }
  return found;
}

/** The entries of a tree by name. The tree may be named by its commit. */
export async function treeOf({ octokit, owner, repo }: RepositoryApi, sha: string): Promise<Tree> {
  const { data } = await octokit.rest.git.getTree({ owner, repo, tree_sha: sha });
  if (data.truncated) throw new Error(`GitHub shows only a part of the tree ${sha}`);
  return new Map(data.tree.map((one) => [one.path, { mode: one.mode, sha: one.sha, folder: one.type === "tree" }]));
}

/**
 * Which of some paths a pull request changes.
 *
 * Both sides are commits, so anything pushed in the meantime does not count. If a path is the same at the merge base
 * and at the head, then the merge commit, which is what ran, has the base branch's version of it.
 *
 * @param paths folders or files, relative to the repository's root
 */
export async function changedPaths(
  api: RepositoryApi,
  { base, head, paths }: { base: string; head: string; paths: readonly string[] },
): Promise<string[]> {
  const trees = new Map<string, Promise<Tree>>();
  const tree = (sha: string) => {
    const asked = trees.get(sha) ?? treeOf(api, sha);
    trees.set(sha, asked);
    return asked;
  };
  const before = await mergeBase(api, base, head);
  const changed: string[] = [];
  for (const path of new Set(paths.map((one) => posix.normalize(one).replace(/^\/|\/$/g, ""))))
    if (await differs(before, head, path.split("/"), tree)) changed.push(path);
  return changed;
}

async function differs(
  before: string,
  after: string,
  [name = "", ...rest]: readonly string[],
  tree: (sha: string) => Promise<Tree>,
): Promise<boolean> {
  const [old, own] = (await Promise.all([tree(before), tree(after)])).map((entries) => entries.get(name));
  if (old?.sha === own?.sha && old?.mode === own?.mode) return false;
  if (rest.length === 0 || !old?.folder || !own?.folder) return true;
  return differs(old.sha, own.sha, rest, tree);
}
