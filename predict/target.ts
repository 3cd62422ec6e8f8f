import { isLoopback } from "../models/core/loopback.ts";
import { ConfigurationError } from "../models/core/errors.ts";

/** Environment variable with the API key, which is sent as `Authorization: Bearer KEY`. */
export const KEY_VARIABLE = "SLUICE_API_KEY";

/** `origin` has no final slash. For a Space NS/NAME it is the host that the Hub gives the Space. */
export type Target = { kind: "local" } | { kind: "remote"; origin: string };

/** @throws ConfigurationError for anything but `local`, a URL or NS/NAME. */
export function targetOf(text: string): Target {
  if (text === "local") return { kind: "local" };
  const space = /^([\w-][\w.-]*)\/([\w-][\w.-]*)$/.exec(text);
  if (space !== null)
    return { kind: "remote", origin: `https://${text.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}.hf.space` };
  const url = URL.parse(text);
  const wrong = (problem: string, received: string) =>
    new ConfigurationError({
      code: "predict-url",
      place: "--url",
      problem,
      expected: "local, NS/NAME of a Space, or an http(s) URL",
      received,
      example: "--url octo/births",
    });
  if (url === null || !/^https?:$/.test(url.protocol)) throw wrong("not a server", text.slice(0, 100));
  // The URL is not repeated in the message: it holds a secret.
  if (url.username !== "" || url.password !== "") throw wrong("a URL with credentials", `a URL of ${url.host}`);
  if (url.search !== "" || url.hash !== "")
    throw wrong("a URL with a query or a fragment", `${url.origin}${url.pathname}`);
  return { kind: "remote", origin: `${url.origin}${url.pathname.replace(/\/+$/, "")}` };
}

/** The origin of a server that is not started here. @throws ConfigurationError for anything but a URL or NS/NAME */
export function originOf(text: string): string {
  const target = targetOf(text);
  if (target.kind === "remote") return target.origin;
  throw new ConfigurationError({
    code: "predict-url",
    place: "--url",
    problem: "not a server that runs",
    expected: "NS/NAME of a Space, or an http(s) URL",
    received: text,
    example: "--url octo/births",
  });
}

/**
 * Headers of every request.
 *
 * @throws ConfigurationError when the key cannot be sent in a header, or would be sent unencrypted.
 */
export function authorization(env: NodeJS.ProcessEnv, origin: string): Record<string, string> {
  const key = env[KEY_VARIABLE]?.trim() ?? "";
  if (key === "") return {};
  if (!/^[\x21-\x7e]{1,512}$/.test(key))
    throw new ConfigurationError({
      code: "predict-key",
      place: KEY_VARIABLE,
      problem: "not an API key",
      expected: "up to 512 visible ASCII characters",
    });
  const { protocol, hostname } = new URL(origin);
  if (protocol === "http:" && !isLoopback(hostname))
    throw new ConfigurationError({
      code: "predict-key",
      place: KEY_VARIABLE,
      problem: "the key would travel unencrypted",
      expected: "an https URL, or a server on this machine",
      received: origin,
    });
  return { authorization: `Bearer ${key}` };
}
