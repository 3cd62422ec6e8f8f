import type { Git } from "../../../eval/gate/git.ts";
import { EvaluationError } from "../../../models/core/errors.ts";

/**
 * Which models a change touches: those with a changed file in their folder, or all of them when a path that matters
 * to every model changed.
 *
 * @param files changed paths, relative to the root like everything else here
 */
export function changedModels(
  files: readonly string[],
  models: readonly string[],
  always: readonly string[],
): { models: string[]; because: string } {
  const everything = files.find((file) => always.some((path) => under(file, path)));
  if (everything !== undefined)
    return { models: [...models], because: `${everything} changed, which matters to every model` };
  const touched = models.filter((model) => files.some((file) => under(file, model)));
  return { models: touched, because: `${files.length} changed ${files.length === 1 ? "file" : "files"}` };
}

function under(file: string, folder: string): boolean {
  return file === folder || file.startsWith(`${folder.replace(/\/+$/, "")}/`);
}

/**
 * Paths that differ between a commit and HEAD under a folder, relative to it. Two trees suffice: no history is needed.
 */
export async function changedFiles(commit: string, git: Git): Promise<string[]> {
  const { code, stdout, stderr } = await git([
    "diff",
    "--name-only",
    "--relative",
    "--no-renames",
    "-z",
    commit,
    "HEAD",
  ]);
  if (code !== 0)
    throw new EvaluationError({
      code: "diff",
      problem: "git cannot tell what changed",
      place: commit.slice(0, 12),
      received: stderr.trim(),
    });
  return stdout
    .toString("utf8")
    .split("\0")
    .filter((path) => path !== "");
}
