import { ConfigurationError } from "../../../models/core/errors.ts";

/** An npm package at an exact version, and the digest of its tarball. */
export type NpmPackage = { name: string; version: string; integrity: string };

/** `@scope/name@1.2.3` → name and version. The manifest's schema has already checked the form. */
export function npmPackage(spec: string, integrity: string): NpmPackage {
  const at = spec.lastIndexOf("@");
  return { name: spec.slice(0, at), version: spec.slice(at + 1), integrity };
}

/**
 * A path inside a package as plain segments joined by "/".
 * @throws ConfigurationError `path-outside-package` for absolute paths and `..`
 */
export function insidePackage(path: string, spec: string): string {
  const segments = path.split(/[\\/]/).filter((segment) => segment !== "" && segment !== ".");
  if (segments.length === 0 || segments.includes("..") || /^([\\/]|[A-Za-z]:)/.test(path)) {
    throw new ConfigurationError({
      code: "path-outside-package",
      place: "dataset.files",
      problem: `the path must lie inside the package ${spec}`,
      expected: "a relative path without ..",
      received: path,
      example: "test/fixtures/imdb.json",
    });
  }
  return segments.join("/");
}
