import { createClient } from "../../github/client.ts";
import { type RepositoryApi } from "../../github/api.ts";
import {
  addDeploymentStatus,
  deploymentStatuses,
  listDeployments,
  maxDescriptionLength,
  type Deployment,
  type DeploymentFilter,
  type WritableState,
} from "../../github/deployments.ts";
import {
  createRef,
  createTagObject,
  deleteRef,
  findRef,
  matchingRefs,
  moveRef,
  readTagObject,
  type Ref,
  type TagObject,
} from "../../github/refs.ts";
import type { Repository } from "../../github/runner.ts";
import { NoAnswer, type Http } from "../hub/http.ts";

export type StatusWanted = {
  state: Extract<WritableState, "in_progress" | "success" | "failure" | "error" | "inactive">;
  description: string;
  environmentUrl: string | null;
  logUrl: string | null;
};

/**
 * A deployment's requests to GitHub: refs, annotated tags, Deployments and their statuses. They use the time limits,
 * retries and cancellation of the deployment's own Http. A request that must not happen twice is sent once; before it
 * is sent again, its effect is looked for.
 *
 * Every method throws HttpRefusal if GitHub refuses, and NoAnswer if the outcome is unknown.
 */
export class GitHubRecords {
  readonly #http: Http;
  readonly #once: RepositoryApi;
  readonly #repeatable: RepositoryApi;

  constructor(http: Http, apiUrl: string, repository: Repository, token: string) {
    this.#http = http;
    const api = (repeatable: boolean): RepositoryApi => ({
      octokit: createClient({
        token,
        apiUrl,
        userAgent: "sluice-deploy",
        fetch: fetchThrough(http, repeatable),
        log: () => {},
        limits: null,
      }),
      owner: repository.owner,
      repo: repository.repo,
    });
    this.#once = api(false);
    this.#repeatable = api(true);
  }

  /** Waits, so that a pending request can take effect before its effect is looked for. */
  pause(attempt: number): Promise<void> {
    return this.#http.pause(attempt);
  }

  ref(name: string): Promise<Ref | null> {
    return asked(findRef(this.#repeatable, name));
  }

  /** The same for a ref whose absence decides something: it is looked for in two ways before it counts as absent. */
  async confirmedRef(name: string): Promise<Ref | null> {
    const found = await this.ref(name);
    if (found !== null) return found;
    await this.pause(0);
    return (await this.refs(name)).find(({ ref }) => ref === name) ?? null;
  }

  refs(prefix: string): Promise<Ref[]> {
    return asked(matchingRefs(this.#repeatable, prefix));
  }

  createRef(name: string, sha: string): Promise<boolean> {
    return asked(createRef(this.#once, name, sha));
  }

  /** Moves a ref, wherever it was: of two, the later one counts. */
  moveRef(name: string, sha: string): Promise<void> {
    return asked(moveRef(this.#repeatable, name, sha));
  }

  deleteRef(name: string): Promise<boolean> {
    return asked(deleteRef(this.#repeatable, name));
  }

  createTagObject(tag: string, message: string, commit: string): Promise<string> {
    return asked(createTagObject(this.#repeatable, { tag, message, commit }));
  }

  tagObject(sha: string): Promise<TagObject> {
    return asked(readTagObject(this.#repeatable, sha));
  }

  /** Newest first. An empty first page is asked for again before it is believed. @param count at most 100 */
  async deployments(filter: DeploymentFilter, count: number, page = 1): Promise<Deployment[]> {
    const list = () => asked(listDeployments(this.#repeatable, filter, count, page));
    const found = await list();
    if (found.length > 0 || page > 1) return found;
    await this.pause(0);
    return list();
  }

  async createDeployment(wanted: {
    ref: string;
    environment: string;
    task: string;
    description: string;
    payload: Record<string, unknown>;
    production: boolean;
  }): Promise<number> {
    const { production, ...rest } = wanted;
    const { octokit, owner, repo } = this.#once;
    const { data } = await asked(
      octokit.rest.repos.createDeployment({
        owner,
        repo,
        ...rest,
        auto_merge: false,
        required_contexts: [],
        production_environment: production,
        transient_environment: false,
      }),
    );
    return (data as { id: number }).id;
  }

  /** Newest first. */
  async states(deployment: number): Promise<string[]> {
    return (await asked(deploymentStatuses(this.#repeatable, deployment, 30))).map(({ state }) => state);
  }

  /** A second, equal status changes nothing, so the request may be repeated. */
  addStatus(deployment: number, { state, description, environmentUrl, logUrl }: StatusWanted): Promise<void> {
    return asked(
      addDeploymentStatus(this.#repeatable, deployment, {
        state,
        description:
          description.length <= maxDescriptionLength
            ? description
            : `${description.slice(0, maxDescriptionLength - 1)}…`,
        environmentUrl: environmentUrl ?? "",
        logUrl: logUrl ?? "",
        replacesEarlier: true,
      }),
    );
  }
}

/** Sends Octokit's requests through a deployment's Http. An answer that is not JSON counts as no answer. */
function fetchThrough(http: Http, repeatable: boolean): typeof fetch {
  return async (url, init) => {
    const method = init?.method as "GET" | "POST" | "DELETE";
    const { status, headers, bytes } = await http.call({
      method,
      url: String(url),
      repeatable,
      // The 404 of a ref that does not exist is an ordinary answer.
      confirm: method === "GET" && !/\/git\/ref\//.test(String(url)),
      headers: init?.headers as Record<string, string>,
      ...(init?.body == null ? {} : { body: init.body as string }),
    });
    if (status === 204) return new Response(null, { status });
    try {
      JSON.parse(bytes.toString("utf8"));
    } catch (error) {
      throw new NoAnswer(`${method} ${new URL(String(url)).pathname}: the answer is not JSON`, { cause: error });
    }
    return new Response(bytes as Uint8Array<ArrayBuffer>, {
      status,
      headers: { ...Object.fromEntries(headers), "content-type": "application/json" },
    });
  };
}

/** Unwraps the transport's error, which Octokit wraps in one of its own. */
async function asked<T>(asking: Promise<T>): Promise<T> {
  try {
    return await asking;
  } catch (error) {
    throw error instanceof Error && error.name === "HttpError" && error.cause instanceof Error ? error.cause : error;
  }
}
