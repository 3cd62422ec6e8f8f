import { join } from "node:path";
import type { Plugin } from "esbuild";

/** Replaces `sharp` by a stand-in that looks for the real one when it is first used: its native code is in no bundle. */
export function findSharpLater(root: string): Plugin {
  return {
    name: "sluice-sharp",
    setup(build) {
      build.onResolve({ filter: /^sharp$/ }, () => ({ path: join(root, "actions/runner/runtime/sharp.cjs") }));
    },
  };
}
