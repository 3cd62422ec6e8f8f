import type { TriggerEvent } from "./platform.ts";
import type { Json } from "./expressions.ts";
import { matchesFilters } from "./globs.ts";
import type { Filters, InputDefinition, Workflow } from "./workflow.ts";

/** A dispatch that GitHub would refuse, with the HTTP status and message of its answer. */
export class DispatchRefused extends Error {
  override readonly name = "DispatchRefused";
  readonly status: 404 | 422;
  constructor(status: 404 | 422, message: string) {
    super(message);
    this.status = status;
  }
}

const defaultTypes: Readonly<Record<string, readonly string[]>> = {
  pull_request: ["opened", "synchronize", "reopened"],
  merge_group: ["checks_requested"],
  workflow_run: ["requested", "in_progress", "completed"],
};

const passes = (
  wanted: readonly string[] | undefined,
  unwanted: readonly string[] | undefined,
  name: string,
): boolean =>
  (wanted === undefined || matchesFilters(wanted, name)) && (unwanted === undefined || !matchesFilters(unwanted, name));

function branchPasses(filters: Filters, event: TriggerEvent): boolean {
  if (event.name === "push") {
    const tag = event.ref.startsWith("refs/tags/");
    const name = event.ref.replace(/^refs\/(heads|tags)\//, "");
    const branches = filters.branches ?? filters["branches-ignore"];
    const tags = filters.tags ?? filters["tags-ignore"];
    // If there is a filter for only one of branches and tags, the other kind does not trigger.
    if (tag) return tags === undefined ? branches === undefined : passes(filters.tags, filters["tags-ignore"], name);
    return branches === undefined ? tags === undefined : passes(filters.branches, filters["branches-ignore"], name);
  }
  const branch =
    event.name === "workflow_run"
      ? String((event.payload["workflow_run"] as { head_branch?: string } | undefined)?.head_branch ?? "")
      : (event.baseRef ?? "").replace("refs/heads/", "");
  return event.name === "workflow_dispatch" || passes(filters.branches, filters["branches-ignore"], branch);
}

/** Whether the event starts the workflow. `changedPaths` is called only if the workflow filters by paths. */
export async function listens(
  workflow: Workflow,
  event: TriggerEvent,
  changedPaths: () => Promise<readonly string[]>,
): Promise<boolean> {
  const filters = workflow.events[event.name];
  if (filters === undefined) return false;
  const types = filters.types ?? defaultTypes[event.name];
  const action = event.payload["action"];
  if (types !== undefined && typeof action === "string" && !types.includes(action)) return false;
  if (event.name === "workflow_run") {
    const of = (event.payload["workflow_run"] as { name?: string } | undefined)?.name ?? "";
    if (filters.workflows !== undefined && !matchesFilters(filters.workflows, of)) return false;
  }
  if (!branchPasses(filters, event)) return false;
  if ((filters.paths === undefined && filters["paths-ignore"] === undefined) || event.ref.startsWith("refs/tags/"))
    return true;
  const changed = await changedPaths();
  if (filters.paths !== undefined) return changed.some((path) => matchesFilters(filters.paths as string[], path));
  return changed.some((path) => !matchesFilters(filters["paths-ignore"] as string[], path));
}

const empty: Readonly<Record<string, Json>> = { boolean: false, number: 0 };

function typed(name: string, definition: InputDefinition, value: unknown): Json {
  const type = definition.type ?? "string";
  if (type === "boolean") {
    if (value === true || value === "true") return true;
    if (value === false || value === "false") return false;
    throw new DispatchRefused(
      422,
      `Provided value '${String(value)}' for input '${name}' not in the list of allowed values: true, false`,
    );
  }
  if (type === "number") {
    if (value === "" || Number.isNaN(Number(value)))
      throw new DispatchRefused(422, `Provided value '${String(value)}' for input '${name}' is not a number`);
    return Number(value);
  }
  if (type === "choice" && !(definition.options ?? []).includes(String(value)))
    throw new DispatchRefused(
      422,
      `Provided value '${String(value)}' for input '${name}' not in the list of allowed values`,
    );
  return String(value);
}

/** The values of `inputs` of a dispatch or call: given values, otherwise defaults, otherwise the type's empty value. */
export function inputsOf(
  definitions: Readonly<Record<string, InputDefinition | null>> | null | undefined,
  given: Readonly<Record<string, unknown>>,
): Record<string, Json> {
  const known = definitions ?? {};
  const unexpected = Object.keys(given).filter((name) => !(name in known));
  if (unexpected.length > 0)
    throw new DispatchRefused(422, `Unexpected inputs provided: ${JSON.stringify(unexpected)}`);
  return Object.fromEntries(
    Object.entries(known).map(([name, one]) => {
      const definition = one ?? {};
      const value = given[name] ?? definition.default;
      if (definition.required === true && (value === undefined || value === ""))
        throw new DispatchRefused(422, `Required input '${name}' not provided`);
      return [name, value === undefined ? (empty[definition.type ?? ""] ?? "") : typed(name, definition, value)];
    }),
  );
}
