import { ConfigurationError } from "../../models/core/errors.ts";
import { HttpRefusal, NoAnswer, type Http, type HttpDeps } from "./http.ts";

/** A token with write access to the Hub. `kind` is only for messages. */
export type Credentials = {
  kind: "trusted publishing" | "HF_TOKEN" | "nothing: only what is public can be seen";
  token: () => Promise<string | null>;
};

const renewBeforeMs = 5 * 60_000;
const maxExchanges = 3;

/** A repository of the Hub, as trusted publishing names it: spaces/NS/NAME, or NS/NAME for a model repository. */
export type Resource = `spaces/${string}` | `${string}/${string}`;

/**
 * A token for one repository: by trusted publishing if the job may have an ID token, otherwise the given one.
 *
 * The ID token goes to the Hub's /oauth/token (RFC 8693, audience https://huggingface.co) and comes back as a token of
 * one hour for that repository alone. Exchanges sometimes hang or fail once, so each try uses a fresh ID token.
 *
 * @param mask called with every secret before anything else sees it
 * @throws ConfigurationError if there is neither
 */
export async function hubCredentials(
  resource: Resource,
  endpoint: string,
  env: NodeJS.ProcessEnv,
  given: string | null,
  deps: HttpDeps & { http: Http; mask: (secret: string) => void },
): Promise<Credentials> {
  const requestUrl = env["ACTIONS_ID_TOKEN_REQUEST_URL"];
  const requestToken = env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
  if (given !== null) deps.mask(given);
  const fixed: Credentials | null = given === null ? null : { kind: "HF_TOKEN", token: () => Promise.resolve(given) };
  if (!requestUrl || !requestToken) {
    if (fixed !== null) return fixed;
    throw new ConfigurationError({
      code: "credentials",
      place: resource,
      problem: "there is nothing to sign in to the Hub with",
      expected:
        "HF_TOKEN with write access; in a workflow also `permissions: id-token: write` and a trusted publisher in the repository's settings",
      received: "neither",
      hint: "https://huggingface.co/docs/hub/trusted-publishers",
    });
  }
  deps.mask(requestToken);
  let held: { token: string; until: number } | null = null;
  const token = async (): Promise<string> => {
    if (held !== null && deps.monotonic() < held.until - renewBeforeMs) return held.token;
    held = await exchange(resource, endpoint, { url: requestUrl, token: requestToken }, deps);
    return held.token;
  };
  try {
    await token();
    return { kind: "trusted publishing", token };
  } catch (error) {
    deps.signal.throwIfAborted();
    if (fixed !== null) {
      deps.note(`trusted publishing did not work (${(error as Error).message}); HF_TOKEN is used instead`);
      return fixed;
    }
    throw new ConfigurationError(
      {
        code: "trusted-publishing",
        problem: "the Hub did not accept this job as a trusted publisher",
        place: resource,
        expected: "a trusted publisher in its settings that names this repository, workflow and environment",
        received: (error as Error).message,
        hint: "or give HF_TOKEN",
      },
      { cause: error },
    );
  }
}

async function exchange(
  resource: Resource,
  endpoint: string,
  request: { url: string; token: string },
  deps: HttpDeps & { http: Http; mask: (secret: string) => void },
): Promise<{ token: string; until: number }> {
  const url = `${request.url}${request.url.includes("?") ? "&" : "?"}audience=${encodeURIComponent("https://huggingface.co")}`;
  for (let attempt = 1; ; attempt += 1) {
    const { value } = await deps.http.json<{ value: string }>({
      method: "GET",
      url,
      repeatable: true,
      token: () => Promise.resolve(request.token),
    });
    deps.mask(value);
    try {
      const { access_token: token, expires_in: seconds } = await deps.http.json<{
        access_token: string;
        expires_in: number;
      }>({
        method: "POST",
        url: `${endpoint}/oauth/token`,
        repeatable: false,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
          subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
          subject_token: value,
          resource,
        }),
      });
      deps.mask(token);
      return { token, until: deps.monotonic() + seconds * 1000 };
    } catch (error) {
      const passing =
        error instanceof NoAnswer ||
        (error instanceof HttpRefusal &&
          (error.status >= 500 || error.status === 429 || /invalid_grant/.test(error.message)));
      if (!passing || attempt >= maxExchanges) throw error;
      deps.note(`${error.message}; asking for a fresh ID token`);
      await deps.http.pause(0);
    }
  }
}
