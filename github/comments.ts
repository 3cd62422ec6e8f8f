import { sentOnce, type RepositoryApi } from "./api.ts";

/** 3,000 comments. A search that finds nothing in these gives up, and a new comment is made. */
export const maxCommentPages = 30;

export type Comment = { id: number; body: string; author: string; url: string };

/**
 * The account that the token belongs to, without "[bot]". A workflow's token may not call GET /user; GraphQL answers
 * every kind of token.
 */
export async function viewerOf({ octokit }: RepositoryApi): Promise<string> {
  const { viewer } = await octokit.graphql<{ viewer: { login: string } }>("query { viewer { login } }");
  return withoutSuffix(viewer.login);
}

/** A pull request's comments, oldest first, in pages of a hundred. */
export async function* commentPages(
  { octokit, owner, repo }: RepositoryApi,
  pullRequest: number,
): AsyncGenerator<Comment[]> {
  const pages = octokit.paginate.iterator(octokit.rest.issues.listComments, {
    owner,
    repo,
    issue_number: pullRequest,
    per_page: 100,
  });
  for await (const { data } of pages) yield data.map(commentOf);
}

/**
 * Sent once, because a second request could leave a second comment. The caller must look for the comment before trying
 * again.
 */
export async function createComment(
  { octokit, owner, repo }: RepositoryApi,
  pullRequest: number,
  body: string,
): Promise<Comment> {
  const { data } = await octokit.rest.issues.createComment({
    owner,
    repo,
    issue_number: pullRequest,
    body,
    ...sentOnce,
  });
  return commentOf(data);
}

export async function updateComment(
  { octokit, owner, repo }: RepositoryApi,
  id: number,
  body: string,
): Promise<Comment> {
  const { data } = await octokit.rest.issues.updateComment({ owner, repo, comment_id: id, body });
  return commentOf(data);
}

function commentOf(data: { id: number; body?: string; user: { login: string } | null; html_url: string }): Comment {
  return { id: data.id, body: data.body ?? "", author: withoutSuffix(data.user?.login ?? ""), url: data.html_url };
}

/** REST writes github-actions[bot] where GraphQL may write github-actions. */
function withoutSuffix(login: string): string {
  return login.replace(/\[bot\]$/, "");
}
