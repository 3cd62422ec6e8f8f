import type { CommitObject, RefRow, TagObject } from "./git.ts";
import { type Json, type Repository, userOf, type World } from "./world.ts";

const apiOf = ({ origin }: World, { fullName }: Repository) => `${origin}/repos/${fullName}`;

export function refAnswer(world: World, repository: Repository, { ref, sha, type }: RefRow): Json {
  const git = `${apiOf(world, repository)}/git`;
  return { ref, node_id: `REF_${ref}`, url: `${git}/${ref}`, object: { type, sha, url: `${git}/${type}s/${sha}` } };
}

export function tagAnswer(
  world: World,
  repository: Repository,
  { sha, tag, message, object, type, tagger }: TagObject,
): Json {
  const git = `${apiOf(world, repository)}/git`;
  return {
    node_id: `TAG_${sha}`,
    tag,
    sha,
    url: `${git}/tags/${sha}`,
    message,
    tagger,
    object: { sha: object, type, url: `${git}/${type}s/${object}` },
    verification,
  };
}

const verification = { verified: false, reason: "unsigned", signature: null, payload: null, verified_at: null };

/** A commit in the format of the git database API: only the object. */
export function gitCommitAnswer(
  world: World,
  repository: Repository,
  { sha, tree, parents, message, author, committer }: CommitObject,
): Json {
  const api = apiOf(world, repository);
  const page = `${world.origin}/${repository.fullName}/commit`;
  return {
    sha,
    node_id: `C_${sha}`,
    url: `${api}/git/commits/${sha}`,
    html_url: `${page}/${sha}`,
    author,
    committer,
    message,
    verification,
    tree: { sha: tree, url: `${api}/git/trees/${tree}` },
    parents: parents.map((parent) => ({
      sha: parent,
      url: `${api}/git/commits/${parent}`,
      html_url: `${page}/${parent}`,
    })),
  };
}

/** A commit in the format of the repository API, with the GitHub users behind it. */
export function commitAnswer(
  world: World,
  repository: Repository,
  { sha, tree, parents, message, author, committer }: CommitObject,
): Json {
  const api = apiOf(world, repository);
  const page = `${world.origin}/${repository.fullName}/commit`;
  const person = (name: string) => (world.users.has(name.toLowerCase()) ? userOf(world, name) : null);
  return {
    sha,
    node_id: `C_${sha}`,
    url: `${api}/commits/${sha}`,
    html_url: `${page}/${sha}`,
    comments_url: `${api}/commits/${sha}/comments`,
    commit: {
      url: `${api}/git/commits/${sha}`,
      author,
      committer,
      message,
      comment_count: 0,
      tree: { sha: tree, url: `${api}/git/trees/${tree}` },
      verification,
    },
    author: person(author.name),
    committer: person(committer.name),
    parents: parents.map((parent) => ({ sha: parent, url: `${api}/commits/${parent}`, html_url: `${page}/${parent}` })),
  };
}

export async function filesAnswer(world: World, repository: Repository, from: string, to: string): Promise<Json[]> {
  const api = apiOf(world, repository);
  return (await repository.git.changes(from, to)).map(({ path, status, additions, deletions, sha }) => ({
    sha,
    filename: path,
    status,
    additions,
    deletions,
    changes: additions + deletions,
    blob_url: `${world.origin}/${repository.fullName}/blob/${to}/${encodeURIComponent(path)}`,
    raw_url: `${world.origin}/${repository.fullName}/raw/${to}/${encodeURIComponent(path)}`,
    contents_url: `${api}/contents/${encodeURIComponent(path)}?ref=${to}`,
  }));
}
