import { posix } from "node:path";
import type { GitHub } from "../github.ts";

/**
 * Which of the paths that decide how a pull request is evaluated it changes. A pull request's run takes its workflows
 * from the pull request itself, so one that changes them may have left any verdict behind.
 *
 * Both sides are commits, so that nothing pushed meanwhile counts. Where a path is the same at the merge base and at
 * the head, it is the base branch's own in the merge commit, which is what ran.
 *
 * @param paths folders or files, relative to the repository's root
 */
export async function changedPaths(
  github: Pick<GitHub, "mergeBase" | "tree">,
  { base, head, paths }: { base: string; head: string; paths: readonly string[] },
): Promise<string[]> {
  const trees = new Map<string, ReturnType<GitHub["tree"]>>();
  const tree = (sha: string) => {
    const asked = trees.get(sha) ?? github.tree(sha);
    trees.set(sha, asked);
    return asked;
  };
  const before = await github.mergeBase(base, head);
  const changed: string[] = [];
  for (const path of new Set(paths.map((one) => posix.normalize(one).replace(/^\/|\/$/g, ""))))
    if (await differs(before, head, path.split("/"), tree)) changed.push(path);
  return changed;
}

async function differs(
  before: string,
  after: string,
  [name = "", ...rest]: readonly string[],
  tree: GitHub["tree"],
): Promise<boolean> {
  const [old, own] = (await Promise.all([tree(before), tree(after)])).map((entries) => entries.get(name));
  if (old?.sha === own?.sha && old?.mode === own?.mode) return false;
  if (rest.length === 0 || !old?.folder || !own?.folder) return true;
  return differs(old.sha, own.sha, rest, tree);
}
