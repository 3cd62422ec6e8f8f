import { lstat, mkdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";

/**
 * The cache folder of a run, or why another folder is used in its place. A folder that lies in the repository could
 * hold what a commit put there, and a folder that others may write could hold what they put there. Neither is used: the
 * run gets `fallback`, an empty folder of its own.
 *
 * @param wanted absolute path; it need not exist
 * @param repository the folder that holds everything a commit can write, absolute
 * @param fallback absolute path
 */
export async function privateCache(
  wanted: string,
  repository: string,
  fallback: string,
): Promise<{ cacheDir: string; note: string | null }> {
  const why = (await inside(wanted, repository)) ? "it lies in the repository" : await foreign(wanted);
  return why === null
    ? { cacheDir: wanted, note: null }
    : {
        cacheDir: fallback,
        note: `the cache folder ${wanted} is not used: ${why}. Set SLUICE_CACHE to a folder outside the repository that only you can write.`,
      };
}

/** Whether a path, with every symbolic link on it followed, is a folder or below it. */
async function inside(path: string, folder: string): Promise<boolean> {
  const route = relative(await realpath(folder), await destination(path));
  return route === "" || (route !== ".." && !route.startsWith(`..${sep}`) && !isAbsolute(route));
}

/** `realpath` of a path whose last parts need not exist. */
async function destination(path: string): Promise<string> {
  const found = await realpath(path).catch(() => null);
  if (found !== null) return found;
  const parent = dirname(path);
  return parent === path ? resolve(path) : join(await destination(parent), basename(path));
}

/** Creates the folder for this user alone. Why it cannot be relied on; null when it can. */
async function foreign(folder: string): Promise<string | null> {
  // What cannot be created is found out, and told, by whoever writes there.
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch(() => {});
  for (const one of [folder, join(folder, "predictions")]) {
    const facts = await lstat(await realpath(one).catch(() => one)).catch(() => null);
    // Windows has no owner and mode that Node can tell.
    if (facts === null || process.getuid === undefined) continue;
    if (facts.uid !== process.getuid()) return `${one} belongs to another user`;
    if ((facts.mode & 0o022) !== 0) return `others may write ${one}`;
  }
  // Whoever may write the folder above can put another in its place, unless the sticky bit keeps them from it.
  const above = await stat(dirname(folder)).catch(() => null);
  if (process.getuid !== undefined && above !== null && (above.mode & 0o022) !== 0 && (above.mode & 0o1000) === 0)
    return `others may replace it, because they may write ${dirname(folder)}`;
  return null;
}
