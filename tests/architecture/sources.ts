import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");

const folders = `models eval watch github deploy predict bot spaces actions cli rehearsal scripts bench`.split(" ");

/** Every source file of the product, by its path from the root; tests are not among them. */
export const files: readonly string[] = [...folders.flatMap(sourcesIn), "cli.ts"].toSorted();

/** `typeOnly`: the compiler erases it. `to`: a path from the root, or a package's name. */
export type Import = { from: string; to: string; typeOnly: boolean };

/** Import and export-from lines of all files, static and dynamic. */
export const imports: readonly Import[] = files.flatMap((from) => {
  const text = readFileSync(join(root, from), "utf8");
  const lines = text.matchAll(/^\s*(?:import|export)\s+(type\s+)?(?:[^"'`;]*?\sfrom\s+)?"([^"]+)"/gm);
  const found = [...lines].map((match) => ({ typeOnly: match[1] !== undefined, to: match[2]! }));
  const dynamic = [...text.matchAll(/\bimport\("([^"]+)"\)/g)].map((match) => ({ typeOnly: false, to: match[1]! }));
  return [...found, ...dynamic].map(({ typeOnly, to }) => ({
    from,
    typeOnly,
    to: to.startsWith(".") ? relative(root, resolve(root, dirname(from), to)) : to,
  }));
});

const known = new Set(files);

/** Imports of one file of ours by another. */
export const inside: readonly Import[] = imports.filter(({ to }) => known.has(to));

function sourcesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|js|mjs)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !/\/(dist|native|data|train)\//.test(path) && !path.includes("node_modules"));
}
