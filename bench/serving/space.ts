import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { buildSpace } from "../../scripts/build/space.ts";
import { root } from "./processes.ts";

/**
 * The files of a Space with these models, as in its image, but with this repository's installed packages.
 * @returns its folder
 */
export async function spaceTree(folder: string, models: Readonly<Record<string, string>>): Promise<string> {
  rmSync(folder, { recursive: true, force: true });
  for (const { name, bytes } of await buildSpace(root)) {
    mkdirSync(join(folder, dirname(name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
  writeFileSync(join(folder, "deployment.json"), "{}");
  mkdirSync(join(folder, "models"));
  for (const [id, dir] of Object.entries(models)) symlinkSync(dir, join(folder, "models", id));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return folder;
}
