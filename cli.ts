import { realpathSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// The entry point of the `sluice` command. It composes the rooms and makes no decisions.
if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  // With the compile cache, TypeScript is stripped and compiled once instead of at every start. The cache must be
  // enabled before the imports, which is why these are dynamic.
  enableCompileCache(join(import.meta.dirname, "node_modules/.cache/compile"));
  const { run } = await import("./cli/run.ts");
  process.exitCode = await run(process.argv.slice(2), {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
  });
}
