import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Plugin } from "esbuild";

/** Only the version of package.json enters a bundle; otherwise every edited script would change every dist. */
export function versionPlugin(root: string): Plugin {
  return {
    name: "sluice-version",
    setup(build) {
      build.onLoad({ filter: /package\.json$/ }, async ({ path }) => {
        if (path !== join(root, "package.json")) return undefined;
        const { version } = JSON.parse(await readFile(path, "utf8")) as { version: string };
        return { contents: JSON.stringify({ version }), loader: "json" };
      });
    },
  };
}
