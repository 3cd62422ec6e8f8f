import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Plugin } from "esbuild";

const nativeRequire =
  /require\(`\.\.\/bin\/napi-v6\/\$\{process\.platform\}\/\$\{process\.arch\}\/onnxruntime_binding\.node`\)/g;

const shim = "sluice-named-exports";
const heard = "sluice-audio";
const audible = /^(mediabunny|mpg123-decoder|@wasm-audio-decoders\/(flac|ogg-vorbis)|opus-decoder)$/;

/**
 * The exports of onnxruntime-node: all of onnxruntime-common, which loads nothing native, and one function of its own.
 */
function runtimeExports(): string[] {
  const common = createRequire(import.meta.url)("onnxruntime-common") as object;
  return [...Object.keys(common), "listSupportedBackends"]
    .filter((name) => /^[A-Za-z]\w*$/.test(name) && name !== "default")
    .sort();
}

/**
 * An esbuild plugin that redirects the loading of native code.
 *
 * onnxruntime-node loads its binding by one computed `require` that no bundler can follow. It is rewritten to
 * actions/runner/runtime/binding.cjs. The build fails if that line is missing or occurs more than once, so that a
 * changed package is noticed. The packages that decode sound are replaced completely by lazy stand-ins.
 */
export function nativePlugin(root: string): Plugin {
  return {
    name: "sluice-native",
    setup(build) {
      let rewritten = 0;
      build.onStart(() => {
        rewritten = 0;
      });
      build.onLoad({ filter: /onnxruntime-node[\\/]dist[\\/]binding\.js$/ }, async ({ path }) => {
        const source = await readFile(path, "utf8");
        const found = source.match(nativeRequire)?.length ?? 0;
        if (found !== 1) {
          return {
            errors: [
              {
                text: `onnxruntime-node's native require was found ${found} times in dist/binding.js; expected once. Read the new version and adapt scripts/build/native-plugin.ts.`,
              },
            ],
          };
        }
        rewritten += 1;
        const standIn = join(root, "actions/runner/runtime/binding.cjs");
        return { contents: source.replace(nativeRequire, `require(${JSON.stringify(standIn)})`), loader: "js" };
      });
      // Node finds the named exports of a CommonJS package, but `import()` of one inside a bundle has only `default`.
      build.onResolve({ filter: /^onnxruntime-node$/ }, ({ namespace }) =>
        namespace === shim ? undefined : { path: "onnxruntime-node", namespace: shim },
      );
      build.onLoad({ filter: /.*/, namespace: shim }, () => ({
        contents: `import * as runtime from "onnxruntime-node";\nexport const { ${runtimeExports().join(", ")} } = runtime;\n`,
        resolveDir: root,
      }));
      build.onResolve({ filter: audible }, ({ path, namespace }) =>
        namespace === heard ? undefined : { path, namespace: heard },
      );
      build.onLoad({ filter: /.*/, namespace: heard }, async ({ path }) => {
        const standIn = join(root, "actions/runner/runtime/audio.cjs");
        const names = Object.keys((await import(path)) as object).filter(
          (name) => /^[A-Za-z]\w*$/.test(name) && name !== "default",
        );
        return {
          contents: `import load from ${JSON.stringify(standIn)};\nexport const { ${names.join(", ")} } = load(${JSON.stringify(path)});\n`,
          resolveDir: root,
        };
      });
      // Apart from this, the runtime loads platform-specific code only in its install script. Any other .node file is a
      // mistake.
      build.onResolve({ filter: /\.node$/ }, ({ path, importer }) => ({
        errors: [{ text: `native file ${path} would be bundled, from ${importer}` }],
      }));
      build.onEnd(() => {
        const usesRuntime = build.initialOptions.metafile !== true || rewritten === 1;
        return usesRuntime ? {} : { warnings: [{ text: "no entry point reaches onnxruntime-node" }] };
      });
    },
  };
}

/**
 * @actions/core imports an OIDC client and @actions/github an Octokit. Through them come an HTTP client and undici (1
 * MB, 100 ms to load), which no action here uses. Declared free of side effects, they are removed by tree shaking.
 */
export function trimActionsCore(): Plugin {
  return {
    name: "sluice-trim-actions-core",
    setup(build) {
      build.onResolve(
        {
          filter:
            /^(\.\/(oidc-utils|platform|path-utils|utils)\.js|@actions\/http-client(\/.*)?|@actions\/exec|@actions\/io)$/,
        },
        async (request) => {
          if (
            !/@actions[\\/](core|exec|io|http-client|github)[\\/]/.test(request.importer) ||
            request.pluginData === "resolving"
          )
            return undefined;
          const resolved = await build.resolve(request.path, {
            importer: request.importer,
            resolveDir: request.resolveDir,
            kind: request.kind,
            pluginData: "resolving",
          });
          return resolved.errors.length > 0 ? undefined : { path: resolved.path, sideEffects: false };
        },
      );
    },
  };
}
