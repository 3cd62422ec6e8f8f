import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { repositoryRoot } from "../actions/gate/runner.ts";
import type { Callable, Workflow } from "./workflow.ts";

type Named = Record<string, { required?: boolean; default?: unknown } | null>;
const rank = ["none", "read", "write"];

/** One of our actions or reusable workflows by its path in the repository; null if there is none. */
export function ownCallable(path: string): Callable | null {
  if (path.startsWith("actions/")) {
    const file = join(repositoryRoot, path, "action.yml");
    if (!existsSync(file)) return null;
    const { inputs = {} } = parse(readFileSync(file, "utf8")) as { inputs?: Named };
    return { inputs: Object.keys(inputs), required: [], secrets: [], permissions: {} };
  }
  const file = join(repositoryRoot, path);
  if (!/^\.github\/workflows\/[\w-]+\.yml$/.test(path) || !existsSync(file)) return null;
  const workflow = parse(readFileSync(file, "utf8")) as Workflow & {
    on: { workflow_call?: { inputs?: Named; secrets?: Named } | null };
  };
  if (!("workflow_call" in workflow.on)) return null;
  const { inputs = {}, secrets = {} } = workflow.on.workflow_call ?? {};
  return {
    inputs: Object.keys(inputs),
    required: Object.keys(inputs).filter((name) => inputs[name]?.required === true),
    secrets: Object.keys(secrets),
    permissions: neededBy(workflow),
  };
}

/**
 * The highest permissions that any job requests. GitHub does not start a called workflow that requests more than its
 * caller grants.
 */
function neededBy({ jobs = {} }: Workflow): Record<string, string> {
  const most: Record<string, string> = {};
  for (const { permissions } of Object.values(jobs)) {
    for (const [name, access] of Object.entries(
      typeof permissions === "object" && permissions !== null ? permissions : {},
    )) {
      if (rank.indexOf(access) > rank.indexOf(most[name] ?? "none")) most[name] = access;
    }
  }
  return most;
}

export function grants(granted: string | undefined, wanted: string): boolean {
  return rank.indexOf(granted ?? "none") >= rank.indexOf(wanted);
}
