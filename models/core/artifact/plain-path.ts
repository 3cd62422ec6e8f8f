import { lstat, readlink } from "node:fs/promises";
import { dirname, isAbsolute, join, posix, relative, resolve, sep } from "node:path";

/** The route from a folder to a path below it, with slashes; null when the path is the folder itself or not below it. */
export function routeInside(folder: string, path: string): string | null {
  const route = relative(resolve(folder), resolve(folder, path));
  return route === "" || route === ".." || route.startsWith(`..${sep}`) || isAbsolute(route)
    ? null
    : route.split(sep).join("/");
}

/** A symbolic link on the way to a file: its route from the folder, and where it points, relative to the folder. */
export type LinkOnPath = { link: string; target: string };

/**
 * The first symbolic link on the way from a folder to a path below it; null when there is none. What lies behind a link
 * can change without a change at the path, so no diff of the path shows it.
 *
 * @param route below the folder, with slashes
 */
export async function linkOnPath(folder: string, route: string): Promise<LinkOnPath | null> {
  const parts = route.split("/");
  for (let i = 1; i <= parts.length; i++) {
    const link = parts.slice(0, i).join("/");
    const place = join(folder, link);
    const facts = await lstat(place).catch(() => null);
    if (facts === null) return null;
    if (!facts.isSymbolicLink()) continue;
    const target = resolve(dirname(place), await readlink(place));
    return { link, target: posix.join(relative(folder, target).split(sep).join("/"), ...parts.slice(i)) };
  }
  return null;
}
