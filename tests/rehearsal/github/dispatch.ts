import { parse } from "yaml";
import type { RunRecord } from "../contract.ts";
import type { Git } from "./git.ts";
import { notFound, Refusal, type Json, type Repository, userOf, type World } from "./world.ts";

type Input = { required?: boolean; default?: unknown; type?: string; options?: string[] };

/** A workflow of the repository as its file says; null where there is none. */
export async function workflowIn(git: Git, commit: string, file: string): Promise<{ name: string; on: unknown } | null> {
  const sha = await git.resolve(`${commit}:.github/workflows/${file}`);
  if (sha === null) return null;
  const { name, on } = (parse((await git.blob(sha)).toString()) ?? {}) as { name?: string; on?: unknown };
  return { name: name ?? `.github/workflows/${file}`, on };
}

/**
 * Starts a workflow by hand.
 * @throws Refusal in GitHub's words for an unknown workflow, ref or input
 */
export async function dispatch(world: World, repository: Repository, { file, ref, inputs, by }: { file: string; ref: string; inputs: Record<string, unknown>; by: string }): Promise<RunRecord> {
  const { git } = repository;
  const home = await git.commitOf(repository.defaultBranch);
  if (home === null || (await workflowIn(git, home, file)) === null) throw notFound();
  const fullRef = ref.startsWith("refs/") ? ref : (await git.resolve(`refs/heads/${ref}`)) !== null ? `refs/heads/${ref}` : `refs/tags/${ref}`;
  const sha = await git.commitOf(fullRef);
  if (sha === null) throw new Refusal(422, `No ref found for: ${ref}`);
  const workflow = await workflowIn(git, sha, file);
  const on = workflow?.on;
  const listens = on === "workflow_dispatch" || (Array.isArray(on) && on.includes("workflow_dispatch")) || (typeof on === "object" && on !== null && "workflow_dispatch" in on);
  if (workflow === null || !listens) throw new Refusal(422, "Workflow does not have 'workflow_dispatch' trigger");
  const declared = ((on as { workflow_dispatch?: { inputs?: Record<string, Input> } | null }).workflow_dispatch?.inputs ?? {}) as Record<string, Input>;
  const given = checked(declared, inputs);
  if (world.executor === null) throw new Refusal(500, "No executor is attached");
  const branch = fullRef.replace(/^refs\/(heads|tags)\//, "");
  const [run] = await world.executor.trigger({
    name: "workflow_dispatch", repository: repository.fullName, sha, ref: fullRef, headSha: sha, headBranch: branch, headRepository: { id: repository.resource.id, fullName: repository.fullName, fork: false }, actor: by, workflowFile: file, inputs: given,
    payload: { inputs: given, ref: fullRef, workflow: `.github/workflows/${file}`, repository: repository.resource, sender: userOf(world, by) },
  });
  if (run === undefined) throw new Error(`the executor started nothing for a dispatch of ${file}`);
  return run;
}

/** Inputs as the workflow receives them: every one declared, as text, defaults filled in. */
function checked(declared: Record<string, Input>, inputs: Record<string, unknown>): Record<string, string> {
  const unexpected = Object.keys(inputs).filter((name) => !(name in declared));
  if (unexpected.length > 0) throw new Refusal(422, `Unexpected inputs provided: ${JSON.stringify(unexpected)}`);
  return Object.fromEntries(Object.entries(declared).map(([name, { required = false, default: value, type = "string", options = [] }]) => {
    const text = String(inputs[name] ?? value ?? (type === "boolean" ? "false" : ""));
    if (required && (inputs[name] ?? value) === undefined) throw new Refusal(422, `Required input '${name}' not provided`);
    if (type === "choice" && !options.includes(text)) throw new Refusal(422, `Provided value '${text}' for input '${name}' not in the list of allowed values`);
    if (type === "boolean" && !/^(true|false)$/.test(text)) throw new Refusal(422, `Provided value '${text}' for input '${name}' is not a boolean`);
    if (type === "number" && Number.isNaN(Number(text))) throw new Refusal(422, `Provided value '${text}' for input '${name}' is not a number`);
    return [name, text];
  }));
}

/** The workflow as GitHub describes it. */
export function workflowAnswer({ origin }: World, repository: Repository, { id, file, name }: { id: number; file: string; name: string }): Json {
  const path = `.github/workflows/${file}`;
  const at = String(repository.resource["created_at"]);
  return { id, node_id: `W_${id}`, name, path, state: "active", created_at: at, updated_at: at, url: `${origin}/repos/${repository.fullName}/actions/workflows/${id}`, html_url: `${origin}/${repository.fullName}/blob/${repository.defaultBranch}/${path}`, badge_url: `${origin}/${repository.fullName}/workflows/${file}/badge.svg` };
}
