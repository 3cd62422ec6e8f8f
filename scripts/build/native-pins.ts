import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { NativePins } from "../../actions/runner/runtime/pins.ts";

const folder = "bin/napi-v6";
const binding = "onnxruntime_binding.node";

/**
 * Reads from node_modules and package-lock.json what the bundle requires at run time: the exact version, npm's
 * integrity of the tarball, and the SHA-256 of each native file, for every platform of the package.
 */
export async function readNativePins(root: string): Promise<NativePins> {
  const name = "onnxruntime-node";
  const packageDir = join(root, "node_modules", name);
  const { version } = JSON.parse(await readFile(join(packageDir, "package.json"), "utf8")) as { version: string };
  const lock = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, { version: string; integrity?: string }>;
  };
  const locked = lock.packages[`node_modules/${name}`];
  if (locked?.integrity === undefined || locked.version !== version) {
    throw new Error(`package-lock.json does not pin ${name}@${version} with an integrity; run npm install.`);
  }
  const platforms: NativePins["platforms"] = {};
  for (const platform of (await readdir(join(packageDir, folder))).sort()) {
    for (const arch of (await readdir(join(packageDir, folder, platform))).sort()) {
      const dir = join(packageDir, folder, platform, arch);
      const files = [];
      for (const file of (await readdir(dir)).sort()) {
        // On a GPU machine, the installation also contains CUDA providers, which are not in npm's tarball.
        if (/providers|cudart|cublas|cudnn/.test(file)) continue;
        const bytes = await readFile(join(dir, file));
        files.push({ name: file, bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") });
      }
      platforms[`${platform}-${arch}`] = files;
    }
  }
  return { package: name, version, integrity: locked.integrity, folder, binding, platforms };
}
