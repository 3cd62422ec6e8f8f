// Installs the packages of package-lock.json once. A second call with the same lock file does nothing, no matter how
// they were installed. This is plain JavaScript for Node 20, because it runs before the pinned Node 24 is installed.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const node = `${root}/node_modules/node/bin/node`;

/** Whether npm's own record of what it installed contains every package of the lock file, except optional ones. */
function isInstalled() {
  const note = `${root}/node_modules/.package-lock.json`;
  if (!existsSync(note) || !existsSync(node)) return false;
  const [locked, installed] = [`${root}/package-lock.json`, note].map(
    (path) => JSON.parse(readFileSync(path, "utf8")).packages,
  );
  return Object.entries(locked).every(
    ([path, { optional, integrity }]) => path === "" || optional === true || installed[path]?.integrity === integrity,
  );
}

/** @returns {string} path of the pinned Node 24 */
export function installIfMissing() {
  if (!isInstalled()) {
    console.error("Installing dependencies (npm ci) …");
    const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
      cwd: root,
      stdio: ["ignore", 2, 2],
      // An npm that does not know package.json's allowScripts would let the runtime download its CUDA libraries.
      env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" },
    });
    if (status !== 0) {
      console.error("npm ci failed; see its message above.");
      process.exit(status ?? 1);
    }
  }
  return node;
}

/** Runs the pinned Node with these arguments, in the repository, and ends with its exit code. */
export function runNode(args) {
  const { status, signal } = spawnSync(installIfMissing(), args, { cwd: root, stdio: "inherit" });
  return signal === null ? (status ?? 1) : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) installIfMissing();
