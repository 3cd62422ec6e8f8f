/** What the stand-in remembers, and how GitHub would write it: every field that its OpenAPI description requires. */
export type StoredComment = { id: number; issue: number; author: string; body: string };
export type StoredPull = {
  number: number;
  head: string;
  headSha: string;
  /** The head itself unless told. */ baseSha?: string;
};

/** When everything here was made unless told: as GitHub writes it. Today, since clients tell fresh from old. */
export const instant = `${new Date().toISOString().slice(0, 19)}Z`;

export function user(origin: string, login: string) {
  const url = `${origin}/users/${encodeURIComponent(login)}`;
  const links = Object.fromEntries(
    [
      "followers",
      "following",
      "gists",
      "starred",
      "subscriptions",
      "organizations",
      "repos",
      "events",
      "received_events",
    ].map((name) => [`${name}_url`, `${url}/${name}`]),
  );
  return {
    login,
    id: 41898282,
    node_id: "MDM6Qm90",
    avatar_url: `${url}.png`,
    gravatar_id: "",
    url,
    html_url: url,
    ...links,
    type: login.endsWith("[bot]") ? "Bot" : "User",
    site_admin: false,
  };
}

export function comment(origin: string, repository: string, { id, issue, author, body }: StoredComment) {
  const api = `${origin}/repos/${repository}`;
  return {
    id,
    node_id: `IC_${id}`,
    url: `${api}/issues/comments/${id}`,
    html_url: `${origin}/${repository}/pull/${issue}#issuecomment-${id}`,
    issue_url: `${api}/issues/${issue}`,
    user: user(origin, author),
    body,
    created_at: instant,
    updated_at: instant,
    author_association: "NONE",
    performed_via_github_app: null,
  };
}

function commit(origin: string, repository: string, sha: string) {
  const api = `${origin}/repos/${repository}`;
  const who = { name: "Octo", email: "octo@example.org", date: instant };
  return {
    sha,
    node_id: `C_${sha}`,
    url: `${api}/commits/${sha}`,
    html_url: `${origin}/${repository}/commit/${sha}`,
    comments_url: `${api}/commits/${sha}/comments`,
    commit: {
      url: `${api}/git/commits/${sha}`,
      author: who,
      committer: who,
      message: "a commit",
      comment_count: 0,
      tree: { sha, url: `${api}/git/trees/${sha}` },
    },
    author: user(origin, "octo"),
    committer: user(origin, "octo"),
    parents: [],
  };
}

export function comparison(origin: string, repository: string, mergeBase: string) {
  const url = `${origin}/repos/${repository}/compare/x...y`;
  return {
    url,
    html_url: url,
    permalink_url: url,
    diff_url: `${url}.diff`,
    patch_url: `${url}.patch`,
    base_commit: commit(origin, repository, mergeBase),
    merge_base_commit: commit(origin, repository, mergeBase),
    status: "ahead",
    ahead_by: 1,
    behind_by: 0,
    total_commits: 1,
    commits: [],
    files: [],
  };
}

/** A tree of folders only. */
export function tree(origin: string, repository: string, sha: string, entries: Readonly<Record<string, string>>) {
  const url = `${origin}/repos/${repository}/git/trees`;
  return {
    sha,
    url: `${url}/${sha}`,
    tree: Object.entries(entries).map(([path, of]) => ({
      path,
      mode: "040000",
      type: "tree",
      sha: of,
      url: `${url}/${of}`,
    })),
    truncated: false,
  };
}

const repositoryLinks =
  "archive assignees blobs branches collaborators comments commits compare contents contributors deployments downloads events forks git_commits git_refs git_tags git hooks html issue_comment issue_events issues keys labels languages merges milestones notifications pulls releases stargazers statuses subscribers subscription tags teams trees clone ssh svn".split(
    " ",
  );

/** A repository as answers carry it. */
export function repositoryOf(origin: string, owner: string) {
  const name = "models";
  const url = `${origin}/repos/${owner}/${name}`;
  return {
    id: 1,
    node_id: "R_1",
    name,
    full_name: `${owner}/${name}`,
    owner: user(origin, owner),
    private: false,
    fork: false,
    url,
    description: null,
    default_branch: "main",
    license: null,
    mirror_url: null,
    homepage: null,
    language: null,
    ...Object.fromEntries(repositoryLinks.map((one) => [`${one}_url`, `${url}/${one}`])),
    ...Object.fromEntries(
      [
        "forks",
        "forks_count",
        "open_issues",
        "open_issues_count",
        "size",
        "stargazers_count",
        "watchers",
        "watchers_count",
      ].map((one) => [one, 0]),
    ),
    ...Object.fromEntries(
      ["has_downloads", "has_issues", "has_projects", "has_wiki", "has_pages", "archived", "disabled"].map((one) => [
        one,
        false,
      ]),
    ),
    created_at: instant,
    updated_at: instant,
    pushed_at: instant,
  };
}

/** Only what the gate reads and what the description of a list entry requires at its top level. */
export function pull(origin: string, repository: string, { number, head, headSha, baseSha = headSha }: StoredPull) {
  const api = `${origin}/repos/${repository}`;
  const url = `${api}/pulls/${number}`;
  const [owner = "", branch = ""] = head.split(":");
  const side = (login: string, ref: string, sha: string) => ({
    label: `${login}:${ref}`,
    ref,
    sha,
    user: user(origin, login),
    repo: repositoryOf(origin, login),
  });
  const link = { href: url };
  return {
    id: number,
    number,
    node_id: `PR_${number}`,
    url,
    html_url: `${origin}/${repository}/pull/${number}`,
    issue_url: `${api}/issues/${number}`,
    diff_url: `${url}.diff`,
    patch_url: `${url}.patch`,
    commits_url: `${url}/commits`,
    review_comments_url: `${url}/comments`,
    review_comment_url: `${url}/comments/1`,
    comments_url: `${api}/issues/${number}/comments`,
    statuses_url: `${api}/statuses/${headSha}`,
    state: "open",
    locked: false,
    title: "a pull request",
    user: user(origin, owner),
    body: null,
    labels: [],
    milestone: null,
    assignee: null,
    created_at: instant,
    updated_at: instant,
    closed_at: null,
    merged_at: null,
    merge_commit_sha: null,
    author_association: "NONE",
    auto_merge: null,
    head: side(owner, branch, headSha),
    base: side(repository.split("/")[0] as string, "main", baseSha),
    _links: {
      self: link,
      html: link,
      issue: link,
      comments: link,
      review_comments: link,
      review_comment: link,
      commits: link,
      statuses: link,
    },
  };
}
