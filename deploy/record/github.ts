import type { Repository } from "../../actions/gate/github.ts";
import { HttpRefusal, type Http } from "../hub/http.ts";

/** A Deployment as GitHub keeps it; `payload` is ours. */
export type DeploymentRow = {
  id: number;
  sha: string;
  ref: string;
  environment: string;
  task: string;
  payload: unknown;
  creator: string;
  createdAt: string;
};
export type StatusRow = {
  state: string;
  description: string;
  createdAt: string;
  environmentUrl: string;
  creator: string;
};
export type StatusWanted = {
  state: "in_progress" | "success" | "failure" | "error";
  description: string;
  environmentUrl: string | null;
  logUrl: string | null;
};

/**
 * The calls that a deployment makes to GitHub: refs, annotated tags, Deployments and their statuses. Plain REST with
 * the same bounded retries as the Hub's; whatever must not happen twice is sent once and looked for before it is sent
 * again.
 */
export class GitHubRecords {
  readonly #http: Http;
  readonly #base: string;
  readonly #token: () => Promise<string | null>;

  constructor(http: Http, apiUrl: string, { owner, repo }: Repository, token: string) {
    this.#http = http;
    this.#base = `${apiUrl.replace(/\/+$/, "")}/repos/${owner}/${repo}`;
    this.#token = () => Promise.resolve(token);
  }

  /** Lets what is under way land before it is looked for. */
  pause(attempt: number): Promise<void> {
    return this.#http.pause(attempt);
  }

  /** What a fully qualified ref points at; null when there is none. */
  async ref(name: string): Promise<{ sha: string; type: string } | null> {
    try {
      const { object } = await this.#send<{ object: { sha: string; type: string } }>(
        "GET",
        `/git/ref/${encodeURIComponent(name.replace(/^refs\//, ""))}`,
      );
      return object;
    } catch (error) {
      if (error instanceof HttpRefusal && error.status === 404) return null;
      throw error;
    }
  }

  /** Refs whose names begin so. */
  async refs(prefix: string): Promise<{ ref: string; sha: string; type: string }[]> {
    const found = await this.#send<{ ref: string; object: { sha: string; type: string } }[]>(
      "GET",
      `/git/matching-refs/${encodeURIComponent(prefix.replace(/^refs\//, ""))}`,
    );
    return found.map(({ ref, object }) => ({ ref, sha: object.sha, type: object.type }));
  }

  /** Creates a ref, which is atomic: false when it is there already. */
  async createRef(name: string, sha: string): Promise<boolean> {
    try {
      await this.#send("POST", "/git/refs", { ref: name, sha });
      return true;
    } catch (error) {
      if (error instanceof HttpRefusal && error.status === 422 && /already exists/i.test(error.message)) return false;
      throw error;
    }
  }

  /** False when there was none. */
  async deleteRef(name: string): Promise<boolean> {
    try {
      await this.#http.call({
        method: "DELETE",
        url: `${this.#base}/git/refs/${encodeURIComponent(name.replace(/^refs\//, ""))}`,
        headers,
        repeatable: true,
        token: this.#token,
      });
      return true;
    } catch (error) {
      if (error instanceof HttpRefusal && (error.status === 404 || error.status === 422)) return false;
      throw error;
    }
  }

  /** An annotated tag's object; no ref points at it yet, so that making it twice does no harm. */
  async createTagObject(tag: string, message: string, commit: string): Promise<string> {
    return (
      await this.#send<{ sha: string }>("POST", "/git/tags", { tag, message, object: commit, type: "commit" }, true)
    ).sha;
  }

  async tagObject(sha: string): Promise<{ message: string; tagger: string; date: string; commit: string }> {
    const { message, tagger, object } = await this.#send<{
      message: string;
      tagger: { name: string; date: string };
      object: { sha: string };
    }>("GET", `/git/tags/${sha}`);
    return { message, tagger: tagger.name, date: tagger.date, commit: object.sha };
  }

  /** Newest first; at most `most`. */
  async deployments(filter: { environment?: string; task: string }, most = 100): Promise<DeploymentRow[]> {
    const query = new URLSearchParams({ ...filter, per_page: String(Math.min(100, most)) });
    const rows = await this.#send<
      {
        id: number;
        sha: string;
        ref: string;
        environment: string;
        task: string;
        payload: unknown;
        creator: { login: string } | null;
        created_at: string;
      }[]
    >("GET", `/deployments?${query}`);
    return rows.map(({ id, sha, ref, environment, task, payload, creator, created_at: createdAt }) => ({
      id,
      sha,
      ref,
      environment,
      task,
      payload: typeof payload === "string" ? parsed(payload) : payload,
      creator: creator?.login ?? "unknown",
      createdAt,
    }));
  }

  async createDeployment(wanted: {
    ref: string;
    environment: string;
    task: string;
    description: string;
    payload: object;
    production: boolean;
  }): Promise<number> {
    const { production, ...rest } = wanted;
    const made = await this.#send<{ id: number }>("POST", "/deployments", {
      ...rest,
      auto_merge: false,
      required_contexts: [],
      production_environment: production,
      transient_environment: false,
    });
    return made.id;
  }

  /** Newest first. */
  async statuses(deployment: number): Promise<StatusRow[]> {
    const rows = await this.#send<
      {
        state: string;
        description: string;
        created_at: string;
        environment_url?: string;
        creator: { login: string } | null;
      }[]
    >("GET", `/deployments/${deployment}/statuses?per_page=30`);
    return rows.map(({ state, description, created_at: createdAt, environment_url: environmentUrl, creator }) => ({
      state,
      description,
      createdAt,
      environmentUrl: environmentUrl ?? "",
      creator: creator?.login ?? "unknown",
    }));
  }

  /** Saying it twice says the same: may be repeated. */
  async addStatus(deployment: number, { state, description, environmentUrl, logUrl }: StatusWanted): Promise<void> {
    await this.#send(
      "POST",
      `/deployments/${deployment}/statuses`,
      {
        state,
        description: description.length <= 140 ? description : `${description.slice(0, 139)}…`,
        ...(environmentUrl === null ? {} : { environment_url: environmentUrl }),
        ...(logUrl === null ? {} : { log_url: logUrl }),
      },
      true,
    );
  }

  #send<T>(method: "GET" | "POST", path: string, body?: object, repeatable = method === "GET"): Promise<T> {
    return this.#http.json<T>({
      method,
      url: `${this.#base}${path}`,
      repeatable,
      token: this.#token,
      headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }
}

const headers = { accept: "application/vnd.github+json", "x-github-api-version": "2022-11-28" };

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
