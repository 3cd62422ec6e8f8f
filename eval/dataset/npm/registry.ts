import { ConfigurationError } from "../../../models/core/errors.ts";
import type { NpmPackage } from "./package.ts";

/**
 * The tarball's address: REGISTRY/NAME/-/BASENAME-VERSION.tgz, the same for npm and its mirrors. User and password in
 * the registry's address become an `authorization` header and appear in no message.
 * @param env `npm_config_registry` names the registry; default: npm's own
 * @throws ConfigurationError `npm-registry`
 */
export function tarballRequest(
  { name, version }: NpmPackage,
  env: Record<string, string | undefined>,
): { url: string; headers: Record<string, string> } {
  const registry = URL.parse(env["npm_config_registry"] || "https://registry.npmjs.org/");
  if (registry === null || !/^https?:$/.test(registry.protocol))
    throw new ConfigurationError({
      code: "npm-registry",
      place: "npm_config_registry",
      problem: "not the address of a registry",
      expected: "an http or https URL",
      example: "https://registry.npmjs.org/",
    });
  const headers: Record<string, string> = {};
  if (registry.username !== "") {
    const user = `${decodeURIComponent(registry.username)}:${decodeURIComponent(registry.password)}`;
    headers["authorization"] = `Basic ${Buffer.from(user).toString("base64")}`;
    registry.username = "";
    registry.password = "";
  }
  registry.search = "";
  registry.hash = "";
  const basename = name.slice(name.indexOf("/") + 1);
  return { url: `${registry.href.replace(/\/+$/, "")}/${name}/-/${basename}-${version}.tgz`, headers };
}
