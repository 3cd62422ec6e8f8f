import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

type Identity = { name: string; email: string };
export type CommitObject = {
  sha: string;
  tree: string;
  parents: string[];
  message: string;
  author: Identity & { date: string };
  committer: Identity & { date: string };
};
export type TagObject = {
  sha: string;
  tag: string;
  message: string;
  object: string;
  type: string;
  tagger: Identity & { date: string };
};
export type RefRow = { ref: string; sha: string; type: string };
export type TreeRow = { mode: string; type: string; sha: string; size: number | null; path: string };

export type FileChange = {
  path: string;
  status: "added" | "removed" | "modified";
  additions: number;
  deletions: number;
  sha: string;
};

/** A failed git command: its standard error and exit status. */
export class GitFailure extends Error {
  readonly code: number;

  constructor(args: readonly string[], code: number, stderr: string) {
    super(`git ${args.join(" ")} ended with ${code}: ${stderr.trim()}`);
    this.name = "GitFailure";
    this.code = code;
  }
}

const maxBytes = 256 * 1024 * 1024;
const nullSha = "0".repeat(40);

/** The part of git that the routes use. seeded/git.ts implements it in memory. */
export type GitStore = Pick<Git, keyof Git>;

/** A bare repository on disk, accessed with the machine's `git`. */
export class Git {
  readonly directory: string;
  /** Answers about objects named by their full SHA never change; caching them saves a process per poll. */
  readonly #known = new Map<string, Promise<unknown>>();

  constructor(directory: string) {
    this.directory = directory;
  }

  async run(
    args: readonly string[],
    { input, env = {} }: { input?: string | Buffer; env?: Record<string, string> } = {},
  ): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const child = execFile(
        "git",
        ["--git-dir", this.directory, ...args],
        {
          encoding: "buffer",
          maxBuffer: maxBytes,
          timeout: 60_000,
          env: {
            PATH: process.env["PATH"],
            LC_ALL: "C",
            GIT_CONFIG_GLOBAL: "/dev/null",
            GIT_CONFIG_NOSYSTEM: "1",
            ...env,
          },
        },
        (error, stdout, stderr) => {
          if (error === null) return resolve(stdout);
          reject(new GitFailure(args, typeof error.code === "number" ? error.code : -1, stderr.toString()));
        },
      );
      child.stdin?.on("error", () => {
        /* git may exit before it has read all input; its exit status says why */
      });
      child.stdin?.end(input ?? "");
    });
  }

  async text(
    args: readonly string[],
    options: { input?: string | Buffer; env?: Record<string, string> } = {},
  ): Promise<string> {
    return (await this.run(args, options)).toString().trim();
  }

  /** The object that a name refers to; null if there is none. */
  async resolve(name: string): Promise<string | null> {
    try {
      return await this.text(["rev-parse", "--verify", "--quiet", "--end-of-options", name]);
    } catch {
      return null;
    }
  }

  /** The commit behind a branch, a tag, a full ref or a sha; null if there is none. */
  commitOf(name: string): Promise<string | null> {
    return this.resolve(`${/^(heads|tags)\//.test(name) ? "refs/" : ""}${name}^{commit}`);
  }

  async typeOf(sha: string): Promise<string | null> {
    try {
      return await this.text(["cat-file", "-t", sha]);
    } catch {
      return null;
    }
  }

  async refs(prefix: string): Promise<RefRow[]> {
    // for-each-ref matches whole path segments, but the prefix may end within one.
    const under = prefix.slice(0, prefix.lastIndexOf("/") + 1);
    const rows = await this.text(["for-each-ref", "--format=%(refname) %(objectname) %(objecttype)", under]);
    return rows
      .split("\n")
      .filter((row) => row.startsWith(prefix))
      .map((row) => {
        const [ref = "", sha = "", type = ""] = row.split(" ");
        return { ref, sha, type };
      });
  }

  /** Creates a ref atomically. False if it already exists. @throws GitFailure for a name that git does not accept */
  async createRef(ref: string, sha: string): Promise<boolean> {
    try {
      await this.run(["update-ref", ref, sha, nullSha]);
      return true;
    } catch (error) {
      if ((await this.resolve(ref)) !== null) return false;
      throw error;
    }
  }

  async setRef(ref: string, sha: string): Promise<void> {
    await this.run(["update-ref", ref, sha]);
  }

  async deleteRef(ref: string): Promise<void> {
    await this.run(["update-ref", "-d", ref]);
  }

  commit(sha: string): Promise<CommitObject> {
    return this.#once("commit", [sha], () => this.#readCommit(sha));
  }

  async #readCommit(sha: string): Promise<CommitObject> {
    const [full = "", tree = "", parents = "", an = "", ae = "", ad = "", cn = "", ce = "", cd = "", ...message] = (
      await this.run(["show", "-s", "--format=%H%n%T%n%P%n%an%n%ae%n%aI%n%cn%n%ce%n%cI%n%B", sha])
    )
      .toString()
      .split("\n");
    return {
      sha: full,
      tree,
      parents: parents === "" ? [] : parents.split(" "),
      message: message.join("\n").trimEnd(),
      author: { name: an, email: ae, date: utc(ad) },
      committer: { name: cn, email: ce, date: utc(cd) },
    };
  }

  async tag(sha: string): Promise<TagObject> {
    const text = (await this.run(["cat-file", "tag", sha])).toString();
    const end = text.indexOf("\n\n");
    const head = Object.fromEntries(
      text
        .slice(0, end)
        .split("\n")
        .map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]),
    );
    const [, name = "", email = "", seconds = "0"] = /^(.*) <(.*)> (\d+) /.exec(head["tagger"] ?? "") ?? [];
    return {
      sha,
      tag: head["tag"] ?? "",
      message: text.slice(end + 2),
      object: head["object"] ?? "",
      type: head["type"] ?? "",
      tagger: { name, email, date: instant(Number(seconds)) },
    };
  }

  /** Creates the object of an annotated tag, and keeps the message byte for byte. */
  async makeTag({
    tag,
    message,
    object,
    type,
    tagger,
    at,
  }: {
    tag: string;
    message: string;
    object: string;
    type: string;
    tagger: Identity;
    at: Date;
  }): Promise<string> {
    return this.text(["hash-object", "-t", "tag", "-w", "--stdin"], {
      input: `object ${object}\ntype ${type}\ntag ${tag}\ntagger ${tagger.name} <${tagger.email}> ${Math.floor(at.getTime() / 1000)} +0000\n\n${message}`,
    });
  }

  async makeCommit({
    tree,
    parents,
    message,
    author,
    at,
  }: {
    tree: string;
    parents: readonly string[];
    message: string;
    author: Identity;
    at: Date;
  }): Promise<string> {
    const date = `${Math.floor(at.getTime() / 1000)} +0000`;
    const env = {
      GIT_AUTHOR_NAME: author.name,
      GIT_AUTHOR_EMAIL: author.email,
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: author.name,
      GIT_COMMITTER_EMAIL: author.email,
      GIT_COMMITTER_DATE: date,
    };
    return this.text(["commit-tree", tree, ...parents.flatMap((parent) => ["-p", parent])], { input: message, env });
  }

  /** The tree of a merge of two commits; null if they conflict. */
  async mergeTree(base: string, head: string): Promise<string | null> {
    try {
      return (await this.text(["merge-tree", "--write-tree", base, head])).split("\n")[0] ?? null;
    } catch (error) {
      if (error instanceof GitFailure && error.code === 1) return null;
      throw error;
    }
  }

  /** A copy of `tree` with files added or replaced, or removed where the content is null. */
  async changedTree(tree: string | null, files: Readonly<Record<string, string | Buffer | null>>): Promise<string> {
    return this.#withIndex(async (env) => {
      if (tree !== null) await this.run(["read-tree", tree], { env });
      for (const [path, content] of Object.entries(files)) {
        // --force-remove wants a work tree.
        if (content === null)
          await this.run(["update-index", "--index-info"], { env, input: `0 ${"0".repeat(40)}\t${path}\n` });
        else
          await this.run(
            [
              "update-index",
              "--add",
              "--cacheinfo",
              `100644,${await this.text(["hash-object", "-w", "--stdin"], { input: content })},${path}`,
            ],
            { env },
          );
      }
      return this.text(["write-tree"], { env });
    });
  }

  /** The tree of a folder, or of some paths in it, without the files that .gitignore excludes. */
  async folderTree(folder: string, paths: readonly string[] = ["."]): Promise<string> {
    return this.#withIndex(async (env) => {
      await this.run(["--work-tree", folder, "-C", folder, "add", "--", ...paths], { env });
      return this.text(["write-tree"], { env });
    });
  }

  makeBlob(content: Buffer): Promise<string> {
    return this.text(["hash-object", "-w", "--stdin"], { input: content });
  }

  /** A tree with entries put into another one. */
  makeTree(
    base: string | null,
    entries: readonly { path: string; mode: string; sha: string | null }[],
  ): Promise<string> {
    return this.#withIndex(async (env) => {
      if (base !== null) await this.run(["read-tree", base], { env });
      const input = entries
        .map(({ path, mode, sha }) => `${sha === null ? 0 : mode} ${sha ?? nullSha}\t${path}\n`)
        .join("");
      await this.run(["update-index", "--add", "--index-info"], { env, input });
      return this.text(["write-tree"], { env });
    });
  }

  async tree(sha: string, { recursive = false }: { recursive?: boolean } = {}): Promise<TreeRow[]> {
    const rows = (await this.run(["ls-tree", "-l", "-z", ...(recursive ? ["-r", "-t"] : []), sha]))
      .toString()
      .split("\0")
      .filter((row) => row !== "");
    return rows.map((row) => {
      const [head = "", path = ""] = row.split("\t");
      const [mode = "", type = "", object = "", size = "-"] = head.split(/ +/);
      return { mode, type, sha: object, size: size === "-" ? null : Number(size), path };
    });
  }

  blob(sha: string): Promise<Buffer> {
    return this.run(["cat-file", "blob", sha]);
  }

  /** @param range COMMIT, or FROM..TO; oldest first */
  commits(range: string, most = 250): Promise<string[]> {
    return this.#once(`commits ${most}`, range.split(".."), () => this.#listCommits(range, most));
  }

  async #listCommits(range: string, most: number): Promise<string[]> {
    return (await this.text(["rev-list", "--reverse", `--max-count=${most}`, range]))
      .split("\n")
      .filter((line) => line !== "");
  }

  mergeBase(a: string, b: string): Promise<string | null> {
    return this.#once("merge-base", [a, b], () => this.#findMergeBase(a, b));
  }

  async #findMergeBase(a: string, b: string): Promise<string | null> {
    try {
      return await this.text(["merge-base", a, b]);
    } catch {
      return null;
    }
  }

  /** The changes in each file between `from` and `to`. */
  changes(from: string, to: string): Promise<FileChange[]> {
    return this.#once("changes", [from, to], () => this.#listChanges(from, to));
  }

  async #listChanges(from: string, to: string): Promise<FileChange[]> {
    const lines = async (args: string[]) =>
      (await this.text(["diff-tree", "-r", "--no-renames", ...args, from, to]))
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => line.split("\t"));
    const [raw, counts] = [await lines(["--raw", "--no-abbrev"]), await lines(["--numstat"])];
    return raw.map(([head = "", path = ""], i) => {
      const [, , , sha = "", letter = "M"] = head.split(" ");
      const [additions = "0", deletions = "0"] = counts[i] ?? [];
      return {
        path,
        status: letter === "A" ? "added" : letter === "D" ? "removed" : "modified",
        additions: Number(additions) || 0,
        deletions: Number(deletions) || 0,
        sha,
      };
    });
  }

  #once<T>(question: string, names: readonly string[], ask: () => Promise<T>): Promise<T> {
    if (!names.every((name) => /^[0-9a-f]{40}$/.test(name))) return ask();
    const key = `${question} ${names.join(" ")}`;
    const known = this.#known.get(key) as Promise<T> | undefined;
    if (known !== undefined) return known;
    const asked = ask();
    this.#known.set(key, asked);
    asked.catch(() => {
      this.#known.delete(key);
    });
    return asked;
  }

  async #withIndex<T>(use: (env: Record<string, string>) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), "rehearsal-index-"));
    try {
      return await use({ GIT_INDEX_FILE: join(folder, "index") });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

/** Creates a bare repository that allows fetching any commit. */
export async function initBare(directory: string, defaultBranch: string): Promise<Git> {
  const git = new Git(directory);
  await git.run(["init", "--quiet", "--bare", `--initial-branch=${defaultBranch}`, directory]);
  await git.run(["config", "uploadpack.allowAnySHA1InWant", "true"]);
  await git.run(["config", "uploadpack.allowFilter", "true"]);
  await git.run(["config", "gc.auto", "0"]);
  return git;
}

const instant = (seconds: number) => new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");
const utc = (date: string) => new Date(date).toISOString().replace(/\.\d+Z$/, "Z");
