// Runs `node ARGS…` with the Node 24 that the repository pins as a devDependency, whichever Node the machine has.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { execChild } from "./exec-child.mjs";

const pinned = fileURLToPath(new URL("../node_modules/node/bin/node", import.meta.url));
const own = Number(process.versions.node.split(".")[0]) >= 24 ? process.execPath : undefined;
const node = existsSync(pinned) ? pinned : own;
if (node === undefined) {
  console.error(`Node 24 is needed; this is ${process.version} and node_modules is not installed. Run: npm ci`);
  process.exit(2);
}
execChild(node, process.argv.slice(2));
