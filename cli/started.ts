import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Start } from "../models/core/invocation.ts";

/**
 * How the command line was started: from a clone, from node_modules, or by `npx --package=…`, which keeps packages in a
 * folder of its own.
 *
 * @param module address of a file of the command line
 */
export function startOf(module: string, cwd: string): Start {
  const file = fileURLToPath(module);
  if (file.endsWith(".ts")) return { kind: "sources", root: resolve(dirname(file), ".."), cwd };
  // dist/CHUNK.js of a package
  const dir = resolve(dirname(file), "..");
  const own = nameOf(dir);
  const modules = own?.startsWith("@") === true ? resolve(dir, "../..") : resolve(dir, "..");
  if (own !== null && basename(modules) === "node_modules") {
    if (basename(dirname(dirname(modules))) === "_npx") {
      const spec = specIn(dirname(modules), own);
      if (spec !== null) return { kind: "npx", spec };
    }
    const program = join(modules, ".bin", "sluice");
    if (existsSync(program)) return { kind: "installed", program, cwd };
  }
  return { kind: "installed", program: join(dir, "bin/sluice.mjs"), cwd };
}

const jsonIn = (dir: string): Record<string, unknown> | null => {
  try {
    return JSON.parse(readFileSync(join(dir, "package.json"), "utf8")) as Record<string, unknown>;
  } catch {
    return null;
  }
};

function nameOf(dir: string): string | null {
  const name = jsonIn(dir)?.["name"];
  return typeof name === "string" ? name : null;
}

/** What npx was asked to install under this name. */
function specIn(dir: string, name: string): string | null {
  const spec = (jsonIn(dir)?.["dependencies"] as Record<string, string> | undefined)?.[name];
  if (spec === undefined) return null;
  return spec.startsWith("file:") ? resolve(dir, spec.slice("file:".length)) : spec;
}
