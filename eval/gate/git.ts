import { spawn } from "node:child_process";
import { resolve, sep } from "node:path";

/**
 * Runs git in a folder. Resolves with its exit code, or 128 when it was killed at its time or output limit. Rejects
 * only when git cannot be started.
 */
export type Git = (
  args: readonly string[],
  options?: { input?: string; timeoutMs?: number },
) => Promise<{ code: number; stdout: Buffer; stderr: string }>;

const outputLimitBytes = 2 ** 31;

export function gitIn(folder: string, env: NodeJS.ProcessEnv): Git {
  return (args, { input, timeoutMs = 120_000 } = {}) =>
    new Promise((done, reject) => {
      // GIT_TERMINAL_PROMPT=0: never wait for a password that nobody will type. GIT_NO_REPLACE_OBJECTS=1: a commit is
      // what it is named by, whatever refs/replace says. GIT_OPTIONAL_LOCKS=0: looking at the tree does not rewrite the index.
      const child = spawn("git", [...args], {
        cwd: folder,
        env: { ...env, GIT_TERMINAL_PROMPT: "0", GIT_NO_REPLACE_OBJECTS: "1", GIT_OPTIONAL_LOCKS: "0", LC_ALL: "C" },
        stdio: ["pipe", "pipe", "pipe"],
      });
      const out: Buffer[] = [];
      let bytes = 0;
      let err = "";
      const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
      child.stdout.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > outputLimitBytes) child.kill("SIGKILL");
        else out.push(chunk);
      });
      child.stderr.on("data", (chunk: Buffer) => {
        err = (err + chunk.toString("utf8")).slice(-4_000);
      });
      child.on("error", (error) => {
        clearTimeout(timer);
        reject(error);
      });
      child.on("close", (code, signal) => {
        clearTimeout(timer);
        done({
          code: code ?? 128,
          stdout: Buffer.concat(out),
          stderr: signal === null ? err : `${err}\nkilled by ${signal} after ${timeoutMs} ms`,
        });
      });
      child.stdin.on("error", () => {
        /* git may close its input early; the exit code tells whether that matters */
      });
      child.stdin.end(input ?? "");
    });
}

/** The commit that a name refers to; null when there is none (or no repository, or no git). */
export async function commitOf(git: Git, name: string): Promise<string | null> {
  try {
    const { code, stdout } = await git(["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`]);
    return code === 0 ? stdout.toString("utf8").trim() : null;
  } catch {
    return null;
  }
}

/** Folder of the repository that `root` is in, absolute; `root` itself outside git. */
export async function topLevel(git: Git, root: string): Promise<string> {
  const { code, stdout } = await git(["rev-parse", "--show-toplevel"]).catch(() => ({ code: 128, stdout: "" }));
  return code === 0 ? resolve(stdout.toString().trim()) : root;
}

/** Where the current branch left the default branch; null outside git or when no default branch is known. */
export async function mergeBaseWithDefaultBranch(git: Git): Promise<{ commit: string; branch: string } | null> {
  for (const branch of ["origin/HEAD", "origin/main", "origin/master", "main", "master"]) {
    if ((await commitOf(git, branch)) === null) continue;
    const { code, stdout } = await git(["merge-base", "HEAD", branch]);
    if (code === 0) return { commit: stdout.toString("utf8").trim(), branch };
  }
  return null;
}

/** Whether the clone lacks older commits. */
export async function isShallow(git: Git): Promise<boolean> {
  const { stdout } = await git(["rev-parse", "--is-shallow-repository"]);
  return stdout.toString("utf8").trim() === "true";
}

/** A path as git writes it. */
export function slashed(path: string): string {
  return path.split(sep).join("/");
}

/**
 * The text of a file at a commit; null when it is not there.
 * @param path from the repository's top level
 */
export async function readAt(git: Git, commit: string, path: string): Promise<string | null> {
  const { code, stdout } = await git(["cat-file", "blob", `${commit}:${path}`]);
  return code === 0 ? stdout.toString("utf8") : null;
}

export type TreeFile = { path: string; mode: string; object: string; bytes: number };

/**
 * The files at a commit that are at or below a path, or one of several; none for what is not there.
 * @param where paths of files and folders, from the repository's top level; "" for all of it
 */
export async function listTree(git: Git, commit: string, where: string | readonly string[]): Promise<TreeFile[]> {
  const paths = typeof where === "string" ? [where] : where;
  if (paths.length === 0) return [];
  const only = paths.includes("") ? [] : ["--", ...paths];
  const { code, stdout, stderr } = await git(["ls-tree", "-r", "-z", "-l", "--full-tree", commit, ...only]);
  if (code !== 0) throw new Error(`git ls-tree ${commit.slice(0, 12)} ${paths.join(" ")}: ${stderr.trim()}`);
  return stdout
    .toString("utf8")
    .split("\0")
    .filter((line) => line !== "")
    .map((line) => {
      const [meta, name] = line.split("\t") as [string, string];
      const [mode, , object, size] = meta.split(/ +/) as [string, string, string, string];
      return { path: name, mode, object, bytes: Number(size) };
    });
}

/** One call of git reads at most this many blobs. */
const blobsAtOnce = 1000;
/** One call of git reads at most this much, unless a single blob is larger. */
const blobBytesAtOnce = 256 * 1024 ** 2;

/** The bytes of blobs, in order, with as few calls of git as memory allows. */
export async function* readBlobs(git: Git, files: readonly TreeFile[]): AsyncGenerator<[TreeFile, Buffer]> {
  for (let start = 0; start < files.length;) {
    let end = start;
    for (let bytes = 0; end < files.length && end - start < blobsAtOnce; end++) {
      bytes += files[end]!.bytes;
      if (bytes > blobBytesAtOnce && end > start) break;
    }
    const some = files.slice(start, end);
    const { code, stdout, stderr } = await git(["cat-file", "--batch"], {
      input: some.map(({ object }) => `${object}\n`).join(""),
    });
    if (code !== 0) throw new Error(`git cat-file: ${stderr.trim()}`);
    // Each answer is "ID blob SIZE\n", the bytes, and a line feed.
    let at = 0;
    for (const file of some) {
      const line = stdout.indexOf(10, at);
      const [, kind, size] = stdout.subarray(at, line).toString("utf8").split(" ");
      if (line === -1 || kind !== "blob" || size === undefined)
        throw new Error(`git cat-file ${file.object} (${file.path}): ${kind ?? "no answer"}`);
      yield [file, stdout.subarray(line + 1, line + 1 + Number(size))];
      at = line + 2 + Number(size);
    }
    start = end;
  }
}
