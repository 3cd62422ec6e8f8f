import type { Plugin } from "esbuild";

/**
 * telegraf's HTTP client, node-fetch 2, loads its own URL parser for old versions of Node, and through it a deprecated
 * module that every run would warn about. Node's own URL replaces it.
 */
export function trimTelegraf(): Plugin {
  const shim = "sluice-node-url";
  return {
    name: "sluice-trim-telegraf",
    setup(build) {
      build.onResolve({ filter: /^whatwg-url$/ }, ({ importer }) =>
        /node-fetch[\\/]/.test(importer) ? { path: "url", namespace: shim } : undefined,
      );
      build.onLoad({ filter: /.*/, namespace: shim }, () => ({
        contents: "module.exports = { URL, URLSearchParams };",
        loader: "js",
      }));
    },
  };
}
