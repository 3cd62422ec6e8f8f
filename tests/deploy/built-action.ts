import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildBundle, bundles, type Bundle } from "../../scripts/build/bundle.ts";
import { repositoryRoot } from "../actions/gate/runner.ts";

/** Everything that a bundle is built from. */
const sources = `actions deploy github eval models/core spaces scripts/build package.json package-lock.json`.split(" ");
const keptMs = 86_400_000;

/**
 * Folder of the deploy action's dist, built from the current sources. It is built once for all test files, and again
 * when a source has changed. Node's compile cache is beside it, so that only the first of many starts compiles.
 */
export async function builtAction(): Promise<string> {
  const cache = join(repositoryRoot, ".cache/deploy-action");
  const dir = join(cache, digestOfSources());
  if (existsSync(dir)) return dir;
  const { files } = await buildBundle(
    bundles.find(({ dist }) => dist === "actions/deploy/dist") as Bundle,
    repositoryRoot,
  );
  const draft = `${dir}.${process.pid}`;
  for (const { name, bytes } of files) {
    mkdirSync(join(draft, "dist", name, ".."), { recursive: true });
    writeFileSync(join(draft, "dist", name), bytes);
  }
  // If another process built it in the meantime, use that build.
  try {
    renameSync(draft, dir);
  } catch {
    rmSync(draft, { recursive: true, force: true });
  }
  for (const one of readdirSync(cache))
    if (Date.now() - statSync(join(cache, one)).mtimeMs > keptMs)
      rmSync(join(cache, one), { recursive: true, force: true });
  return dir;
}

function digestOfSources(): string {
  const hash = createHash("sha256");
  const add = (path: string): void => {
    const place = join(repositoryRoot, path);
    if (statSync(place).isDirectory()) {
      for (const name of readdirSync(place).sort())
        if (name !== "dist" && name !== "native" && name !== "node_modules") add(join(path, name));
    } else hash.update(`${path}\0`).update(readFileSync(place));
  };
  for (const path of sources) add(path);
  return hash.digest("hex").slice(0, 20);
}
