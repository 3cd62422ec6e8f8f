import { isLoopback } from "../core/loopback.ts";
import { ConfigurationError, type Diagnostic } from "../core/errors.ts";

export type Access = { token: string; endpoint: string | null };

/**
 * Reads the token and the endpoint from HF_TOKEN and HF_INFERENCE_ENDPOINT. Without a token, the result says what to
 * set.
 *
 * @throws ConfigurationError for an endpoint that is no URL, holds credentials, or would receive the token unencrypted.
 */
export function accessFrom(
  env: Readonly<Record<string, string | undefined>>,
): { access: Access } | { missing: Diagnostic } {
  const token = env["HF_TOKEN"]?.trim() ?? "";
  const given = env["HF_INFERENCE_ENDPOINT"]?.trim() ?? "";
  if (given !== "") {
    const url = URL.parse(given);
    const wrong = (problem: string) =>
      new ConfigurationError({
        code: "remote-endpoint",
        place: "HF_INFERENCE_ENDPOINT",
        problem,
        expected: "an https URL, or an http one on this machine",
        example: "HF_INFERENCE_ENDPOINT=https://router.huggingface.co/v1",
      });
    if (url === null || !/^https?:$/.test(url.protocol)) throw wrong("not a URL");
    if (url.username !== "" || url.password !== "") throw wrong("a URL with credentials");
    if (url.protocol === "http:" && !isLoopback(url.hostname)) throw wrong("the token would travel unencrypted");
  }
  if (token === "") {
    return {
      missing: {
        code: "not-configured",
        problem: "the remote model is not configured: there is no token",
        expected: "HF_TOKEN, a Hugging Face token with the permission to call inference providers",
        received: "nothing",
        hint: "on a Space: Settings, Variables and secrets, New secret HF_TOKEN; elsewhere: set it in the server's environment; then start the server again",
      },
    };
  }
  return { access: { token, endpoint: given === "" ? null : given } };
}
