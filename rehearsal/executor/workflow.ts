import { registerHooks } from "node:module";
import { parse } from "yaml";

// GitHub's parser imports its schema as JSON without the import attribute that Node requires.
registerHooks({
  load: (url, context, next) =>
    next(
      url,
      url.endsWith(".json") ? { ...context, importAttributes: { ...context.importAttributes, type: "json" } } : context,
    ),
});
const { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } = await import("@actions/workflow-parser");

/** A step as written in the YAML. */
export type Step = {
  id?: string;
  name?: string;
  if?: unknown;
  uses?: string;
  run?: string;
  shell?: string;
  "working-directory"?: string;
  with?: Record<string, unknown>;
  env?: unknown;
  "continue-on-error"?: unknown;
  "timeout-minutes"?: unknown;
};
export type PermissionsText = string | Record<string, string> | null;
export type Job = {
  name?: string;
  needs?: string | string[];
  if?: unknown;
  "runs-on"?: unknown;
  env?: unknown;
  outputs?: Record<string, string>;
  steps?: Step[];
  strategy?: { matrix?: unknown; "fail-fast"?: unknown; "max-parallel"?: unknown };
  permissions?: PermissionsText;
  concurrency?: unknown;
  environment?: unknown;
  "timeout-minutes"?: unknown;
  "continue-on-error"?: unknown;
  defaults?: { run?: Record<string, unknown> };
  container?: unknown;
  services?: unknown;
  snapshot?: unknown;
  uses?: string;
  with?: Record<string, unknown>;
  secrets?: "inherit" | Record<string, string>;
};
export type InputDefinition = { type?: string; required?: boolean; default?: unknown; options?: string[] };
export type Filters = Partial<
  Record<
    "branches" | "branches-ignore" | "tags" | "tags-ignore" | "paths" | "paths-ignore" | "types" | "workflows",
    string[]
  >
> & {
  inputs?: Record<string, InputDefinition> | null;
  secrets?: Record<string, { required?: boolean } | null> | null;
  outputs?: Record<string, { value: string }> | null;
};
export type Workflow = {
  name?: string;
  "run-name"?: string;
  env?: unknown;
  permissions?: PermissionsText;
  concurrency?: unknown;
  defaults?: { run?: Record<string, unknown> };
  jobs: Record<string, Job>;
  /** Filters by event, for any form of `on`. */
  events: Record<string, Filters>;
};
/** A parsed file. `errors` have GitHub's words; `workflow` contains what could be read. */
export type WorkflowFile = { name: string; workflow: Workflow; errors: readonly string[] };

const list = (value: unknown): string[] | undefined =>
  value === undefined || value === null ? undefined : Array.isArray(value) ? value.map(String) : [String(value)];

function eventsOf(on: unknown): Record<string, Filters> {
  if (typeof on === "string") return { [on]: {} };
  if (Array.isArray(on)) return Object.fromEntries(on.map((name) => [String(name), {}]));
  if (typeof on !== "object" || on === null) return {};
  return Object.fromEntries(
    Object.entries(on as Record<string, Record<string, unknown> | null>).map(([name, filters]) => [
      name,
      Object.fromEntries(
        Object.entries(filters ?? {}).map(([key, value]) => [
          key,
          ["inputs", "secrets", "outputs"].includes(key) ? value : list(value),
        ]),
      ) as Filters,
    ]),
  );
}

/** Reads a workflow with GitHub's own parser (schema, contexts allowed at each place, expressions, needs). */
export async function readWorkflow(name: string, content: string): Promise<WorkflowFile> {
  const parsed = parseWorkflow({ name, content }, new NoOperationTraceWriter());
  if (parsed.value !== undefined) await convertWorkflowTemplate(parsed.context, parsed.value);
  // One broken line of YAML causes many errors; the first ones are enough.
  const errors = parsed.context.errors
    .getErrors()
    .slice(0, 3)
    .map((one) => one.message);
  let raw: Record<string, unknown> = {};
  try {
    raw = (parse(content, { merge: true }) ?? {}) as Record<string, unknown>;
  } catch (error) {
    if (errors.length === 0) errors.push(error instanceof Error ? error.message : String(error));
  }
  const workflow = {
    ...raw,
    jobs: (raw["jobs"] ?? {}) as Record<string, Job>,
    events: eventsOf(raw["on"]),
  } as Workflow;
  return { name, workflow, errors };
}

export const needsOf = (job: Job): string[] => list(job.needs) ?? [];
