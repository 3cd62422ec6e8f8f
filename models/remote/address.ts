import { ConfigurationError, type Diagnostic } from "../core/errors.ts";
import { isLoopback } from "../core/loopback.ts";
import { legName, type FallbackLeg } from "./leg.ts";
import type { Address } from "./wires.ts";

type Addressed = Extract<FallbackLeg, { url: unknown }>;

/**
 * Where a backend is, with its key, as the manifest and the environment say.
 *
 * @returns what has to be set, where the environment lacks it
 * @throws ConfigurationError for an address that is no URL, holds credentials, or would receive the key unencrypted
 */
export function addressOf(
  leg: Addressed,
  env: Readonly<Record<string, string | undefined>>,
): { address: Address } | { missing: Diagnostic } {
  const name = legName(leg);
  const read = (variable: string) => env[variable]?.trim() ?? "";
  const lacks = (variable: string, what: string): { missing: Diagnostic } => ({
    missing: {
      code: "not-configured",
      problem: `the backend ${name} has no ${what}`,
      expected: `${variable} in the server's environment`,
      received: "nothing",
    },
  });
  const given = typeof leg.url === "string" ? leg.url : read(leg.url.env);
  if (given === "") return lacks((leg.url as { env: string }).env, "address");
  const place = typeof leg.url === "string" ? `fallback.${name}.url` : leg.url.env;
  const url = URL.parse(given);
  const wrong = (problem: string) =>
    new ConfigurationError({
      code: "remote-endpoint",
      place,
      problem,
      expected: "an https URL; an http one only without a key, or on this machine",
      example: leg.backend === "ollama" ? "http://127.0.0.1:11434" : "https://api.example.com/v1",
    });
  if (url === null || !/^https?:$/.test(url.protocol)) throw wrong("not a URL");
  if (url.username !== "" || url.password !== "") throw wrong("a URL with credentials");
  const key = leg.key === undefined ? null : read(leg.key.env);
  if (key === "") return lacks(leg.key!.env, "key");
  if (key !== null && url.protocol === "http:" && !isLoopback(url.hostname))
    throw wrong("the key would travel unencrypted");
  return { address: { url: given, key } };
}
