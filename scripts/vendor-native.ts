import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readNativePins } from "./build/native-pins.ts";

// node scripts/with-node24.mjs scripts/vendor-native.ts [FOLDER]
//
// Writes the native ONNX Runtime for GitHub's Linux runners beside an action's dist, for the commit of a release tag.
// The folder is ignored by git on main, because 46 MB belong in releases, not in every clone. Add it with `git add -f`.

const root = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
const platform = "linux-x64";
const target = join(process.argv[2] ?? join(root, "actions/gate/native"), platform);

const pins = await readNativePins(root);
const files = pins.platforms[platform];
if (files === undefined) throw new Error(`${pins.package} ${pins.version} has no files for ${platform}`);
await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
for (const { name, bytes, sha256 } of files) {
  await copyFile(
    join(root, "node_modules", pins.package, pins.folder, ...platform.split("-"), name),
    join(target, name),
  );
  const copied = createHash("sha256")
    .update(await readFile(join(target, name)))
    .digest("hex");
  if (copied !== sha256) throw new Error(`${name} changed while it was copied`);
  console.log(`${join(target, name)}  ${bytes} bytes  sha256 ${sha256}`);
}
