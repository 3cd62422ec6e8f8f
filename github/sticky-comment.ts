import { statusOf, type RepositoryApi } from "./api.ts";
import { commentPages, createComment, maxCommentPages, updateComment, viewerOf, type Comment } from "./comments.ts";

/** What happened to a comment. Never part of a verdict. */
export type CommentResult =
  | { status: "created" | "updated"; url: string }
  | { status: "skipped"; why: string }
  | { status: "failed"; why: string };

/**
 * The hidden first line by which a comment is found. It differs per configuration and selection of models, so that two
 * gates in one repository keep a comment each and one gate never has two.
 */
export function commentMarker(config: string, models: readonly string[]): string {
  const safe = (text: string) => text.replace(/[^\w./,-]/g, "_").replace(/-{2,}/g, "-");
  return `<!-- sluice-gate config=${safe(config)} models=${models.length === 0 ? "all" : safe(models.toSorted().join(","))} -->`;
}

/**
 * Creates or edits the one sticky comment. Only a comment that carries the marker AND was written by the token's own
 * account is edited, because anyone can paste the marker into a comment.
 */
export async function keepComment(
  api: RepositoryApi,
  pullRequest: number,
  marker: string,
  body: string,
): Promise<CommentResult> {
  try {
    const own = await findOwn(api, pullRequest, marker);
    if (own !== null) return { status: "updated", url: (await updateComment(api, own.id, body)).url };
    try {
      return { status: "created", url: (await createComment(api, pullRequest, body)).url };
    } catch (error) {
      if (!mayHaveWorked(error)) throw error;
      // After a server error or a lost connection, the comment may exist already. Look before trying again.
      const made = await findOwn(api, pullRequest, marker);
      return made !== null
        ? { status: "created", url: made.url }
        : { status: "created", url: (await createComment(api, pullRequest, body)).url };
    }
  } catch (error) {
    return { status: "failed", why: refusalInWords(error) };
  }
}

async function findOwn(api: RepositoryApi, pullRequest: number, marker: string): Promise<Comment | null> {
  const marked: Comment[] = [];
  let pages = 0;
  for await (const page of commentPages(api, pullRequest)) {
    marked.push(...page.filter((comment) => comment.body.startsWith(marker)));
    if (++pages >= maxCommentPages) break;
  }
  if (marked.length === 0) return null;
  const viewer = await viewerOf(api);
  return marked.find((comment) => comment.author === viewer) ?? null;
}

function mayHaveWorked(error: unknown): boolean {
  const status = statusOf(error);
  return status === null || status >= 500;
}

/** What GitHub refused and which permission is missing, without the request's headers. */
function refusalInWords(error: unknown): string {
  const status = statusOf(error);
  const message = error instanceof Error ? (error.message.split("\n")[0] as string) : String(error);
  if (status === 403 && /rate limit/i.test(message)) return "GitHub's rate limit was reached (403)";
  if (status === 401) return "GitHub does not know the token (401)";
  if (status === 403)
    return `the token may not comment (403): the job needs \`permissions: pull-requests: write\` (GitHub says: ${message})`;
  if (status === 404)
    return "GitHub does not show the pull request to this token (404): the job needs `permissions: pull-requests: write`";
  if (status !== null) return `GitHub answered ${status} (${message})`;
  return `GitHub could not be reached (${message})`;
}
