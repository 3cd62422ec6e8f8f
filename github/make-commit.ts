import type { RepositoryApi } from "./api.ts";

/** A commit's parents and message. */
export async function readCommit(
  { octokit, owner, repo }: RepositoryApi,
  sha: string,
): Promise<{ message: string; parents: string[]; tree: string }> {
  const { data } = await octokit.rest.git.getCommit({ owner, repo, commit_sha: sha });
  return { message: data.message, parents: data.parents.map((parent) => parent.sha), tree: data.tree.sha };
}

/**
 * Makes a commit of changed files on a parent. No ref points at it yet, so making it twice does no harm. GitHub signs it
 * and takes the token's owner as its author.
 *
 * @param files path from the repository's top level → content
 * @returns its sha
 */
export async function makeCommit(
  { octokit, owner, repo }: RepositoryApi,
  { parent, files, message }: { parent: string; files: ReadonlyMap<string, Uint8Array>; message: string },
): Promise<string> {
  const { git } = octokit.rest;
  const { tree: before } = await readCommit({ octokit, owner, repo }, parent);
  const entries: { path: string; mode: "100644"; type: "blob"; sha: string }[] = [];
  for (const [path, content] of files) {
    const { data } = await git.createBlob({
      owner,
      repo,
      content: Buffer.from(content).toString("base64"),
      encoding: "base64",
    });
    entries.push({ path, mode: "100644", type: "blob", sha: data.sha });
  }
  const { data: tree } = await git.createTree({ owner, repo, base_tree: before, tree: entries });
  const { data: commit } = await git.createCommit({ owner, repo, message, tree: tree.sha, parents: [parent] });
  return commit.sha;
}
