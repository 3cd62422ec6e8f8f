import { homedir } from "node:os";
import { join, resolve } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Where downloads and predictions are kept between runs; an absolute path, never in the working folder because of a
 * default. In this order: `SLUICE_CACHE`; in GitHub Actions `RUNNER_TEMP/sluice-cache`, which every job has for itself;
 * `XDG_CACHE_HOME/sluice`; `sluice` in the user's folder for caches.
 *
 * A relative `XDG_CACHE_HOME` is ignored, as https://specifications.freedesktop.org/basedir-spec/latest/ asks.
 */
export function defaultCacheDir(env: Environment, platform: NodeJS.Platform = process.platform): string {
  if (env["SLUICE_CACHE"]) return resolve(env["SLUICE_CACHE"]);
  if (env["GITHUB_ACTIONS"] === "true" && env["RUNNER_TEMP"]) return join(env["RUNNER_TEMP"], "sluice-cache");
  if (env["XDG_CACHE_HOME"]?.startsWith("/") === true) return join(env["XDG_CACHE_HOME"], "sluice");
  const home = env["HOME"] || env["USERPROFILE"] || homedir();
  if (platform === "win32") return join(env["LOCALAPPDATA"] || join(home, "AppData", "Local"), "sluice", "Cache");
  return platform === "darwin" ? join(home, "Library", "Caches", "sluice") : join(home, ".cache", "sluice");
}

/** Where the cache keeps the file with this SHA-256. Whoever reads it there must hash it. */
export function cachedContent(cacheDir: string, sha256: string): string {
  return join(cacheDir, "sha256", sha256.slice(0, 2), sha256);
}
