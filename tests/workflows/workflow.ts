/** As much of a workflow as the rules look at; everything may be missing, for what is checked may be wrong. */
export type Step = {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
  name?: string;
  id?: string;
  if?: string;
  "continue-on-error"?: unknown;
};
type Permissions = string | Record<string, string> | null | undefined;
export type Job = {
  "timeout-minutes"?: unknown;
  permissions?: Permissions;
  steps?: Step[];
  uses?: string;
  if?: string;
  needs?: string | string[];
  environment?: unknown;
  concurrency?: unknown;
  with?: Record<string, unknown>;
  secrets?: unknown;
};
export type Workflow = { on?: unknown; permissions?: Permissions; concurrency?: unknown; jobs?: Record<string, Job> };

/** What others may pass to one of our actions or reusable workflows, and what its jobs ask for. */
export type Callable = {
  inputs: readonly string[];
  required: readonly string[];
  secrets: readonly string[];
  permissions: Readonly<Record<string, string>>;
};

/** Names of the events of `on:` in any of its forms. */
export function eventsOf(on: unknown): string[] {
  if (typeof on === "string") return [on];
  if (Array.isArray(on)) return on.map(String);
  return typeof on === "object" && on !== null ? Object.keys(on) : [];
}
