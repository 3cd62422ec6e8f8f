import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { banner, define } from "./commonjs.ts";
import { trimEcharts } from "./echarts-plugin.ts";
import { thirdPartyLicences } from "./licences.ts";
import { trimActionsCore } from "./native-plugin.ts";
import { buildSpace } from "./space.ts";
import { withStableNames, type BuiltFile } from "./stable-names.ts";
import { trimTelegraf } from "./telegraf-plugin.ts";
import { versionPlugin } from "./version-plugin.ts";

/** Oldest Node that runs the package: the first with node:sqlite without a flag. */
const node = { major: 22, minor: 13 };

/** What is installed beside the bundle, because it is native. Images are optional, so that a machine without them can gate. */
const required = ["onnxruntime-node"];
const optional = ["sharp"];

/** Programs of their own: the command line, and what it starts as processes. Their names are those that the code asks for. */
const entries = {
  run: "cli/run.ts",
  "serve-with-parent": "cli/serve-with-parent.ts",
  "latency-worker": "eval/latency/worker.ts",
  host: "spaces/server/engine/host.ts",
};

const starter = `#!/usr/bin/env node
// Starts the bundled command line. Everything is loaded after the version of Node is known to be enough.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < ${node.major} || (major === ${node.major} && minor < ${node.minor})) {
  console.error(
    "sluice needs Node ${node.major}.${node.minor} or newer; this is " + process.version + ".\\n  hint: https://nodejs.org, or npx --package=node@24 --package=… sluice",
  );
  process.exit(2);
}
const { enableCompileCache } = await import("node:module");
enableCompileCache?.();
const { run } = await import("../dist/run.js");
process.exitCode = await run(process.argv.slice(2), { stdout: process.stdout, stderr: process.stderr, env: process.env });
`;

export type Published = {
  /** OWNER/NAME on GitHub whose releases carry the package; null for a package that nobody publishes. */
  repository: string | null;
  /** Commit of the release; workflows that `init` writes name it. */
  commit: string | null;
};

/**
 * The files of the installable command line: bundled JavaScript, the page, and the part of a Space's tree that all
 * models share. No sources, no tests, no scripts that npm would run.
 *
 * @returns files by their path in the package, sorted
 */
export async function buildCommandLine(root: string, { repository, commit }: Published): Promise<BuiltFile[]> {
  const result = await build({
    absWorkingDir: root,
    entryPoints: Object.entries(entries).map(([out, source]) => ({ in: source, out })),
    outdir: "dist",
    bundle: true,
    write: false,
    metafile: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: `node${node.major}.${node.minor}`,
    chunkNames: "[name]-[hash]",
    minifyWhitespace: true,
    minifySyntax: true,
    minifyIdentifiers: false,
    charset: "utf8",
    legalComments: "none",
    logLevel: "warning",
    banner,
    define: { ...define, "process.env.NODE_ENV": '"production"' },
    external: [...required, ...optional],
    plugins: [trimActionsCore(), trimEcharts(root), trimTelegraf(), versionPlugin(root)],
  });
  const dist = withStableNames(
    result.outputFiles.map(({ path, contents }) => ({
      name: path.slice(join(root, "dist").length + 1),
      bytes: contents,
    })),
    result.metafile,
    Object.keys(entries).map((name) => `${name}.js`),
  );
  const own = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    version: string;
    description: string;
    license: string;
    dependencies: Record<string, string>;
  };
  const pinned = (names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, own.dependencies[name]!] as const));
  const manifest = {
    // Scoped, and installed by its address: no registry is ever asked for this name.
    name: `@${(repository?.split("/")[0] ?? "local").toLowerCase()}/sluice`,
    version: own.version,
    description: own.description,
    license: own.license,
    type: "module",
    bin: { sluice: "bin/sluice.mjs" },
    engines: { node: `>=${node.major}.${node.minor}` },
    ...(repository === null
      ? {}
      : {
          repository: { type: "git", url: `git+https://github.com/${repository}.git` },
          sluice: { repository, ...(commit === null ? {} : { commit }) },
        }),
    dependencies: pinned(required),
    optionalDependencies: pinned(optional),
  };
  const space = await buildSpace(root);
  const text = (content: string) => Buffer.from(content);
  return [
    ...dist.map(({ name, bytes }) => ({ name: `dist/${name}`, bytes })),
    ...space.map(({ name, bytes }) => ({ name: `space/${name}`, bytes })),
    // The server looks for its page beside the bundle.
    ...space.filter(({ name }) => name.startsWith("ui/")),
    { name: "bin/sluice.mjs", bytes: text(starter) },
    { name: "package.json", bytes: text(`${JSON.stringify(manifest, null, 2)}\n`) },
    { name: "LICENSE", bytes: await readFile(join(root, "LICENSE")) },
    { name: "LICENSES.txt", bytes: text(await thirdPartyLicences(result.metafile, root)) },
    { name: "README.md", bytes: text(readme(own.description, repository)) },
  ].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

const readme = (description: string, repository: string | null) =>
  `# Sluice\n\n${description}\n\n${repository === null ? "" : `https://github.com/${repository}\n\n`}\`npx --no sluice --help\` shows the commands, \`npx --no sluice init MODEL.onnx --data FILE\` sets a repository up.\n`;
