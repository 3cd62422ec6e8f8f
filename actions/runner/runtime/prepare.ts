import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { sluiceVersion } from "../../../models/core/version.ts";
import { installFromRegistry, installFromRelease, registryOf } from "./install.ts";
import { locateNative, type NativeRuntime } from "./locate.ts";
import { nativePins, type NativePins } from "./pins.ts";

/** Written into the bundle by scripts/build.ts. */
declare const SLUICE_NATIVE_PINS: NativePins;

const downloadTimeoutMs = 300_000;

/** The native runtime, and the variables that tell the bundle and its child processes where it is. */
type PreparedNative = NativeRuntime & { env: { SLUICE_ORT_BINDING: string; SLUICE_SHARP_DIR: string } };

/**
 * Locates the native runtime for this process and its child processes. Await this before importing the gate.
 *
 * @param ortDir the `ort-dir` input
 * @param root the checked-out repository
 */
export async function prepareNative(
  ortDir: string | null,
  root: string,
  env: NodeJS.ProcessEnv,
): Promise<PreparedNative> {
  const pins = nativePins.parse(SLUICE_NATIVE_PINS);
  const { platform, arch } = process;
  // All files of a bundle, including chunks, are directly in dist; native/ is beside dist.
  const vendored = fileURLToPath(new URL(`../native/${platform}-${arch}`, import.meta.url));
  const found = await locateNative(
    pins,
    {
      ortDir: ortDir === null ? null : resolve(root, ortDir),
      checkout: env["GITHUB_WORKSPACE"] || root,
      vendored,
      modules: join(root, "node_modules"),
      toolCache: env["RUNNER_TOOL_CACHE"] || null,
    },
    {
      platform,
      arch,
      install: async (target, files) => {
        const release = runtimeOfRelease(env, `onnxruntime-${pins.version}-${platform}-${arch}.tgz`);
        if (release !== null) {
          try {
            await installFromRelease(release, target, files, { fetch, timeoutMs: downloadTimeoutMs });
            return;
          } catch {
            // A release without it, or another platform: npm's package has them all.
          }
        }
        await installFromRegistry(pins, target, files, {
          fetch,
          registry: registryOf(env),
          platform,
          arch,
          timeoutMs: downloadTimeoutMs,
        });
      },
    },
  );
  const variables = { SLUICE_ORT_BINDING: found.binding, SLUICE_SHARP_DIR: vendored };
  Object.assign(process.env, variables);
  return { ...found, env: variables };
}

/** Where the release that this action is of keeps a file; null where nothing names its repository. */
export function runtimeOfRelease(env: NodeJS.ProcessEnv, file: string): string | null {
  const repository = env["GITHUB_ACTION_REPOSITORY"] || env["SLUICE_REPOSITORY"] || "";
  if (!/^\w[\w.-]*\/\w[\w.-]*$/.test(repository)) return null;
  return `${env["GITHUB_SERVER_URL"] || "https://github.com"}/${repository}/releases/download/v${sluiceVersion}/${file}`;
}
