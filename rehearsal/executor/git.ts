import { execFile } from "node:child_process";

const gitTimeoutMs = 60_000;
const outputLimitBytes = 256 * 1024 * 1024;

/** Runs git in an isolated environment, without the configuration of the machine or of the user. */
export function git(
  directory: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      cwd: directory,
      timeout: gitTimeoutMs,
      maxBuffer: outputLimitBytes,
      encoding: "utf8" as const,
      env: {
        PATH: process.env["PATH"],
        GIT_CONFIG_GLOBAL: "/dev/null",
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_TERMINAL_PROMPT: "0",
        LC_ALL: "C",
        ...env,
      },
    };
    execFile("git", [...args], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`git ${args.join(" ")}: ${stderr.trim() || error.message}`));
    });
  });
}

const folder = ".github/workflows";

/** The workflow files of a commit: name below .github/workflows, and SHA of the blob. */
export async function workflowFiles(directory: string, sha: string): Promise<{ name: string; blob: string }[]> {
  const listed = await git(directory, ["ls-tree", "-z", `${sha}:${folder}`]).catch(() => "");
  return listed.split("\0").flatMap((line) => {
    const [, blob, name] = /^\d+ blob ([0-9a-f]+)\t(.+\.ya?ml)$/.exec(line) ?? [];
    return blob === undefined || name === undefined ? [] : [{ name, blob }];
  });
}

export const readBlob = (directory: string, blob: string): Promise<string> =>
  git(directory, ["cat-file", "blob", blob]);

/** The commit that a branch, tag, ref or SHA names. @throws Error if there is none */
export async function commitOf(directory: string, ref: string): Promise<string> {
  for (const name of [ref, `refs/heads/${ref}`, `refs/tags/${ref}`]) {
    const found = await git(directory, [
      "rev-parse",
      "--verify",
      "--quiet",
      "--end-of-options",
      `${name}^{commit}`,
    ]).catch(() => "");
    if (found !== "") return found.trim();
  }
  throw new Error(`A branch or tag with the name '${ref}' could not be found`);
}

export const subjectOf = async (directory: string, sha: string): Promise<string> =>
  (await git(directory, ["show", "-s", "--format=%s", sha])).trim();
export const commitMessage = (directory: string, sha: string): Promise<string> =>
  git(directory, ["show", "-s", "--format=%B", sha]);

/** The paths that differ between two commits; all paths of `to` if `from` is null. */
export async function changedPaths(directory: string, from: string | null, to: string): Promise<string[]> {
  const args =
    from === null
      ? ["ls-tree", "-r", "-z", "--name-only", to]
      : ["diff", "-z", "--name-only", "--no-renames", from, to];
  return (await git(directory, args)).split("\0").filter(Boolean);
}

export const mergeBase = async (directory: string, one: string, other: string): Promise<string> =>
  (await git(directory, ["merge-base", one, other])).trim();
