import { createHash } from "node:crypto";
import type { CommitObject, FileChange, GitStore, RefRow, TagObject, TreeRow } from "../git.ts";
import { allPulls, type GitHubState } from "./state.ts";

const workflowsFolder = ".github/workflows";
const who = { name: "octo", email: "octo@example.org" };

/**
 * The git of a seeded repository, with the refs, tags, merge bases and folders of the state. The default branch, and
 * any name that looks like a commit's, is a commit without parents and changes.
 */
export class SeededGit implements GitStore {
  readonly directory = "";
  readonly #dates = new Map<string, string>();
  readonly #state: GitHubState;

  constructor(state: GitHubState) {
    this.#state = state;
  }

  async resolve(name: string): Promise<string | null> {
    const { git } = this.#state;
    const [of, path] = name.split(":");
    if (path === workflowsFolder) return `${of}:${path}`;
    if (path !== undefined) {
      const file = path.slice(workflowsFolder.length + 1);
      return this.#workflowFiles().includes(file) ? `workflow:${file}` : null;
    }
    const plain = name.replace(/\^\{\w+\}$/, "");
    const sha = [plain, `refs/${plain}`, `refs/heads/${plain}`, `refs/tags/${plain}`]
      .map((ref) => git.refs[ref]?.sha)
      .find((one) => one !== undefined);
    if (sha !== undefined) return sha;
    return this.#state.trees[plain] !== undefined || /^(main|[0-9a-f]{3,64})$/.test(plain) ? plain : null;
  }

  async commitOf(name: string): Promise<string | null> {
    const sha = await this.resolve(name);
    return sha === null ? null : (this.#state.git.tags[sha]?.object ?? sha);
  }

  async typeOf(sha: string): Promise<string | null> {
    if (sha.startsWith("workflow:")) return "blob";
    if (this.#state.git.tags[sha] !== undefined) return "tag";
    return /^[0-9a-f]{40}$/.test(sha) ? "commit" : null;
  }

  async refs(prefix: string): Promise<RefRow[]> {
    return Object.entries(this.#state.git.refs)
      .filter(([ref]) => ref.startsWith(prefix))
      .map(([ref, { sha, type }]) => ({ ref, sha, type }))
      .toSorted((a, b) => (a.ref < b.ref ? -1 : 1));
  }

  async createRef(ref: string, sha: string): Promise<boolean> {
    const { refs, tags } = this.#state.git;
    if (refs[ref] !== undefined) return false;
    refs[ref] = { sha, type: tags[sha] === undefined ? "commit" : "tag" };
    return true;
  }

  async setRef(ref: string, sha: string): Promise<void> {
    await this.deleteRef(ref);
    await this.createRef(ref, sha);
  }

  async deleteRef(ref: string): Promise<void> {
    delete this.#state.git.refs[ref];
  }

  /** Objects that were seeded without a date have the one at which they were first asked for. */
  #dateOf(sha: string): string {
    const date = this.#dates.get(sha) ?? new Date(this.#state.workflows.now()).toISOString();
    this.#dates.set(sha, date);
    return date;
  }

  async commit(sha: string): Promise<CommitObject> {
    const person = { ...who, date: this.#dateOf(sha) };
    return { sha, tree: sha, parents: [], message: "a commit", author: person, committer: person };
  }

  async tag(sha: string): Promise<TagObject> {
    const found = this.#state.git.tags[sha];
    if (found === undefined) throw new Error(`no tag ${sha} was seeded`);
    const date = this.#dateOf(sha);
    return { sha, ...found, type: "commit", tagger: { ...who, date } };
  }

  async makeTag({ tag, message, object }: { tag: string; message: string; object: string }): Promise<string> {
    const sha = createHash("sha1").update(`${tag}\n${message}\n${object}`).digest("hex");
    this.#state.git.tags[sha] = { tag, message, object };
    return sha;
  }

  async tree(name: string): Promise<TreeRow[]> {
    if (name.endsWith(`:${workflowsFolder}`))
      return this.#workflowFiles().map((file) => ({
        mode: "100644",
        type: "blob",
        sha: `workflow:${file}`,
        size: null,
        path: file,
      }));
    return Object.entries(this.#state.trees[name] ?? {}).map(([path, sha]) => ({
      mode: "040000",
      type: "tree",
      sha,
      size: null,
      path,
    }));
  }

  async blob(sha: string): Promise<Buffer> {
    return Buffer.from(`name: ${sha.slice("workflow:".length)}\n`);
  }

  /** The commits of BASE..HEAD: the head, and the commits that the state assigns to the pull request with that head. */
  async commits(range: string): Promise<string[]> {
    const [base, head] = range.split("..");
    if (head === undefined) return [range];
    const numbers = allPulls(this.#state)
      .filter(({ headSha }) => headSha === head)
      .map(({ number }) => number);
    const named = Object.entries(this.#state.commitPulls)
      .filter(([, pulls]) => pulls.some(({ number }) => numbers.includes(number)))
      .map(([sha]) => sha);
    return [...new Set(base === head ? named : [...named, head])];
  }

  async mergeBase(a: string, b: string): Promise<string | null> {
    return a === b ? a : (this.#state.mergeBases[`${a}...${b}`] ?? null);
  }

  async changes(): Promise<FileChange[]> {
    return [];
  }

  #workflowFiles(): string[] {
    const { workflows, runs } = this.#state.workflows;
    return [...new Set([...Object.keys(workflows), ...runs.map(({ file }) => file)])];
  }

  run = unseeded("a git command");
  text = unseeded("a git command");
  makeCommit = unseeded("a new commit");
  mergeTree = unseeded("a merge");
  changedTree = unseeded("a new tree");
  folderTree = unseeded("a new tree");
  makeTree = unseeded("a new tree");
  makeBlob = unseeded("a new blob");
}

const unseeded = (what: string) => (): never => {
  throw new Error(`a seeded GitHub has no ${what.replace(/^an? /, "")}s: take rehearsal/github/github.ts`);
};
