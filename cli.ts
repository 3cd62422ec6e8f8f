import { realpathSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// The command line's entry. It starts cli/run.ts and decides nothing.
if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  // Keeps stripped and compiled TypeScript between starts. It must come before the imports, so they are dynamic.
  enableCompileCache(join(import.meta.dirname, "node_modules/.cache/compile"));
  const { run } = await import("./cli/run.ts");
  process.exitCode = await run(process.argv.slice(2), {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
  });
}
