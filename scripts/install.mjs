// Installs what package-lock.json names, once; a second call with the same lock file does nothing.
// Plain JavaScript for Node 20: it runs before the pinned Node 24 is there.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const stamp = `${root}/node_modules/.installed-lock`;

/** @returns {string} path of the Node 24 that the repository pins */
export function installIfMissing() {
  const digest = createHash("sha256")
    .update(readFileSync(`${root}/package-lock.json`))
    .digest("hex");
  const installed = existsSync(stamp) ? readFileSync(stamp, "utf8") : "";
  const node = `${root}/node_modules/node/bin/node`;
  if (installed !== digest || !existsSync(node)) {
    console.error("Installing dependencies (npm ci) …");
    const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
      cwd: root,
      stdio: ["ignore", 2, 2],
    });
    if (status !== 0) {
      console.error("npm ci failed; see its message above.");
      process.exit(status ?? 1);
    }
    writeFileSync(stamp, digest);
  }
  return node;
}

/** Runs the pinned Node with these arguments, in the repository, and ends with its exit code. */
export function runNode(args) {
  const { status, signal } = spawnSync(installIfMissing(), args, { cwd: root, stdio: "inherit" });
  return signal === null ? (status ?? 1) : 1;
}
