import { sentOnce, statusOf, type RepositoryApi } from "./api.ts";

/**
 * What a ref points at: a commit, or the object of an annotated tag. Names are full, such as refs/tags/births@1.0.0.
 */
export type Ref = { ref: string; sha: string; type: string };
export type TagObject = { message: string; tagger: string; date: string; commit: string };

const withoutRefs = (name: string) => name.replace(/^refs\//, "");

/** Null when there is none. */
export async function findRef({ octokit, owner, repo }: RepositoryApi, name: string): Promise<Ref | null> {
  try {
    const { data } = await octokit.rest.git.getRef({ owner, repo, ref: withoutRefs(name) });
    return { ref: data.ref, sha: data.object.sha, type: data.object.type };
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw error;
  }
}

/** Refs whose names begin with `prefix`. */
export async function matchingRefs({ octokit, owner, repo }: RepositoryApi, prefix: string): Promise<Ref[]> {
  const { data } = await octokit.rest.git.listMatchingRefs({ owner, repo, ref: withoutRefs(prefix) });
  return data.map(({ ref, object }) => ({ ref, sha: object.sha, type: object.type }));
}

/** Creating a ref is atomic: of two attempts, one is refused. @returns false if it already exists */
export async function createRef({ octokit, owner, repo }: RepositoryApi, name: string, sha: string): Promise<boolean> {
  try {
    await octokit.rest.git.createRef({ owner, repo, ref: name, sha, ...sentOnce });
    return true;
  } catch (error) {
    if (statusOf(error) === 422 && error instanceof Error && /already exists/i.test(error.message)) return false;
    throw error;
  }
}

/** @returns false if there was none */
export async function deleteRef({ octokit, owner, repo }: RepositoryApi, name: string): Promise<boolean> {
  try {
    await octokit.rest.git.deleteRef({ owner, repo, ref: withoutRefs(name), ...sentOnce });
    return true;
  } catch (error) {
    const status = statusOf(error);
    if (status === 404 || status === 422) return false;
    throw error;
  }
}

/**
 * Creates the object of an annotated tag. No ref points at it yet, so creating it twice does no harm. @returns its sha
 */
export async function createTagObject(
  { octokit, owner, repo }: RepositoryApi,
  { tag, message, commit }: { tag: string; message: string; commit: string },
): Promise<string> {
  const { data } = await octokit.rest.git.createTag({
    owner,
    repo,
    tag,
    message,
    object: commit,
    type: "commit",
    ...sentOnce,
  });
  return data.sha;
}

export async function readTagObject({ octokit, owner, repo }: RepositoryApi, sha: string): Promise<TagObject> {
  const { data } = await octokit.rest.git.getTag({ owner, repo, tag_sha: sha });
  return { message: data.message, tagger: data.tagger.name, date: data.tagger.date, commit: data.object.sha };
}

/** Moves a ref, wherever it was. */
export async function moveRef({ octokit, owner, repo }: RepositoryApi, name: string, sha: string): Promise<void> {
  await octokit.rest.git.updateRef({ owner, repo, ref: withoutRefs(name), sha, force: true });
}
