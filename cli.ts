import { realpathSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// The front door: composes the rooms, decides nothing.
if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  // TypeScript is stripped and compiled once, not at every start. Before the imports, which is why they are dynamic.
  enableCompileCache(join(import.meta.dirname, "node_modules/.cache/compile"));
  const { run } = await import("./cli/run.ts");
  process.exitCode = await run(process.argv.slice(2), {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
  });
}
