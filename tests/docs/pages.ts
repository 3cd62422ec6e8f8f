import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");

export const read = (path: string) => readFileSync(join(root, path), "utf8");

/** Every page of the repository, by its path from the root. */
export const pages: readonly string[] = execFileSync(
  "git",
  ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
  { cwd: root, encoding: "utf8" },
)
  .split("\n")
  .filter((path) => path !== "" && !/(^|\/)(dist|node_modules)\//.test(path) && path !== "spaces/README.template.md")
  .filter((path) => existsSync(join(root, path)));

/** A page without its fenced blocks, which hold examples and not references. */
export const prose = (markdown: string) => markdown.replaceAll(/^( *)```[\s\S]*?^ *```$/gm, "");

/** The anchors that GitHub gives to a page's headings. */
export function anchorsOf(markdown: string): Set<string> {
  const found = new Set<string>();
  for (const [, heading] of prose(markdown).matchAll(/^#{1,6} +(.+)$/gm)) {
    const slug = heading!
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-");
    let name = slug;
    for (let n = 1; found.has(name); n += 1) name = `${slug}-${n}`;
    found.add(name);
  }
  return found;
}

type Link = { page: string; link: string; path: string; anchor: string | null };

/** The links of a page that stay in the repository (`../../security` is a page of GitHub's); `path` from the root. */
export function linksOf(page: string, markdown: string): Link[] {
  const text = prose(markdown);
  const targets = [
    ...[...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!),
    ...[...text.matchAll(/\b(?:src|href)="([^"]+)"/g)].map(([, target]) => target!),
  ];
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((link) => {
      const [path, anchor] = link.split("#") as [string, string | undefined];
      const to = path === "" ? page : relative(root, resolve(root, dirname(page), path));
      return { page, link, path: to, anchor: anchor ?? null };
    })
    .filter(({ path }) => !path.startsWith(".."));
}
