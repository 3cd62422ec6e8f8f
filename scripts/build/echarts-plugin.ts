import { join } from "node:path";
import { build, type Plugin } from "esbuild";

/**
 * Puts those parts of echarts in a bundle that the report draws with, in the place of the whole library in one file.
 * Like that file they are minified, names included.
 */
export function trimEcharts(root: string): Plugin {
  return {
    name: "sluice-trim-echarts",
    setup({ onLoad }) {
      onLoad({ filter: /[\\/]echarts[\\/]dist[\\/]echarts\.esm\.min\.mjs$/ }, async () => {
        const { outputFiles } = await build({
          absWorkingDir: root,
          entryPoints: [join(root, "scripts/build/echarts-used.ts")],
          bundle: true,
          write: false,
          format: "esm",
          platform: "node",
          target: "node24",
          minify: true,
          legalComments: "none",
          logLevel: "warning",
          define: { "process.env.NODE_ENV": '"production"' },
        });
        return { contents: outputFiles[0]!.text, loader: "js" };
      });
    },
  };
}
