import type { Repository, WorkflowRun } from "../github/runner.ts";
import type { CommitDeps } from "./hub/commit-once.ts";
import type { Credentials } from "./hub/credentials.ts";
import { Http, type HttpDeps } from "./hub/http.ts";
import { HubRepository } from "./hub/repository.ts";
import { Space } from "./hub/space.ts";
import { GitHubRecords } from "./record/github-records.ts";
import type { Settings } from "./hub/settings.ts";
import type { Timeline } from "./timeline.ts";

/** Everything that a deployment works with. `deps` are its access to network and clock. */
export type Context = {
  space: Space;
  /** The model repository for weights that are too large for the Space; null if they fit. */
  weights: HubRepository | null;
  /** For requests to the Hub and the Space. */
  http: Http;
  github: GitHubRecords | null;
  settings: Settings;
  /** `now` is for dates alone. Durations and deadlines are taken from `monotonic`. */
  deps: HttpDeps & { now: () => number };
  /** Words in the description of every commit that this deployment makes, and in no other. */
  mark: string;
  timeline: Timeline;
  /** http: for a Hub on loopback, https: for every other. */
  scheme: string;
  environment: string;
  /** The commit of the GitHub repository that the records point at. */
  commit: string | null;
  actor: string;
  reason: string;
  logUrl: string | null;
  run: WorkflowRun | null;
  /** The same context with another signal, for what must still happen after a cancellation. */
  withSignal: (signal: AbortSignal) => Context;
};

/** A cancelled step has 7.5 s before it is killed. Restoring the old tree must fit, so we allow 6 s. */
const lastChanceMs = 6000;

/** A context that still works after the job was cancelled, for a moment; the same one when it was not. */
export function uncancelled(context: Context): Context {
  return context.deps.signal.aborted ? context.withSignal(AbortSignal.timeout(lastChanceMs)) : context;
}

type ContextParts = Omit<Context, "space" | "weights" | "http" | "github" | "scheme" | "withSignal" | "deps"> & {
  deps: Omit<HttpDeps, "signal"> & { now: () => number };
  endpoint: string;
  spaceName: string;
  credentials: Credentials;
  weights: { name: string; credentials: Credentials } | null;
  github: { apiUrl: string; repository: Repository; token: string } | null;
};

/** How a deployment's commits are made, and how long it asks after one whose answer was lost. */
export function commitDeps({ deps, http, settings }: Context): CommitDeps {
  return {
    ...deps,
    http,
    retryMs: settings["retry-wait"],
    outageMs: settings["build-timeout"],
    settleMs: settings["settle-after"],
  };
}

export function createContext(parts: ContextParts, signal: AbortSignal): Context {
  const { endpoint, spaceName, credentials, weights, github, deps, ...rest } = parts;
  const all = { ...deps, signal };
  const http = new Http(parts.settings, all);
  return {
    ...rest,
    deps: all,
    http,
    space: new Space({ endpoint, name: spaceName, http, credentials, settings: parts.settings }),
    weights:
      weights === null ? null : new HubRepository("model", { endpoint, ...weights, http, settings: parts.settings }),
    // A separate client, because GitHub's rate limit is not the Hub's.
    github:
      github === null
        ? null
        : new GitHubRecords(new Http(parts.settings, all), github.apiUrl, github.repository, github.token),
    scheme: new URL(endpoint).protocol,
    withSignal: (other) => createContext(parts, other),
  };
}
