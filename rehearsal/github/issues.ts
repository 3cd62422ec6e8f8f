import { deliver } from "./hooks.ts";
import { pullAnswer } from "./pulls.ts";
import { botLogin } from "./tokens.ts";
import {
  invalid,
  notFound,
  paged,
  Refusal,
  type Answer,
  type Json,
  type Reaction,
  type Repository,
  type RepositoryRequest,
  type Routes,
  userOf,
  type World,
} from "./world.ts";

const maxCharacters = 65_536;
const kinds = ["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"];

type Comment = Json & { id: number; issue_url: string; user: { login: string } | null };

/** Issues, comments and reactions. The emulator stores all but reactions, which it does not support. */
export const issueRoutes: Routes = async (world, request) => {
  const { repository, method, rest, body, caller, url } = request;
  if (!/^issues(\/|$)/.test(rest)) return null;
  const reacted = /^issues(\/comments)?\/(\d+)\/reactions(?:\/(\d+))?$/.exec(rest);
  if (reacted !== null)
    return reactionRoutes(world, request, `${repository.fullName}${reacted[1] ?? ""}/${reacted[2]}`, reacted[3]);

  const pull = repository.pulls.get(Number(/^issues\/(\d+)$/.exec(rest)?.[1]));
  if (pull !== undefined && method === "GET")
    return { status: 200, body: asIssue(await pullAnswer(world, repository, pull)) };
  const login = caller.kind === "anonymous" ? botLogin : caller.login;
  const isComment = /^issues\/(comments(\/\d+)?|\d+\/comments)$/.test(rest);
  if (method === "POST" || method === "PATCH") {
    const words = body["body"];
    if (isComment && (typeof words !== "string" || words.trim() === ""))
      throw invalid("IssueComment", "body", "missing_field", "body can't be blank");
    if (typeof words === "string" && words.length > maxCharacters)
      throw invalid(
        isComment ? "IssueComment" : "Issue",
        "body",
        "unprocessable",
        `body is too long (maximum is ${maxCharacters} characters)`,
      );
  }
  const one = /^issues\/comments\/(\d+)$/.exec(rest);
  if (one !== null && (method === "PATCH" || method === "DELETE")) {
    const before = await world.emulate.call(login, "GET", url.pathname);
    if (before.status !== 200) throw notFound();
    const role = repository.roles.get(login.toLowerCase()) ?? "read";
    if (
      caller.kind === "person" &&
      (role === "read" || role === "triage") &&
      (before.body as Comment).user?.login !== login
    )
      throw new Refusal(403, "Must have admin rights to Repository.");
  }
  const answer = await world.emulate.call(
    login,
    method,
    `${url.pathname}${url.search}`,
    method === "GET" || method === "DELETE" ? undefined : body,
  );
  if (answer.status >= 400) return { status: answer.status, body: answer.body };
  const link = answer.headers.get("link");
  const headers: Record<string, string> =
    link === null ? {} : { link: link.replaceAll(/<https?:\/\/[^/>]+/g, `<${world.origin}`) };
  if (!isComment) return { status: answer.status, body: answer.body, headers };
  const written = Array.isArray(answer.body)
    ? (answer.body as Comment[]).map((comment) => completed(world, repository, comment))
    : answer.body === undefined
      ? undefined
      : completed(world, repository, answer.body as Comment);
  if (method === "POST" || method === "PATCH")
    deliver(world, repository, "issue_comment", {
      action: method === "POST" ? "created" : "edited",
      comment: written,
      sender: userOf(world, login),
    });
  return { status: answer.status, body: written, headers };
};

/** A pull request in the format of an issue. The emulator does not list pull requests as issues. */
function asIssue(pull: Json): Json {
  const url = String(pull["issue_url"]);
  const of = (...names: string[]) => Object.fromEntries(names.map((one) => [one, pull[one]]));
  return {
    ...of(
      "id",
      "node_id",
      "html_url",
      "number",
      "title",
      "user",
      "labels",
      "state",
      "locked",
      "assignee",
      "assignees",
      "milestone",
      "comments",
      "created_at",
      "updated_at",
      "closed_at",
      "author_association",
      "body",
      "draft",
    ),
    active_lock_reason: null,
    url,
    repository_url: url.replace(/\/issues\/\d+$/, ""),
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    pull_request: { ...of("url", "html_url", "diff_url", "patch_url", "merged_at") },
  };
}

function completed(world: World, repository: Repository, comment: Comment): Comment {
  const number = Number(comment.issue_url.split("/").at(-1));
  const page = repository.pulls.has(number) ? "pull" : "issues";
  const reactions = world.reactions.filter(
    ({ subject }) => subject === `${repository.fullName}/comments/${comment.id}`,
  );
  const counts = Object.fromEntries(
    kinds.map((kind) => [kind, reactions.filter(({ content }) => content === kind).length]),
  );
  return {
    ...comment,
    html_url: `${world.origin}/${repository.fullName}/${page}/${number}#issuecomment-${comment.id}`,
    reactions: { ...(comment["reactions"] as Json), ...counts, total_count: reactions.length },
  };
}

async function reactionRoutes(
  world: World,
  request: RepositoryRequest,
  subject: string,
  one: string | undefined,
): Promise<Answer | null> {
  const { method, body, caller, query } = request;
  const write = ({ id, content, login, createdAt }: Reaction) => ({
    id,
    node_id: `REA_${id}`,
    user: userOf(world, login),
    content,
    created_at: createdAt,
  });
  if (method === "GET" && one === undefined) {
    const { items, headers } = paged(
      world,
      request,
      world.reactions.filter(
        (each) => each.subject === subject && (query.get("content") === null || query.get("content") === each.content),
      ),
    );
    return { status: 200, headers, body: items.map(write) };
  }
  if (method === "POST" && one === undefined) {
    const content = String(body["content"]);
    if (!kinds.includes(content))
      throw invalid("Reaction", "content", "invalid", "content is not included in the list");
    const known = world.reactions.find(
      (each) => each.subject === subject && each.content === content && each.login === caller.login,
    );
    if (known !== undefined) return { status: 200, body: write(known) };
    const made: Reaction = {
      id: world.nextId(),
      subject,
      content,
      login: caller.login,
      createdAt: world.now().toISOString(),
    };
    world.reactions.push(made);
    return { status: 201, body: write(made) };
  }
  if (method !== "DELETE" || one === undefined) return null;
  const at = world.reactions.findIndex(({ id }) => id === Number(one));
  if (at < 0) throw notFound();
  world.reactions.splice(at, 1);
  return { status: 204 };
}
