import type { EmulateAnswer, Emulator } from "../emulate.ts";
import type { Json, User } from "../world.ts";
import { allPulls, type GitHubState, type StoredComment, type StoredPull } from "./state.ts";

/** Comments and the text of pull requests in memory. A GitHub with real repositories keeps these in the emulator. */
export class SeededEmulator implements Emulator {
  readonly #state: GitHubState;
  readonly #origin: () => string;
  /** The creation time of everything seeded. It is today, because clients distinguish fresh from old. */
  readonly #at = `${new Date().toISOString().slice(0, 19)}Z`;

  constructor(state: GitHubState, origin: () => string) {
    this.#state = state;
    this.#origin = origin;
  }

  async must<T>(login: string, method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.call(login, method, path, body);
    if (answer.status >= 300) throw new Error(`the seeded GitHub answered ${answer.status} to ${method} ${path}`);
    return answer.body as T;
  }

  async call(login: string, method: string, path: string, body?: unknown): Promise<EmulateAnswer> {
    const url = new URL(path, this.#origin());
    const rest = url.pathname.slice(`/repos/${this.#state.repository}/`.length);
    const answer = (status: number, content?: unknown, headers = {}): EmulateAnswer => ({
      status,
      body: content,
      headers: new Headers(headers),
    });
    const missing = answer(404, { message: "Not Found", documentation_url: "https://docs.github.com/rest" });
    const { comments } = this.#state;

    const list = /^issues\/(\d+)\/comments$/.exec(rest);
    if (list !== null && method === "POST") {
      const { body: words } = body as { body: string };
      const made = { id: 1000 + comments.length, issue: Number(list[1]), author: login, body: words };
      comments.push(made);
      return answer(201, this.#comment(made));
    }
    if (list !== null && method === "GET") {
      const all = comments.filter(({ issue }) => issue === Number(list[1]));
      const perPage = Number(url.searchParams.get("per_page") ?? "30");
      const page = Number(url.searchParams.get("page") ?? "1");
      const next = `<${url.origin}${url.pathname}?per_page=${perPage}&page=${page + 1}>; rel="next"`;
      const items = all.slice((page - 1) * perPage, page * perPage).map((one) => this.#comment(one));
      return answer(200, items, page * perPage < all.length ? { link: next } : {});
    }
    const one = /^issues\/comments\/(\d+)$/.exec(rest);
    if (one !== null) {
      const found = comments.find(({ id }) => id === Number(one[1]));
      if (found === undefined) return missing;
      if (method === "PATCH") found.body = (body as { body: string }).body;
      if (method === "DELETE") {
        comments.splice(comments.indexOf(found), 1);
        return answer(204);
      }
      return answer(200, this.#comment(found));
    }
    const pull = /^pulls\/(\d+)$/.exec(rest);
    if (pull !== null && method === "GET") {
      const found = allPulls(this.#state).find(({ number }) => number === Number(pull[1]));
      return found === undefined ? missing : answer(200, this.#pull(found));
    }
    throw new Error(`a seeded GitHub does not answer ${method} ${path}: take rehearsal/github/github.ts`);
  }

  #comment({ id, issue, author, body }: StoredComment): Json {
    const api = `${this.#origin()}/repos/${this.#state.repository}`;
    return {
      id,
      node_id: `IC_${id}`,
      url: `${api}/issues/comments/${id}`,
      html_url: `${this.#origin()}/${this.#state.repository}/pull/${issue}#issuecomment-${id}`,
      issue_url: `${api}/issues/${issue}`,
      user: seededUser(this.#origin(), author),
      body,
      created_at: this.#at,
      updated_at: this.#at,
      author_association: "NONE",
      performed_via_github_app: null,
      reactions: { url: `${api}/issues/comments/${id}/reactions` },
    };
  }

  /** Without base and head, which pulls.ts reads from git. */
  #pull({ number, head }: StoredPull): Json {
    const api = `${this.#origin()}/repos/${this.#state.repository}`;
    const url = `${api}/pulls/${number}`;
    const page = `${this.#origin()}/${this.#state.repository}/pull/${number}`;
    const link = { href: url };
    return {
      id: number,
      node_id: `PR_${number}`,
      number,
      url,
      html_url: page,
      issue_url: `${api}/issues/${number}`,
      diff_url: `${page}.diff`,
      patch_url: `${page}.patch`,
      commits_url: `${url}/commits`,
      review_comments_url: `${url}/comments`,
      review_comment_url: `${url}/comments/1`,
      comments_url: `${api}/issues/${number}/comments`,
      state: "open",
      locked: false,
      title: "a pull request",
      user: seededUser(this.#origin(), head.split(":")[0] ?? ""),
      body: null,
      labels: [],
      milestone: null,
      assignee: null,
      created_at: this.#at,
      updated_at: this.#at,
      closed_at: null,
      merged_at: null,
      author_association: "NONE",
      auto_merge: null,
      merged: false,
      merged_by: null,
      comments: 0,
      review_comments: 0,
      maintainer_can_modify: false,
      _links: Object.fromEntries(
        ["self", "html", "issue", "comments", "review_comments", "review_comment", "commits"].map((name) => [
          name,
          link,
        ]),
      ),
    };
  }
}

/** A person or bot with every field that GitHub's description requires. */
export function seededUser(origin: string, login: string, id = 41898282): User {
  const url = `${origin}/users/${encodeURIComponent(login)}`;
  const links = "followers following gists starred subscriptions organizations repos events received_events".split(" ");
  return {
    login,
    id,
    node_id: "MDM6Qm90",
    avatar_url: `${url}.png`,
    gravatar_id: "",
    url,
    html_url: url,
    ...Object.fromEntries(links.map((name) => [`${name}_url`, `${url}/${name}`])),
    type: login.endsWith("[bot]") ? "Bot" : "User",
    site_admin: false,
    user_view_type: "public",
    ...Object.fromEntries(
      ["name", "company", "blog", "location", "email", "hireable", "bio"].map((name) => [name, null]),
    ),
    ...Object.fromEntries(["public_repos", "public_gists", "followers", "following"].map((name) => [name, 0])),
    created_at: "2020-01-01T00:00:00Z",
    updated_at: "2020-01-01T00:00:00Z",
  };
}
