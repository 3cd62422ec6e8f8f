#!/usr/bin/env node
// The `sluice` command. It needs Node 24, because TypeScript runs unbuilt. An older Node starts the pinned one instead.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { execChild } from "./exec-child.mjs";

const cli = fileURLToPath(new URL("../cli.ts", import.meta.url));
if (Number(process.versions.node.split(".")[0]) >= 24) {
  process.argv[1] = cli;
  await import(cli);
} else {
  const pinned = fileURLToPath(new URL("../node_modules/node/bin/node", import.meta.url));
  if (!existsSync(pinned)) {
    console.error(
      `sluice needs Node 24 or newer; this is ${process.version}. Run \`npm ci\` once: it brings the pinned one.`,
    );
    process.exit(2);
  }
  execChild(pinned, [cli, ...process.argv.slice(2)]);
}
