import { createClient, type Client } from "../../github/client.ts";
import { conditionalFetch } from "../../github/conditional-fetch.ts";
import { sentOnce, statusOf, type RepositoryApi } from "../../github/api.ts";
import { deploymentStatuses, describeDeployment, listDeployments } from "../../github/deployments.ts";
import { pullRequestsOf } from "../../github/pulls.ts";
import { createRef, createTagObject, deleteRef, matchingRefs, readTagObject } from "../../github/refs.ts";
import { readDeployedModel, type DeployedModel } from "../../github/registry/deployment.ts";
import { readRolloutNote, rolloutRef, type RolloutNote } from "../../github/registry/rollout.ts";
import { readLockNote, writeLockNote, type LockNote } from "../../github/registry/lock.ts";
import { readRelease, type ReleaseRecord } from "../../github/registry/release.ts";
import { fullName, parseRepository } from "../../github/runner.ts";
import type { Job } from "./failed-steps.ts";

type GitHubDeps = { apiUrl: string; fetch: typeof fetch; log: (text: string) => void; timeoutMs?: number };

export type Run = {
  id: number;
  name: string;
  file: string;
  title: string;
  status: string;
  conclusion: string | null;
  sha: string;
  branch: string;
  event: string;
  /** Login of who started the run, or started it again. */
  actor: string;
  url: string;
  pullRequests: number[];
  /** The commit, and therefore the workflow file, is in a fork. */
  fork: boolean;
  createdAt: number;
  updatedAt: number;
};
export type Deployment = {
  id: number;
  sha: string;
  environment: string;
  description: string;
  creator: string;
  payload: DeployedModel | null;
  createdAt: number;
};
export type DeploymentStatus = {
  state: string;
  description: string;
  logUrl: string;
  environmentUrl: string;
  createdAt: number;
};
export type Artifact = { id: number; name: string; digest: string; sizeBytes: number; expired: boolean };
export type Pending = { environment: string; environmentId: number; reviewers: string[] };
export type Tag = { name: string; version: string; sha: string; tagSha: string };
export type Released = Tag & { receipt: ReleaseRecord | null };

/** An environment that is locked, and by whom. */
export type Held = { environment: string; tagSha: string; record: LockNote };

/** Whether an account is not a person's. GitHub gives the type; "[bot]" ends the login of every GitHub App. */
function isBotAccount(login: string, type: string | undefined): boolean {
  return (type ?? "User") !== "User" || login.endsWith("[bot]");
}

/** Of a log that is read. */
const maxLogBytes = 1_000_000;

const builtIn = new Set(["admin", "maintain", "write", "triage", "read", "none"]);
const time = (text: string | null | undefined) => (text == null ? 0 : Date.parse(text));

/** All of the bot's calls to GitHub, made through Octokit and typed in this product's terms. */
export class GitHub {
  private readonly octokit: Client;
  private readonly deps: GitHubDeps;
  private readonly where: { owner: string; repo: string };
  private readonly api: RepositoryApi;

  constructor(token: string, repository: string, deps: GitHubDeps) {
    const { apiUrl, fetch: transport, log, timeoutMs = 10_000 } = deps;
    this.octokit = createClient({
      token,
      apiUrl,
      userAgent: "sluice-bot",
      fetch: conditionalFetch(transport),
      log,
      logFailures: true,
      // Writes are not retried here: their callers first look whether the change happened.
      limits: { timeoutMs, maxPauseSeconds: 30, waitsFor: "reads", secondaryPauseSeconds: 5 },
    });
    this.deps = deps;
    this.where = parseRepository(repository) ?? { owner: "", repo: "" };
    this.api = { octokit: this.octokit, ...this.where };
  }

  /** The same repository with another person's token. */
  as(token: string): GitHub {
    return new GitHub(token, fullName(this.where), this.deps);
  }

  /** Latest first. */
  async runs({
    file,
    sha,
    branch,
    event,
    status,
    count = 50,
  }: {
    file?: string;
    sha?: string;
    branch?: string;
    event?: string;
    status?: "waiting" | "completed";
    count?: number;
  } = {}): Promise<Run[]> {
    const query = {
      ...this.where,
      per_page: count,
      ...(sha === undefined ? {} : { head_sha: sha }),
      ...(branch === undefined ? {} : { branch }),
      ...(event === undefined ? {} : { event }),
      ...(status === undefined ? {} : { status }),
    };
    const { data } =
      file === undefined
        ? await this.octokit.rest.actions.listWorkflowRunsForRepo(query)
        : await this.octokit.rest.actions.listWorkflowRuns({ ...query, workflow_id: file });
    return data.workflow_runs.map(readRun);
  }

  async run(id: number): Promise<Run> {
    return readRun((await this.octokit.rest.actions.getWorkflowRun({ ...this.where, run_id: id })).data);
  }

  async artifacts(run: number): Promise<Artifact[]> {
    const { data } = await this.octokit.rest.actions.listWorkflowRunArtifacts({
      ...this.where,
      run_id: run,
      per_page: 100,
    });
    return data.artifacts.map(({ id, name, digest, size_in_bytes: sizeBytes, expired }) => ({
      id,
      name,
      digest: digest ?? "",
      sizeBytes,
      expired,
    }));
  }

  /** The jobs of a run's latest attempt, the first hundred. */
  async jobs(run: number): Promise<Job[]> {
    const { data } = await this.octokit.rest.actions.listJobsForWorkflowRun({
      ...this.where,
      run_id: run,
      per_page: 100,
    });
    return data.jobs.map(({ id, name, status, conclusion, steps = [] }) => ({
      id,
      name,
      status,
      conclusion,
      steps: steps.map((step) => ({
        name: step.name,
        conclusion: step.conclusion,
        startedAt: time(step.started_at),
        completedAt: time(step.completed_at),
      })),
    }));
  }

  /** A job's log, of a long one its last megabyte; null if GitHub does not keep it any more. */
  async jobLog(job: number): Promise<string | null> {
    try {
      const { data } = await this.octokit.rest.actions.downloadJobLogsForWorkflowRun({
        ...this.where,
        job_id: job,
        request: { parseSuccessResponseBody: false },
      });
      let kept = Buffer.alloc(0);
      for await (const chunk of data as unknown as AsyncIterable<Uint8Array>)
        kept = Buffer.concat([kept, chunk]).subarray(-maxLogBytes);
      return kept.toString("utf8");
    } catch (error) {
      if (statusOf(error) === 404 || statusOf(error) === 410) return null;
      throw error;
    }
  }

  /** Asks GitHub to cancel a run; it ends some time later. */
  async cancel(run: number): Promise<void> {
    await this.octokit.rest.actions.cancelWorkflowRun({ ...this.where, run_id: run, ...sentOnce });
  }

  /** An artifact's archive; null if it is larger than `maxBytes`. */
  async artifactZip(id: number, maxBytes: number): Promise<Buffer | null> {
    const { data } = await this.octokit.rest.actions.downloadArtifact({
      ...this.where,
      artifact_id: id,
      archive_format: "zip",
      request: { parseSuccessResponseBody: false },
    });
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of data as unknown as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > maxBytes) return null;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  /** Most recently updated first. */
  async openPullRequests(count: number): Promise<{ number: number; sha: string }[]> {
    const { data } = await this.octokit.rest.pulls.list({
      ...this.where,
      state: "open",
      sort: "updated",
      direction: "desc",
      per_page: count,
    });
    return data.map(({ number, head }) => ({ number, sha: head.sha }));
  }

  async pending(run: number): Promise<Pending[]> {
    const { data } = await this.octokit.rest.actions.getPendingDeploymentsForRun({ ...this.where, run_id: run });
    return data.map(({ environment, reviewers }) => ({
      environment: environment.name ?? "",
      environmentId: environment.id ?? 0,
      reviewers: reviewers.map(({ reviewer }) =>
        reviewer !== undefined && "login" in reviewer ? (reviewer.login ?? "") : (reviewer?.name ?? ""),
      ),
    }));
  }

  async review(run: number, environmentId: number, state: "approved" | "rejected", comment: string): Promise<void> {
    await this.octokit.rest.actions.reviewPendingDeploymentsForRun({
      ...this.where,
      run_id: run,
      environment_ids: [environmentId],
      state,
      comment,
      ...sentOnce,
    });
  }

  /** The reviews of a run's environments, with their comments. */
  async reviews(run: number): Promise<{ state: string; user: string; comment: string; environments: string[] }[]> {
    const { data } = await this.octokit.rest.actions.getReviewsForRun({ ...this.where, run_id: run });
    return data.map(({ state, user, comment, environments }) => ({
      state,
      user: user.login,
      comment,
      environments: environments.map(({ name }) => name ?? ""),
    }));
  }

  /** Pull requests that a commit belongs to, merged ones too. */
  async pullRequestsOf(sha: string): Promise<number[]> {
    return pullRequestsOf(this.api, sha);
  }

  /** Comments of a pull request, the first thousand. */
  async comments(pullRequest: number): Promise<{ author: string; body: string }[]> {
    const all: { author: string; body: string }[] = [];
    for (let page = 1; page <= 10; page += 1) {
      const { data } = await this.octokit.rest.issues.listComments({
        ...this.where,
        issue_number: pullRequest,
        per_page: 100,
        page,
      });
      all.push(...data.map(({ user, body }) => ({ author: user?.login ?? "", body: body ?? "" })));
      if (data.length < 100) break;
    }
    return all;
  }

  /** Latest first. */
  async deployments({
    environment,
    sha,
    count = 50,
  }: { environment?: string; sha?: string; count?: number } = {}): Promise<Deployment[]> {
    const filter = { ...(environment === undefined ? {} : { environment }), ...(sha === undefined ? {} : { sha }) };
    return (await listDeployments(this.api, filter, count)).map((one) => ({
      ...one,
      payload: readDeployedModel(one.payload),
      createdAt: time(one.createdAt),
    }));
  }

  /** Latest first. */
  async statuses(deployment: number): Promise<DeploymentStatus[]> {
    return (await deploymentStatuses(this.api, deployment, 30)).map((one) => ({
      ...one,
      createdAt: time(one.createdAt),
    }));
  }

  /** Adds a description to a Deployment without changing its state. */
  async note(deployment: number, words: string): Promise<void> {
    await describeDeployment(this.api, deployment, words);
  }

  /** The versions of a model that are tagged MODEL@VERSION, in GitHub's order. */
  async tags(model: string): Promise<Tag[]> {
    return (await matchingRefs(this.api, `refs/tags/${model}@`))
      .filter(({ type }) => type === "tag")
      .map(({ ref, sha }) => ({
        name: ref.slice("refs/tags/".length),
        version: ref.slice(`refs/tags/${model}@`.length),
        sha: "",
        tagSha: sha,
      }));
  }

  async release(tag: Tag): Promise<Released> {
    const { commit, message } = await readTagObject(this.api, tag.tagSha);
    return { ...tag, sha: commit, receipt: readRelease(message) };
  }

  /** The commit that a tag leads to, annotated or not; null if there is no such tag, or a branch has the same name. */
  async tagCommit(name: string): Promise<string | null> {
    const [branches, tags] = await Promise.all([
      matchingRefs(this.api, `refs/heads/${name}`),
      matchingRefs(this.api, `refs/tags/${name}`),
    ]);
    if (branches.some(({ ref }) => ref === `refs/heads/${name}`)) return null;
    const tag = tags.find(({ ref }) => ref === `refs/tags/${name}`);
    if (tag === undefined) return null;
    return tag.type === "tag" ? (await readTagObject(this.api, tag.sha)).commit : tag.sha;
  }

  /** The commit at the end of a branch. */
  async head(branch: string): Promise<string> {
    return (await this.octokit.rest.git.getRef({ ...this.where, ref: `heads/${branch}` })).data.object.sha;
  }

  /** An account's current role in the repository: admin, maintain, write, triage, read or none. */
  async permission(login: string): Promise<{ role: string; id: number; isBot: boolean }> {
    try {
      const { data } = await this.octokit.rest.repos.getCollaboratorPermissionLevel({ ...this.where, username: login });
      // An organisation can define roles with other names; `permission` is the built-in role that such a role is based
      // on.
      return {
        role: builtIn.has(data.role_name) ? data.role_name : data.permission,
        id: data.user?.id ?? 0,
        isBot: isBotAccount(login, data.user?.type),
      };
    } catch (error) {
      if (statusOf(error) === 404) return { role: "none", id: 0, isBot: isBotAccount(login, undefined) };
      throw error;
    }
  }

  /** @returns the run that was started; null if this GitHub does not tell */
  async dispatch(
    file: string,
    ref: string,
    inputs: Record<string, string>,
  ): Promise<{ id: number; url: string } | null> {
    const { data } = await this.octokit.request(
      "POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches",
      { ...this.where, workflow_id: file, ref, inputs, return_run_details: true, ...sentOnce },
    );
    const details = data as { workflow_run_id?: number; html_url?: string } | undefined;
    return details?.workflow_run_id === undefined ? null : { id: details.workflow_run_id, url: details.html_url ?? "" };
  }

  /** Locks under a prefix of refs, one per environment. */
  async locks(prefix: string): Promise<Held[]> {
    return Promise.all(
      (await matchingRefs(this.api, `${prefix}/`)).map(async ({ ref, sha, type }) => {
        const message = type === "tag" ? (await readTagObject(this.api, sha)).message : "";
        return {
          environment: ref.slice(prefix.length + 1),
          tagSha: sha,
          record: readLockNote(message) ?? unreadableNote(message),
        };
      }),
    );
  }

  /** What controllers have noted of roll-outs, by the name of their ref. One request where there is none. */
  async rolloutNotes(): Promise<Map<string, RolloutNote>> {
    const found = await Promise.all(
      (await matchingRefs(this.api, rolloutRef(""))).map(async ({ ref, sha, type }) => {
        const note = type === "tag" ? readRolloutNote((await readTagObject(this.api, sha)).message) : null;
        return note === null ? [] : [[ref, note] as const];
      }),
    );
    return new Map(found.flat());
  }

  /** The same of one environment; null where there was none. */
  async rolloutNote(environment: string): Promise<RolloutNote | null> {
    return (await this.rolloutNotes()).get(rolloutRef(environment)) ?? null;
  }

  /** Creates the note that locks point at; locks taken together share one. @returns its sha */
  async lockNote(note: Omit<LockNote, "run">, sha: string): Promise<string> {
    const message = writeLockNote({ ...note, run: null });
    return createTagObject(this.api, { tag: "sluice-lock", message, commit: sha });
  }

  /** Creating a ref is atomic: of two attempts, one is refused. @returns false when it is locked already */
  async takeLock(prefix: string, environment: string, note: string): Promise<boolean> {
    return createRef(this.api, `${prefix}/${environment}`, note);
  }

  /**
   * Removes a lock if it is still the one that was meant. GitHub deletes refs only by name, so it is read once more
   * right before.
   *
   * @returns false when it is another lock by now, or none
   */
  async releaseLock(prefix: string, environment: string, tagSha: string): Promise<boolean> {
    const ref = `${prefix}/${environment}`;
    const current = (await matchingRefs(this.api, ref)).find((one) => one.ref === ref);
    if (current?.sha !== tagSha) return false;
    await deleteRef(this.api, ref);
    return true;
  }

  /** The account that this client's token belongs to. */
  async me(): Promise<{ login: string; id: number }> {
    const { data } = await this.octokit.rest.users.getAuthenticated();
    return { login: data.login, id: data.id };
  }
}

/** For a lock that somebody created by hand: only its message can be shown. */
function unreadableNote(message: string): LockNote {
  return {
    holder: "somebody",
    reason: message.trim().slice(0, 200) || "no reason given",
    at: "",
    run: null,
    request: null,
  };
}

type RawRun = Awaited<ReturnType<Client["rest"]["actions"]["getWorkflowRun"]>>["data"];

function readRun(one: RawRun): Run {
  return {
    id: one.id,
    name: one.name ?? one.path,
    file: one.path.split("@")[0]?.split("/").at(-1) ?? "",
    title: one.display_title,
    status: one.status ?? "unknown",
    conclusion: one.conclusion,
    sha: one.head_sha,
    branch: one.head_branch ?? "",
    event: one.event,
    actor: one.triggering_actor?.login ?? one.actor?.login ?? "",
    url: one.html_url,
    pullRequests: (one.pull_requests ?? []).map(({ number }) => number),
    fork: one.head_repository?.full_name !== one.repository.full_name,
    createdAt: time(one.created_at),
    updatedAt: time(one.updated_at),
  };
}
