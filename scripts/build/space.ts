import { readdir, readFile } from "node:fs/promises";
import { join, posix, relative, sep } from "node:path";
import { build, type Metafile } from "esbuild";
import { banner, define } from "./commonjs.ts";
import { thirdPartyLicences } from "./licences.ts";
import { withStableNames, type BuiltFile } from "./stable-names.ts";
import { versionPlugin } from "./version-plugin.ts";

/**
 * Native packages cannot be bundled, so the image installs exactly these from a lock file. onnxruntime-common is among
 * them because the bundle and onnxruntime-node must share its classes.
 */
const installed = ["onnxruntime-node", "onnxruntime-common", "sharp"];

/**
 * What decodes sound: 13 MB, among them code under the LGPL that has to stay replaceable. Only the image of a model that
 * hears installs it; deploy/bundle/make.ts takes the files of that name.
 */
const audible = [
  "mediabunny",
  "mpg123-decoder",
  "@wasm-audio-decoders/flac",
  "@wasm-audio-decoders/ogg-vorbis",
  "opus-decoder",
];

/**
 * Builds everything in a Space's tree that is the same for every model: the bundled server and its worker, the page,
 * the Dockerfile, the README's template, package.json and its lock file, and both once more
 * (`.audio`) for models that hear. The deploy action ships them as plain files.
 *
 * @returns files by their path in the tree
 */
export async function buildSpace(root: string): Promise<BuiltFile[]> {
  const entries = {
    main: "spaces/main.ts",
    host: "spaces/server/engine/host.ts",
    jobs: "spaces/server/jobs/host.ts",
    optimise: "spaces/optimise.ts",
  };
  const result = await build({
    absWorkingDir: root,
    entryPoints: Object.entries(entries).map(([out, source]) => ({ in: source, out })),
    outdir: "server",
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
    define: { ...define, "process.env.NODE_ENV": '"production"' },
    external: [...installed, ...audible],
    plugins: [versionPlugin(root)],
  });
  const flat = result.outputFiles.map(({ path, contents }) => ({
    name: path.slice(join(root, "server").length + 1),
    bytes: contents,
  }));
  const server = withStableNames(
    flat,
    result.metafile,
    Object.keys(entries).map((name) => `${name}.js`),
  );
  const lock = [
    ...(await lockFile(root, installed, "")),
    ...(await lockFile(root, [...installed, ...audible], ".audio")),
  ];
  return [
    ...server.map(({ name, bytes }) => ({ name: `server/${name}`, bytes })),
    { name: "server/LICENSES.txt", bytes: Buffer.from(await thirdPartyLicences(result.metafile as Metafile, root)) },
    ...(await pageFiles(root)),
    { name: "Dockerfile", bytes: await readFile(join(root, "spaces/Dockerfile")) },
    { name: "README.template.md", bytes: await readFile(join(root, "spaces/README.template.md")) },
    ...lock,
  ].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

async function pageFiles(root: string): Promise<BuiltFile[]> {
  const folder = join(root, "spaces/ui");
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && /\.(html|js|css|svg|png|ico|webp|woff2)$/.test(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  const own = paths.map((path) => [posix.join("ui", path.split(sep).join("/")), join(folder, path)] as const);
  // The page of /docs: MIT, as a browser takes it, and what it is made of.
  const viewer = join(root, "node_modules/rapidoc/dist/rapidoc-min.js");
  const docs = [
    ["ui/docs/rapidoc.js", viewer],
    ["ui/docs/rapidoc.LICENSE.txt", `${viewer}.LICENSE.txt`],
  ] as const;
  return Promise.all([...own, ...docs].map(async ([name, path]) => ({ name, bytes: await readFile(path) })));
}

type Locked = {
  version: string;
  integrity?: string;
  dev?: boolean;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
} & Record<string, unknown>;

/**
 * package.json with the exact versions of the packages that the image installs, and their part of this repository's
 * lock file.
 */
async function lockFile(root: string, wanted: readonly string[], suffix: string): Promise<BuiltFile[]> {
  const { packages } = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, Locked>;
  };
  const kept: Record<string, Locked> = {};
  const follow = (name: string, from: string) => {
    // Search as Node does: in the nearest node_modules on the way up.
    const inside = from
      .split("/node_modules/")
      .map((_, i, parts) => parts.slice(0, parts.length - i).join("/node_modules/"));
    const path = [
      ...inside.filter((one) => one !== "").map((one) => `${one}/node_modules/${name}`),
      `node_modules/${name}`,
    ].find((one) => packages[one] !== undefined);
    if (path === undefined || kept[path] !== undefined) return;
    const { dev: _dev, ...locked } = packages[path]!;
    // Keep packages for other systems: `npm ci` refuses a lock file without them, and installs only those that fit.
    kept[path] = locked as Locked;
    for (const next of Object.keys({ ...locked.dependencies, ...locked.optionalDependencies })) follow(next, path);
  };
  for (const name of wanted) follow(name, "");
  const dependencies = Object.fromEntries(wanted.map((name) => [name, packages[`node_modules/${name}`]!.version]));
  const manifest = {
    name: "space",
    version: "1.0.0",
    private: true,
    type: "module",
    engines: { node: ">=24" },
    dependencies,
  };
  const lock = {
    name: "space",
    version: "1.0.0",
    lockfileVersion: 3,
    requires: true,
    packages: {
      "": { name: "space", version: "1.0.0", dependencies, engines: manifest.engines },
      ...Object.fromEntries(
        Object.entries(kept)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([path, { resolved: _host, ...rest }]) => [path, rest]),
      ),
    },
  };
  const json = (value: unknown) => Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
  return [
    { name: `package${suffix}.json`, bytes: json(manifest) },
    { name: `package-lock${suffix}.json`, bytes: json(lock) },
  ];
}
