import { randomBytes } from "node:crypto";
import { idToken, type OidcState } from "./oidc.ts";
import type { Grant, OidcClaims, Permissions } from "../executor/platform.ts";

/** The sender of a request. A job may do what its grant allows, a person what their role in the repository allows. */
export type Caller =
  | {
      kind: "job";
      login: string;
      repository: string;
      permissions: Permissions;
      runId: number;
      jobId: number;
      token: string;
    }
  | { kind: "person"; login: string; token: string }
  | { kind: "anonymous"; login: string };

export const botLogin = "github-actions[bot]";

/** All tokens of this GitHub: who owns them, what they may do, and whether they are revoked. */
export class Tokens {
  /** The tokens that the device flow issued. */
  readonly #loggedIn: () => Record<string, string>;
  readonly #callers = new Map<string, Caller>();
  readonly #oidc = new Map<string, OidcState>();
  readonly #used = new Map<string, { requests: number; resetAt: number }>();
  /** Every issued ID token with its claims. */
  readonly idTokens: OidcState["issued"] = {};

  readonly #callerOfUnknown: (token: string) => Caller | null;

  /** @param callerOfUnknown returns the owner of a token that was not issued here; nobody by default */
  constructor(loggedIn: () => Record<string, string>, callerOfUnknown: (token: string) => Caller | null = () => null) {
    this.#loggedIn = loggedIn;
    this.#callerOfUnknown = callerOfUnknown;
  }

  ofPerson(login: string): string {
    const token = `ghp_${randomBytes(18).toString("hex")}`;
    this.#callers.set(token, { kind: "person", login, token });
    return token;
  }

  ofJob({ repository, permissions, runId, jobId }: Grant): { token: string; revoke: () => void } {
    const token = `ghs_${randomBytes(18).toString("hex")}`;
    this.#callers.set(token, { kind: "job", login: botLogin, repository, permissions, runId, jobId, token });
    return {
      token,
      revoke: () => {
        this.#callers.delete(token);
      },
    };
  }

  revoke(token: string): void {
    this.#callers.delete(token);
  }

  /** @returns null for an unknown or revoked token */
  callerOf(authorization: string | undefined): Caller | null {
    if (authorization === undefined || authorization === "") return { kind: "anonymous", login: "" };
    const token =
      /^(?:bearer|token) (.+)$/i.exec(authorization)?.[1]?.trim() ??
      (/^basic (.+)$/i.exec(authorization)?.[1] === undefined
        ? ""
        : (Buffer.from(authorization.slice("basic ".length), "base64").toString().split(":")[1] ?? ""));
    const known = this.#callers.get(token);
    if (known !== undefined) return known;
    const login = this.#loggedIn()[token];
    return login === undefined ? this.#callerOfUnknown(token) : { kind: "person", login, token };
  }

  /** Issues ID tokens for this state's request token. The state records them. */
  allowIdTokens(state: OidcState): void {
    this.#oidc.set(state.requestToken, state);
  }

  /** The URL and request token with which a job with `id-token: write` requests ID tokens. */
  oidcOf(claims: OidcClaims, origin: string): { url: string; requestToken: string; revoke: () => void } {
    const requestToken = `oidc_${randomBytes(18).toString("hex")}`;
    const { repository, ref, sha, environment, workflowRef, jobWorkflowRef, runId, actor, eventName } = claims;
    const subject =
      environment !== null
        ? `environment:${environment}`
        : eventName === "pull_request"
          ? "pull_request"
          : `ref:${ref}`;
    this.allowIdTokens({
      requestToken,
      issued: this.idTokens,
      claims: {
        iss: "https://token.actions.githubusercontent.com",
        sub: `repo:${repository}:${subject}`,
        repository,
        ref,
        sha,
        ...(environment === null ? {} : { environment }),
        workflow_ref: workflowRef,
        job_workflow_ref: jobWorkflowRef,
        run_id: String(runId),
        actor,
        event_name: eventName,
      },
    });
    return {
      url: `${origin}/oidc/token?api-version=2.0`,
      requestToken,
      revoke: () => {
        this.#oidc.delete(requestToken);
      },
    };
  }

  /** The answer to a request for an id token; null for any other path. */
  idToken(method: string, url: URL, authorization: string | null): { status: number; body: unknown } | null {
    const state = this.#oidc.get((authorization ?? "").replace(/^bearer /i, ""));
    return idToken(state ?? { requestToken: randomBytes(8).toString("hex"), issued: {} }, method, url, authorization);
  }

  /** GitHub's rate-limit headers for a token. */
  rate(caller: Caller, now: Date): { remaining: number; headers: Record<string, string> } {
    const key = caller.kind === "anonymous" ? "" : caller.token;
    const limit = caller.kind === "job" ? 1000 : caller.kind === "person" ? 5000 : 60;
    const seconds = Math.floor(now.getTime() / 1000);
    const held = this.#used.get(key);
    const used = held === undefined || held.resetAt <= seconds ? { requests: 0, resetAt: seconds + 3600 } : held;
    used.requests += 1;
    this.#used.set(key, used);
    const remaining = Math.max(0, limit - used.requests);
    return {
      remaining: limit - used.requests,
      headers: {
        "x-ratelimit-limit": String(limit),
        "x-ratelimit-remaining": String(remaining),
        "x-ratelimit-used": String(used.requests),
        "x-ratelimit-reset": String(used.resetAt),
        "x-ratelimit-resource": "core",
      },
    };
  }
}
