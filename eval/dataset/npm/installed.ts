import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { NpmPackage } from "./package.ts";

/**
 * Folder of the package in a `node_modules` at or above `from`, if its package.json names exactly this version. Other
 * versions are passed over, because a dataset is pinned.
 */
export async function installedPackage({ name, version }: NpmPackage, from: string): Promise<string | null> {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    const text = await readFile(join(candidate, "package.json"), "utf8").catch(() => null);
    if (text !== null) {
      try {
        const found = JSON.parse(text) as { name?: unknown; version?: unknown };
        if (found.name === name && found.version === version) return candidate;
      } catch {
        // A damaged package.json does not match; the tarball is fetched instead.
      }
    }
    if (dirname(folder) === folder) return null;
  }
}
