import { sentOnce, type RepositoryApi } from "./api.ts";

/** 3,000 comments: whoever searches further starts anew instead. */
export const maxCommentPages = 30;

export type Comment = { id: number; body: string; author: string; url: string };

/** Whose token this is, without "[bot]". GET /user is closed to a workflow's token; GraphQL answers every kind. */
export async function viewerOf({ octokit }: RepositoryApi): Promise<string> {
  const { viewer } = await octokit.graphql<{ viewer: { login: string } }>("query { viewer { login } }");
  return withoutSuffix(viewer.login);
}

/** A pull request's comments, oldest first, a page of a hundred at a time. */
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

/** Sent once: two of them could leave two comments behind, so whoever calls looks before trying again. */
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
