import { parse } from "yaml";
import type { RunRecord } from "../executor/platform.ts";
import { DispatchRefused } from "../executor/triggers.ts";
import type { GitStore } from "./git.ts";
import { notFound, Refusal, type Json, type Repository, userOf, type World } from "./world.ts";

/** A workflow's name; null if there is no such file. */
export async function nameOf(git: GitStore, commit: string, file: string): Promise<string | null> {
  const sha = await git.resolve(`${commit}:.github/workflows/${file}`);
  if (sha === null) return null;
  const { name } = (parse((await git.blob(sha)).toString()) ?? {}) as { name?: string };
  return name ?? `.github/workflows/${file}`;
}

/**
 * Starts a workflow by hand.
 * @throws Refusal in GitHub's words for an unknown workflow, ref or input
 */
export async function dispatch(
  world: World,
  repository: Repository,
  { file, ref, inputs, by }: { file: string; ref: string; inputs: Record<string, unknown>; by: string },
): Promise<RunRecord> {
  const { git } = repository;
  const home = await git.commitOf(repository.defaultBranch);
  if (home === null || (await nameOf(git, home, file)) === null) throw notFound();
  const fullRef = ref.startsWith("refs/")
    ? ref
    : (await git.resolve(`refs/heads/${ref}`)) !== null
      ? `refs/heads/${ref}`
      : `refs/tags/${ref}`;
  const sha = await git.commitOf(fullRef);
  if (sha === null) throw new Refusal(422, `No ref found for: ${ref}`);
  const given = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, String(value)]));
  if (world.executor === null) throw new Refusal(500, "No executor is attached");
  const branch = fullRef.replace(/^refs\/(heads|tags)\//, "");
  // The executor checks the inputs: it reads the workflow.
  const [run] = await world.executor
    .trigger({
      name: "workflow_dispatch",
      repository: repository.fullName,
      sha,
      ref: fullRef,
      headSha: sha,
      headBranch: branch,
      headRepository: { id: repository.resource.id, fullName: repository.fullName, fork: false },
      actor: by,
      workflowFile: file,
      inputs: given,
      payload: {
        inputs: given,
        ref: fullRef,
        workflow: `.github/workflows/${file}`,
        repository: repository.resource,
        sender: userOf(world, by),
      },
    })
    .catch((error: unknown): never => {
      throw error instanceof DispatchRefused ? new Refusal(error.status, error.message) : error;
    });
  if (run === undefined) throw new Error(`the executor started nothing for a dispatch of ${file}`);
  return run;
}

/** Starts the workflows of the default branch that listen to an event of the caller's own. A job's token may do it, too. */
export async function raiseRepositoryDispatch(
  world: World,
  repository: Repository,
  { type, payload, by }: { type: string; payload: Json; by: string },
): Promise<void> {
  if (type === "" || type.length > 100) throw new Refusal(422, 'Invalid request.\n\n"event_type" wasn\'t supplied.');
  if (Object.keys(payload).length > 10)
    throw new Refusal(422, "No more than 10 properties are allowed; 11 were supplied.");
  const sha = await repository.git.commitOf(repository.defaultBranch);
  if (sha === null || world.executor === null) return;
  await world.executor.trigger({
    name: "repository_dispatch",
    repository: repository.fullName,
    sha,
    ref: `refs/heads/${repository.defaultBranch}`,
    headSha: sha,
    headBranch: repository.defaultBranch,
    headRepository: { id: repository.resource.id, fullName: repository.fullName, fork: false },
    actor: by,
    payload: {
      action: type,
      branch: repository.defaultBranch,
      client_payload: payload,
      repository: repository.resource,
      sender: userOf(world, by),
    },
  });
}

/** A workflow in GitHub's format. */
export function workflowAnswer(
  { origin }: World,
  repository: Repository,
  { id, file, name }: { id: number; file: string; name: string },
): Json {
  const path = `.github/workflows/${file}`;
  const at = String(repository.resource["created_at"]);
  return {
    id,
    node_id: `W_${id}`,
    name,
    path,
    state: "active",
    created_at: at,
    updated_at: at,
    url: `${origin}/repos/${repository.fullName}/actions/workflows/${id}`,
    html_url: `${origin}/${repository.fullName}/blob/${repository.defaultBranch}/${path}`,
    badge_url: `${origin}/${repository.fullName}/workflows/${file}/badge.svg`,
  };
}
