import { z } from "zod";
import { HttpRefusal } from "./http.ts";
import { HubRepository, type RepositoryDeps } from "./repository.ts";

const runtimeSchema = z.object({
  stage: z.string(),
  sha: z.string().nullish(),
  errorMessage: z.string().nullish(),
  domains: z.array(z.object({ domain: z.string(), stage: z.string().nullish() })).nullish(),
});
/** GET /api/spaces/NS/NAME/runtime. `sha` is null during the first build. */
export type Runtime = { stage: string; sha: string | null; errorMessage: string | null; domain: string | null };

/** A Space: a repository on the Hub, and the app that runs from it. */
export class Space extends HubRepository {
  constructor(deps: RepositoryDeps) {
    super("space", deps);
  }

  async runtime(): Promise<Runtime> {
    const { stage, sha, errorMessage, domains } = await this.get(`${this.api}/runtime`, runtimeSchema);
    return { stage, sha: sha ?? null, errorMessage: errorMessage ?? null, domain: domainOf(domains ?? []) };
  }

  /** The names of the Space's secrets; null if this token may not list them. */
  async secretNames(): Promise<string[] | null> {
    try {
      return Object.keys(await this.get(`${this.api}/secrets`, z.record(z.string(), z.unknown())));
    } catch (error) {
      if (error instanceof HttpRefusal && (error.status === 401 || error.status === 403)) return null;
      throw error;
    }
  }

  /** Restarts the Space. `factory` rebuilds the image without its cache. Not every token is allowed to. */
  async restart(factory: boolean): Promise<void> {
    await this.deps.http.call({
      method: "POST",
      url: `${this.api}/restart${factory ? "?factory=true" : ""}`,
      repeatable: false,
      token: this.token,
    });
  }

  /** URL of the log of the build or of the running app, as server-sent events. */
  logUrl(kind: "build" | "run"): string {
    return `${this.api}/logs/${kind}`;
  }
}

/** The address that works: a custom domain may still be pending. */
function domainOf(domains: readonly { domain: string; stage?: string | null | undefined }[]): string | null {
  return (domains.find(({ stage }) => stage === "READY") ?? domains[0])?.domain ?? null;
}
