import { createHash } from "node:crypto";
import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** hashFiles(): SHA-256 over the SHA-256 digests of all files that a pattern matches; empty if there are none. */
export function hashFiles(workspace: string, patterns: readonly string[]): string {
  const files = globSync([...patterns], { cwd: workspace })
    .map((name) => join(workspace, name))
    .filter((path) => statSync(path).isFile())
    .sort();
  if (files.length === 0) return "";
  const hash = createHash("sha256");
  for (const path of files) hash.update(createHash("sha256").update(readFileSync(path)).digest());
  return hash.digest("hex");
}
