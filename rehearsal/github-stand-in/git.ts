import { createHash } from "node:crypto";
import { instant } from "./resources.ts";

/** Refs by their full name, and annotated tags by the name of their object. */
export type GitState = {
  refs: Record<string, { sha: string; type: "commit" | "tag" }>;
  tags: Record<string, { tag: string; message: string; object: string }>;
};

type Answer = { status: number; body: unknown };

const refused = (status: number, message: string): Answer => ({
  status,
  body: { message, documentation_url: "https://docs.github.com/rest" },
});

/** Git's refs and annotated tags; null for anything else. Creating a ref is atomic, as on GitHub. */
export function gitDatabase(
  state: GitState,
  repository: string,
  method: string,
  path: string,
  body: unknown,
  origin: string,
): Answer | null {
  const base = `/repos/${repository}/git`;
  if (!path.startsWith(`${base}/`)) return null;
  const api = `${origin}${base}`;
  const [what = "", ...rest] = path.slice(base.length + 1).split("/");
  const name = rest.map(decodeURIComponent).join("/");
  const ref = (full: string) => ({
    ref: full,
    node_id: `REF_${full}`,
    url: `${api}/${full}`,
    object: {
      type: state.refs[full]!.type,
      sha: state.refs[full]!.sha,
      url: `${api}/${state.refs[full]!.type}s/${state.refs[full]!.sha}`,
    },
  });
  if (method === "GET" && what === "ref")
    return state.refs[`refs/${name}`] === undefined
      ? refused(404, "Not Found")
      : { status: 200, body: ref(`refs/${name}`) };
  if (method === "GET" && what === "matching-refs")
    return {
      status: 200,
      body: Object.keys(state.refs)
        .filter((full) => full.startsWith(`refs/${name}`))
        .sort()
        .map(ref),
    };
  if (method === "POST" && what === "refs") {
    const { ref: full, sha } = body as { ref: string; sha: string };
    if (!/^refs\/[^/]+\/.+/.test(full))
      return refused(422, "Reference name must start with 'refs' and have at least two slashes");
    if (state.refs[full] !== undefined) return refused(422, "Reference already exists");
    state.refs[full] = { sha, type: state.tags[sha] === undefined ? "commit" : "tag" };
    return { status: 201, body: ref(full) };
  }
  if (method === "DELETE" && what === "refs") {
    if (state.refs[`refs/${name}`] === undefined) return refused(422, "Reference does not exist");
    delete state.refs[`refs/${name}`];
    return { status: 204, body: undefined };
  }
  const tag = (sha: string) => {
    const { tag: label, message, object } = state.tags[sha]!;
    return {
      node_id: `TAG_${sha}`,
      tag: label,
      sha,
      url: `${api}/tags/${sha}`,
      message,
      tagger: { name: "github-actions[bot]", email: "bot@example.org", date: instant },
      object: { sha: object, type: "commit", url: `${api}/commits/${object}` },
    };
  };
  if (method === "POST" && what === "tags") {
    const { tag: label, message, object } = body as { tag: string; message: string; object: string };
    const sha = createHash("sha1").update(`${label}\n${message}\n${object}`).digest("hex");
    state.tags[sha] = { tag: label, message, object };
    return { status: 201, body: tag(sha) };
  }
  if (method === "GET" && what === "tags")
    return state.tags[name] === undefined ? refused(404, "Not Found") : { status: 200, body: tag(name) };
  return null;
}
