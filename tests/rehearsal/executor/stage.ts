import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type {
  Executor,
  Grant,
  JobRecord,
  OidcClaims,
  Platform,
  RunRecord,
  TriggerEvent,
} from "../../../rehearsal/executor/platform.ts";
import { createExecutor, type ExecutorOptions } from "../../../rehearsal/executor/executor.ts";

const identity = {
  GIT_AUTHOR_NAME: "Octo",
  GIT_AUTHOR_EMAIL: "octo@example.org",
  GIT_COMMITTER_NAME: "Octo",
  GIT_COMMITTER_EMAIL: "octo@example.org",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
};
const repository = "octo/models";

type Change = { run: string; runStatus: string; job: string | null; jobStatus: string | null };
type EnvironmentRules = {
  reviewers: readonly string[];
  preventSelfReview?: boolean;
  secrets?: Record<string, string>;
  variables?: Record<string, string>;
};

/** A platform in memory with real git repositories on disk, and an executor that uses it. */
export class Stage implements Platform {
  readonly apiUrl = "http://127.0.0.1:9/api/v3";
  serverUrl = "http://127.0.0.1:9";
  readonly directory = mkdtempSync(join(tmpdir(), "sluice-executor-"));
  readonly grants: (Grant & { token: string; revoked: boolean })[] = [];
  readonly claims: OidcClaims[] = [];
  readonly changes: Change[] = [];
  repositorySecrets: Record<string, string> = {};
  repositoryVariables: Record<string, string> = {};
  environments: Record<string, EnvironmentRules> = {};
  /** Called after every change, as GitHub raises its events. */
  listener: (run: RunRecord, job?: JobRecord) => void = () => {};
  executor!: Executor;

  static async start(options: Partial<ExecutorOptions> = {}): Promise<Stage> {
    const stage = new Stage();
    stage.executor = await createExecutor(stage, {
      directory: join(stage.directory, "runner"),
      killTimeouts: { interruptMs: 200, terminateMs: 200 },
      ...options,
    });
    return stage;
  }

  async close(): Promise<void> {
    await this.executor.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  gitDirectory(name: string): string {
    return join(this.directory, "repositories", name, ".git");
  }
  issueToken(grant: Grant) {
    const issued = {
      ...grant,
      token: `ghs_${String(this.grants.length).padStart(4, "0")}0123456789abcdef`,
      revoked: false,
    };
    this.grants.push(issued);
    return {
      token: issued.token,
      revoke: () => {
        issued.revoked = true;
      },
    };
  }
  issueOidc(claims: OidcClaims) {
    this.claims.push(claims);
    return {
      url: `${this.serverUrl}/oidc?run=${claims.runId}`,
      requestToken: "oidc-request-token-0123",
      revoke: () => {},
    };
  }
  secrets(_: string, environment: string | null): Record<string, string> {
    return environment === null ? this.repositorySecrets : (this.environments[environment]?.secrets ?? {});
  }
  variables(_: string, environment: string | null): Record<string, string> {
    return environment === null ? this.repositoryVariables : (this.environments[environment]?.variables ?? {});
  }
  environment(_: string, name: string) {
    const { reviewers = [], preventSelfReview = false } = this.environments[name] ?? {};
    return { id: 700 + Object.keys(this.environments).indexOf(name), reviewers, preventSelfReview };
  }
  defaultBranch(): string {
    return "main";
  }
  isReadable(): boolean {
    return true;
  }
  runChanged(run: RunRecord, job?: JobRecord): void {
    this.changes.push({
      run: run.workflowFile,
      runStatus: run.status,
      job: job?.key ?? null,
      jobStatus: job?.status ?? null,
    });
    this.listener(run, job);
  }

  git(name: string, ...args: string[]): string {
    return execFileSync("git", args, {
      cwd: join(this.directory, "repositories", name),
      encoding: "utf8",
      env: { PATH: process.env["PATH"], ...identity },
    }).trim();
  }

  /** Writes files on a branch (created at HEAD if new) and commits them. @returns the commit */
  commit(
    files: Readonly<Record<string, string | Uint8Array>>,
    { name = repository, branch = "main", message = "change" } = {},
  ): string {
    const folder = join(this.directory, "repositories", name);
    mkdirSync(folder, { recursive: true });
    if (this.#made.has(name)) this.git(name, "checkout", "-q", "-B", branch);
    else this.git(name, "init", "-q", "-b", branch);
    this.#made.add(name);
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    this.git(name, "add", "-A");
    this.git(name, "commit", "-q", "--allow-empty", "-m", message);
    return this.git(name, "rev-parse", "HEAD");
  }
  readonly #made = new Set<string>();

  push(sha: string, more: Partial<TriggerEvent> = {}): Promise<readonly RunRecord[]> {
    return this.executor.trigger({ ...eventOf("push", sha), ...more });
  }

  /** Opens a pull request from `topic` to main and makes its merge commit. */
  pull(
    base: string,
    head: string,
    {
      fork = false,
      action = "opened",
      title = "A change",
      changes,
    }: { fork?: boolean; action?: string; title?: string; changes?: Record<string, unknown> } = {},
  ): Promise<readonly RunRecord[]> {
    this.git(repository, "checkout", "-q", "--detach", base);
    this.git(repository, "merge", "-q", "--no-ff", "-m", "merge", head);
    const sha = this.git(repository, "rev-parse", "HEAD");
    this.git(repository, "update-ref", "refs/pull/7/merge", sha);
    const from = fork ? { id: 2, fullName: "mallory/models", fork } : { id: 1, fullName: repository, fork };
    const repo = { full_name: from.fullName, fork };
    return this.executor.trigger({
      ...eventOf("pull_request", sha),
      ref: "refs/pull/7/merge",
      headSha: head,
      headBranch: "topic",
      headRef: "topic",
      baseRef: "main",
      headRepository: from,
      actor: fork ? "mallory" : "ada",
      payload: {
        action,
        ...(changes === undefined ? {} : { changes }),
        number: 7,
        repository: { id: 1, full_name: repository, default_branch: "main" },
        pull_request: {
          number: 7,
          title,
          base: { sha: base, ref: "main", repo: { full_name: repository } },
          head: { sha: head, ref: "topic", repo },
        },
      },
    });
  }

  dispatch(sha: string, workflowFile: string, inputs: Record<string, string> = {}): Promise<readonly RunRecord[]> {
    return this.executor.trigger({ ...eventOf("workflow_dispatch", sha), workflowFile, inputs });
  }

  /** Commits one workflow, pushes it, and waits until no run is active. */
  async play(
    workflow: string,
    { file = "w.yml", files = {} }: { file?: string; files?: Record<string, string> } = {},
  ): Promise<RunRecord> {
    const [run] = await this.push(this.commit({ ...files, [`.github/workflows/${file}`]: workflow }));
    await this.executor.idle();
    if (run === undefined) throw new Error("no run was started");
    return run;
  }

  /** Waits until a condition on the runs holds. It polls, because no event announces what a step prints. */
  async until(what: string, holds: () => boolean): Promise<void> {
    const deadline = performance.now() + 30_000;
    while (!holds()) {
      if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
      await setTimeout(10);
    }
  }
}

export const eventOf = (name: TriggerEvent["name"], sha: string): TriggerEvent => ({
  name,
  repository,
  sha,
  ref: "refs/heads/main",
  headSha: sha,
  headBranch: "main",
  headRepository: { id: 1, fullName: repository, fork: false },
  actor: "ada",
  payload: { repository: { id: 1, full_name: repository, default_branch: "main" } },
});

export const jobOf = (run: RunRecord, key: string): JobRecord => {
  const found = run.jobs.find((one) => one.key === key);
  if (found === undefined)
    throw new Error(`no job ${key} among ${run.jobs.map((one) => one.key).join(", ")}; ${run.startupError ?? ""}`);
  return found;
};
/** The name or key of every job with its conclusion. */
export const conclusions = (run: RunRecord): Record<string, string | null> =>
  Object.fromEntries(run.jobs.map((one) => [one.name, one.conclusion]));
