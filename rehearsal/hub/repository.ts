import { createHash } from "node:crypto";

/** A file of a commit. Its bytes are in the object store under `oid` or, for LFS, under `lfs.oid`. */
export type Entry = { oid: string; size: number; lfs: { oid: string; size: number; pointerSize: number } | null };
export type Commit = {
  sha: string;
  parent: string | null;
  title: string;
  description: string;
  tree: ReadonlyMap<string, Entry>;
  author: string;
  order: number;
};

export type Operation =
  | { key: "header"; value: { summary: string; description?: string; parentCommit?: string } }
  | { key: "file"; value: { path: string; content: string; encoding?: "utf-8" | "base64" } }
  | { key: "lfsFile"; value: { path: string; algo: string; oid: string; size: number } }
  | { key: "deletedFile"; value: { path: string } };

const gitBlobId = (bytes: Uint8Array): string =>
  createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

function pointer(oid: string, size: number): Buffer {
  return Buffer.from(`version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${size}\n`);
}

/** One git repository of the Hub: content-addressed blobs and LFS objects, commits with complete trees, one branch. */
export class Repository {
  readonly commits = new Map<string, Commit>();
  readonly blobs = new Map<string, Buffer>();
  readonly lfsObjects = new Map<string, Buffer>();
  head: string;

  constructor(readme = "---\nsdk: docker\n---\n") {
    const attributes = this.#store(
      Buffer.from("*.onnx filter=lfs diff=lfs merge=lfs -text\n*.data filter=lfs diff=lfs merge=lfs -text\n"),
    );
    const card = this.#store(Buffer.from(readme));
    this.head = this.#add(
      null,
      "initial commit",
      "",
      new Map([
        [".gitattributes", attributes],
        ["README.md", card],
      ]),
      "owner",
    ).sha;
  }

  commit(sha: string): Commit | undefined {
    return this.commits.get(sha === "main" || sha === "HEAD" ? this.head : sha);
  }

  /** Newest first. */
  log(): Commit[] {
    const found: Commit[] = [];
    for (
      let at = this.commits.get(this.head);
      at !== undefined;
      at = at.parent === null ? undefined : this.commits.get(at.parent)
    )
      found.push(at);
    return found;
  }

  /** The commit in which a file got its current content. */
  lastChanged(commit: Commit, path: string): Commit {
    const oid = commit.tree.get(path)?.oid;
    let at = commit;
    for (let parent = at.parent; parent !== null; parent = at.parent) {
      const before = this.commits.get(parent)!;
      if (before.tree.get(path)?.oid !== oid) break;
      at = before;
    }
    return at;
  }

  read(commit: Commit, path: string): Buffer | undefined {
    const entry = commit.tree.get(path);
    if (entry === undefined) return undefined;
    return entry.lfs === null ? this.blobs.get(entry.oid) : this.lfsObjects.get(entry.lfs.oid);
  }

  /** Whether the Hub stores a file as LFS: if .gitattributes names its suffix, or if it is above 10 MB. */
  isLfs(path: string, size: number): boolean {
    const attributes = this.read(this.commits.get(this.head)!, ".gitattributes")?.toString("utf8") ?? "";
    const suffixes = [...attributes.matchAll(/^\*(\.\S+) filter=lfs/gm)].map((one) => one[1]!);
    return size > 10_000_000 || suffixes.some((suffix) => path.endsWith(suffix));
  }

  /**
   * Applies one commit as the Hub does: completely or not at all.
   *
   * @returns the new commit, or the status and words of the refusal
   */
  apply(operations: readonly Operation[], author: string): Commit | { status: number; error: string } {
    const header = operations[0];
    if (header?.key !== "header" || header.value.summary === "")
      return { status: 400, error: "the first line must be a header with a summary" };
    const { summary, description = "", parentCommit } = header.value;
    if (parentCommit !== undefined && parentCommit !== this.head)
      return { status: 412, error: "A commit has happened since. Please refresh and try again." };
    const tree = new Map(this.commits.get(this.head)!.tree);
    for (const operation of operations.slice(1)) {
      if (operation.key === "file") {
        const bytes = Buffer.from(operation.value.content, operation.value.encoding === "base64" ? "base64" : "utf8");
        if (this.isLfs(operation.value.path, bytes.length))
          return { status: 400, error: `${operation.value.path} must be uploaded as LFS` };
        tree.set(operation.value.path, this.#store(bytes));
      } else if (operation.key === "lfsFile") {
        const { path, oid, size } = operation.value;
        if (this.lfsObjects.get(oid)?.length !== size)
          return { status: 400, error: `LFS object ${oid} of ${path} does not exist` };
        const bytes = pointer(oid, size);
        tree.set(path, { oid: gitBlobId(bytes), size, lfs: { oid, size, pointerSize: bytes.length } });
      } else if (operation.key === "deletedFile") {
        if (!tree.delete(operation.value.path)) return { status: 400, error: `${operation.value.path} does not exist` };
      } else return { status: 400, error: "unknown operation" };
    }
    return this.#add(this.head, summary, description, tree, author);
  }

  #store(bytes: Buffer): Entry {
    const oid = gitBlobId(bytes);
    this.blobs.set(oid, bytes);
    return { oid, size: bytes.length, lfs: null };
  }

  #add(
    parent: string | null,
    title: string,
    description: string,
    tree: ReadonlyMap<string, Entry>,
    author: string,
  ): Commit {
    const order = this.commits.size;
    const content = [...tree]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, { oid }]) => `${path} ${oid}`)
      .join("\n");
    const sha = createHash("sha1").update(`${parent}\n${title}\n${description}\n${order}\n${content}`).digest("hex");
    const commit = { sha, parent, title, description, tree, author, order };
    this.commits.set(sha, commit);
    this.head = sha;
    return commit;
  }
}
