import type { RunRecord, TriggerEvent } from "../executor/platform.ts";
import type { CommitObject } from "./git.ts";
import { deliver } from "./hooks.ts";
import { pullAnswer } from "./pulls.ts";
import { runAnswer, workflowId } from "./run-answers.ts";
import { workflowAnswer } from "./dispatch.ts";
import { botLogin } from "./tokens.ts";
import { type Json, type Pull, type Repository, userOf, type World } from "./world.ts";

const nullSha = "0".repeat(40);

async function raise(world: World, event: TriggerEvent): Promise<void> {
  // Events caused by a job's own token start no workflow, except workflow_run.
  if (event.actor === botLogin && event.name !== "workflow_run") return;
  await world.executor?.trigger(event);
}

/**
 * Raises a push to a branch or tag: sends the webhook and starts the workflows that listen. In forks, workflows are
 * disabled.
 */
export async function raisePush(
  world: World,
  repository: Repository,
  { ref, before, after, by }: { ref: string; before: string; after: string; by: string },
): Promise<void> {
  const { git } = repository;
  const head = await git.commitOf(after);
  if (head === null) return;
  const shas = before === nullSha ? [head] : await git.commits(`${before}..${head}`, 20);
  const commits = await Promise.all(shas.map(async (sha) => pushedCommit(world, repository, await git.commit(sha))));
  const user = userOf(world, by);
  const payload: Json = {
    ref,
    before,
    after,
    base_ref: null,
    created: before === nullSha,
    deleted: false,
    forced: before !== nullSha && (await git.mergeBase(before, head)) !== before,
    compare: `${world.origin}/${repository.fullName}/compare/${before.slice(0, 12)}...${after.slice(0, 12)}`,
    commits,
    head_commit: commits.at(-1) ?? null,
    pusher: { name: by, email: `${by}@users.noreply.example.org` },
    repository: repository.resource,
    sender: user,
  };
  deliver(world, repository, "push", payload);
  if (repository.parent !== null) return;
  await raise(world, {
    name: "push",
    repository: repository.fullName,
    sha: head,
    ref,
    headSha: head,
    headBranch: ref.replace(/^refs\/(heads|tags)\//, ""),
    headRepository: { id: repository.resource.id, fullName: repository.fullName, fork: false },
    actor: by,
    payload,
  });
}

async function pushedCommit(
  world: World,
  repository: Repository,
  { sha, tree, parents, message, author, committer }: CommitObject,
): Promise<Json> {
  const files = parents[0] === undefined ? [] : await repository.git.changes(parents[0], sha);
  const named = (wanted: string) => files.filter(({ status }) => status === wanted).map(({ path }) => path);
  const person = ({ name, email, date }: CommitObject["author"]) => ({ name, email, date, username: name });
  return {
    id: sha,
    tree_id: tree,
    distinct: true,
    message,
    timestamp: author.date,
    url: `${world.origin}/${repository.fullName}/commit/${sha}`,
    author: person(author),
    committer: person(committer),
    added: named("added"),
    removed: named("removed"),
    modified: named("modified"),
  };
}

/** Starts the workflows that listen to a pull request. GitHub starts none while the branches conflict. */
export async function raisePull(
  world: World,
  repository: Repository,
  pull: Pull,
  action: "opened" | "synchronize" | "edited" | "closed",
  by: string,
  more: Json = {},
): Promise<void> {
  const { headRepository: head, merged } = pull;
  const sha = merged?.sha ?? pull.mergeSha;
  if (sha === null) return;
  await raise(world, {
    name: "pull_request",
    repository: repository.fullName,
    sha,
    ref: merged === null ? `refs/pull/${pull.number}/merge` : `refs/heads/${pull.baseRef}`,
    headSha: pull.headSha,
    headBranch: pull.headRef,
    headRef: pull.headRef,
    baseRef: pull.baseRef,
    headRepository: { id: head.resource.id, fullName: head.fullName, fork: head.parent !== null },
    actor: by,
    payload: {
      action,
      number: pull.number,
      pull_request: await pullAnswer(world, repository, pull),
      ...more,
      repository: repository.resource,
      sender: userOf(world, by),
    },
  });
}

/** Raises the events of a merge: a closed pull request, and a push to its base branch. */
export async function raiseMerge(
  world: World,
  repository: Repository,
  pull: Pull,
  before: string,
  by: string,
): Promise<void> {
  await raisePull(world, repository, pull, "closed", by);
  await raisePush(world, repository, { ref: `refs/heads/${pull.baseRef}`, before, after: pull.merged?.sha ?? "", by });
}

/** Starts the workflows that listen to the end of a run: always those of the default branch, at its head. */
export async function raiseRunCompleted(world: World, repository: Repository, run: RunRecord): Promise<void> {
  const sha = await repository.git.commitOf(repository.defaultBranch);
  if (sha === null) return;
  const workflow = workflowAnswer(world, repository, {
    id: workflowId(repository, run.workflowFile),
    file: run.workflowFile,
    name: run.workflowName,
  });
  const payload: Json = {
    action: "completed",
    workflow_run: await runAnswer(world, repository, run),
    workflow,
    repository: repository.resource,
    sender: userOf(world, run.actor),
  };
  deliver(world, repository, "workflow_run", payload);
  await raise(world, {
    name: "workflow_run",
    repository: repository.fullName,
    sha,
    ref: `refs/heads/${repository.defaultBranch}`,
    headSha: sha,
    headBranch: repository.defaultBranch,
    headRepository: { id: repository.resource.id, fullName: repository.fullName, fork: false },
    actor: run.actor,
    payload,
  });
}
