import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Plugin } from "esbuild";

/** Puts only the version from package.json into a bundle. Otherwise every edited npm script would change every dist. */
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
