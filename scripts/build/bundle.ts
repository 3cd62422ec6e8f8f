import { join } from "node:path";
import { build, type Metafile } from "esbuild";
import { banner, define } from "./commonjs.ts";
import { thirdPartyLicences } from "./licences.ts";
import { nativePlugin, trimActionsCore } from "./native-plugin.ts";
import { readNativePins } from "./native-pins.ts";
import { buildSpace } from "./space.ts";
import { withStableNames, type BuiltFile } from "./stable-names.ts";
import { trimEcharts } from "./echarts-plugin.ts";
import { findSharpLater } from "./sharp-plugin.ts";
import { trimTelegraf } from "./telegraf-plugin.ts";
import { versionPlugin } from "./version-plugin.ts";

export type Bundle = {
  dist: string;
  entries: Record<string, string>;
  /** Whether the bundle uses the native runtime. */
  native: boolean;
  /** Files that the action ships beside its code, by their path in dist. */
  assets?: (root: string) => Promise<BuiltFile[]>;
};

/** Each action's bundle: entry name → source. One folder of shared chunks per action. */
export const bundles: readonly Bundle[] = [
  {
    dist: "actions/gate/dist",
    native: true,
    entries: {
      main: "actions/gate/main.ts",
      changed: "actions/gate/changed/main.ts",
      report: "actions/gate/report/main.ts",
      // The gate starts this as a separate process. eval/latency looks for it beside the code that starts it.
      "latency-worker": "eval/latency/worker.ts",
    },
  },
  {
    dist: "actions/deploy/dist",
    native: true,
    entries: { main: "actions/deploy/main.ts" },
    // The files that all Spaces share; the action adds the model.
    assets: async (root) => (await buildSpace(root)).map(({ name, bytes }) => ({ name: `space/${name}`, bytes })),
  },
  { dist: "actions/watch/dist", native: false, entries: { main: "actions/watch/main.ts" } },
  { dist: "actions/notify/dist", native: false, entries: { main: "actions/notify/main.ts" } },
];

/**
 * Builds one ES module per entry plus lazy chunks, flat in one folder, so that `import.meta.url` means the same
 * everywhere. Whitespace and syntax are minified and names are kept: every job downloads 3.5 MB instead of 4.9 MB, and
 * stack traces still name functions. Reviewers read the sources; --check proves that dist was built from them.
 */
export async function buildBundle(
  { dist, entries, native, assets }: Bundle,
  root: string,
): Promise<{ files: BuiltFile[]; metafile: Metafile }> {
  const pins = await readNativePins(root);
  const result = await build({
    absWorkingDir: root,
    entryPoints: Object.entries(entries).map(([out, source]) => ({ in: source, out })),
    outdir: dist,
    bundle: true,
    write: false,
    metafile: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    chunkNames: "[name]-[hash]",
    minifyWhitespace: true,
    minifySyntax: true,
    minifyIdentifiers: false,
    charset: "utf8",
    legalComments: "none",
    logLevel: "warning",
    banner,
    define: { ...define, SLUICE_NATIVE_PINS: JSON.stringify(pins), "process.env.NODE_ENV": '"production"' },
    plugins: [
      ...(native ? [nativePlugin(root)] : []),
      findSharpLater(root),
      trimActionsCore(),
      trimEcharts(root),
      trimTelegraf(),
      versionPlugin(root),
    ],
  });
  const files = result.outputFiles.map(({ path, contents }) => ({
    name: path.slice(join(root, dist).length + 1),
    bytes: contents,
  }));
  const named = withStableNames(
    files,
    result.metafile,
    Object.keys(entries).map((name) => `${name}.js`),
  );
  // Our own package.json says "module", but an action's folder is used without it.
  named.push({ name: "package.json", bytes: Buffer.from('{ "type": "module" }\n') });
  named.push({ name: "LICENSES.txt", bytes: Buffer.from(await thirdPartyLicences(result.metafile, root)) });
  named.push(...((await assets?.(root)) ?? []));
  return { files: named.toSorted((a, b) => (a.name < b.name ? -1 : 1)), metafile: result.metafile };
}
