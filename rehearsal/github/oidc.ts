import { createHash } from "node:crypto";

/** GitHub's ID tokens. A job with permission requests them at ACTIONS_ID_TOKEN_REQUEST_URL with a separate token. */
export type OidcState = {
  requestToken: string;
  issued: Record<string, { audience: string; claims?: Record<string, unknown> }>;
  /** Claims other than the audience. Default: the subject of a job in the production environment of octo/models. */
  claims?: Record<string, unknown>;
};

/**
 * The answer to such a request; null for any other path. This is not part of the REST API, so the OpenAPI description
 * does not contain it.
 */
export function idToken(
  state: OidcState,
  method: string,
  url: URL,
  authorization: string | null,
): { status: number; body: unknown } | null {
  if (url.pathname !== "/oidc/token") return null;
  if (method !== "GET" || authorization !== `Bearer ${state.requestToken}`)
    return { status: 401, body: { message: "Unauthorized" } };
  const audience = url.searchParams.get("audience") ?? "";
  const part = (text: string) => Buffer.from(text).toString("base64url");
  const value = `${part('{"alg":"RS256"}')}.${part(JSON.stringify({ aud: audience, ...(state.claims ?? { sub: "repo:octo/models:environment:production" }), n: Object.keys(state.issued).length }))}.${createHash(
    "sha256",
  )
    .update(`${audience}${Object.keys(state.issued).length}`)
    .digest("base64url")}`;
  state.issued[value] = { audience, ...(state.claims === undefined ? {} : { claims: state.claims }) };
  return { status: 200, body: { count: 1, value } };
}
