/** The parts of a workflow that the rules read. Everything is optional, because the checked workflow may be wrong. */
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

/** The inputs of one of our actions or reusable workflows, and the permissions that its jobs request. */
export type Callable = {
  inputs: readonly string[];
  required: readonly string[];
  secrets: readonly string[];
  permissions: Readonly<Record<string, string>>;
};

/** The names of the events in `on:`, in any of its forms. */
export function eventsOf(on: unknown): string[] {
  if (typeof on === "string") return [on];
  if (Array.isArray(on)) return on.map(String);
  return typeof on === "object" && on !== null ? Object.keys(on) : [];
}
