import { spawn, type ChildProcess } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import type { Deployed } from "../../deploy/bundle/deployed.ts";
import { deploymentReceipt, type DeploymentReceipt } from "../../deploy/receipt.ts";
import { repositoryRoot } from "../actions/gate/runner.ts";
import { requireContract } from "../../rehearsal/github/openapi.ts";
import { readRelease } from "../../github/registry/release.ts";
import { startGitHub, type SeededGitHub } from "../../rehearsal/github/seeded/github.ts";
import type { GitHubState } from "../../rehearsal/github/seeded/state.ts";
import { sha256, type Operation } from "../../rehearsal/hub/repository.ts";
import { startHub, type HubOptions, type StandInHub } from "../../rehearsal/hub/server.ts";
import { builtAction } from "./built-action.ts";
import { makeDeployRepository, type DeployRepository } from "./repository.ts";

/** Settings of a deployment under test: waits of minutes become moments. */
export const fast =
  "poll-interval=0.04 retry-wait=0.02 retries=2 request-timeout=10 upload-timeout=5 build-timeout=30 start-timeout=30 prove-timeout=30 stall-after=0.5 settle-after=0.5 passes=2 probes=3";

export const tokens = { github: "ghs_1a2b3c4d5e6f7a8b", hub: "hf_testtoken" };

/**
 * The built action in a separate folder, as a runner unpacks it. It uses the machine's native runtime, given by
 * SLUICE_ORT_DIR.
 */
export type DeployAction = { dir: string; remove: () => void };

export async function unpackDeployAction(): Promise<DeployAction> {
  const dir = mkdtempSync(join(tmpdir(), "sluice-deploy-action-"));
  const built = await builtAction();
  cpSync(join(built, "dist"), join(dir, "dist"), { recursive: true });
  return {
    dir,
    remove: () => {
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export type DeployRun = {
  code: number;
  log: string;
  summary: string;
  outputs: Record<string, string>;
  receipt: DeploymentReceipt | null;
  outside: string[];
};

export type StageOptions = {
  hub?: Partial<HubOptions>;
  github?: Partial<GitHubState>;
  trusted?: boolean;
  space?: string;
};

/** A repository, a GitHub and a Hub with one Space, on which deployments are run. */
export class Stage {
  readonly repository: DeployRepository;
  readonly hub: StandInHub;
  readonly github: SeededGitHub;
  readonly #action: DeployAction;
  readonly #trusted: boolean;
  readonly #transcripts: string[] = [];
  /** The current deploying process. */
  child: ChildProcess | null = null;
  runs = 0;

  private constructor(
    action: DeployAction,
    repository: DeployRepository,
    hub: StandInHub,
    github: SeededGitHub,
    trusted: boolean,
  ) {
    this.#action = action;
    this.repository = repository;
    this.hub = hub;
    this.github = github;
    this.#trusted = trusted;
  }

  static async open(
    action: DeployAction,
    { hub = {}, github = {}, trusted = false, space = "octo/births" }: StageOptions = {},
  ): Promise<Stage> {
    const gitHub = await startGitHub(github);
    const standIn = await startHub(space, {
      vouches: trusted ? (token) => gitHub.state.oidc.issued[token] ?? null : null,
      ...hub,
    });
    // Variables of the Space, as its owner could set them, so that batches are not measured again at each of many
    // starts.
    for (const [name, value] of Object.entries({
      SLUICE_SWEEP_BUDGET_MS: "0",
      SLUICE_ENGINE: "main",
      SLUICE_LOG_LEVEL: "warn",
    }))
      standIn.space.variables.set(name, value);
    return new Stage(action, makeDeployRepository(), standIn, gitHub, trusted);
  }

  async close(): Promise<void> {
    const { transcript } = this.github;
    await Promise.all([this.hub.close(), this.github.close()]);
    this.repository.remove();
    requireContract(transcript);
  }

  /** Call at the end of every story: checks that no secret was shown and no lock was left behind. */
  async finish(): Promise<void> {
    const [leaks, locks] = [this.leaks(), this.locks()];
    await this.close();
    if (leaks.length + locks.length > 0) throw new Error(`leaked: ${leaks.join(", ")}; locked: ${locks.join(", ")}`);
  }

  /** Starts the built action as the runner does. */
  async deploy(inputs: Record<string, string> = {}, env: Record<string, string> = {}): Promise<DeployRun> {
    this.runs += 1;
    const temporary = mkdtempSync(join(tmpdir(), "sluice-deploy-step-"));
    const file = (name: string) => {
      const path = join(temporary, name);
      writeFileSync(path, "");
      return path;
    };
    const files = { output: file("output"), summary: file("summary"), outside: file("outside") };
    const given = {
      model: "births",
      token: tokens.github,
      ...(this.#trusted ? {} : { "hf-token": tokens.hub }),
      reason: "a story",
      ...inputs,
      settings: `${fast} ${inputs["settings"] ?? ""}`,
    };
    const child = spawn(process.execPath, [join(this.#action.dir, "dist", "main.js")], {
      cwd: this.repository.dir,
      env: {
        PATH: process.env["PATH"],
        HOME: temporary,
        NODE_OPTIONS: `--import ${new URL("../../rehearsal/executor/loopback-only.mjs", import.meta.url).href}`,
        OUTSIDE_CONNECTIONS: files.outside,
        NODE_COMPILE_CACHE: join(this.#action.dir, ".compile-cache"),
        CI: "true",
        GITHUB_ACTIONS: "true",
        RUNNER_TEMP: temporary,
        GITHUB_WORKSPACE: this.repository.dir,
        GITHUB_REPOSITORY: "octo/models",
        GITHUB_ACTOR: "octo",
        GITHUB_RUN_ID: "42",
        GITHUB_RUN_ATTEMPT: "1",
        GITHUB_EVENT_NAME: "workflow_dispatch",
        GITHUB_SHA: "0".repeat(40),
        GITHUB_REF: "refs/heads/main",
        GITHUB_API_URL: this.github.url,
        GITHUB_SERVER_URL: "https://github.invalid",
        GITHUB_OUTPUT: files.output,
        GITHUB_STEP_SUMMARY: files.summary,
        HF_ENDPOINT: this.hub.url,
        SLUICE_ORT_DIR: join(
          repositoryRoot,
          "node_modules/onnxruntime-node/bin/napi-v6",
          process.platform,
          process.arch,
        ),
        ...(this.#trusted
          ? {
              ACTIONS_ID_TOKEN_REQUEST_URL: `${this.github.url}/oidc/token?api-version=2.0`,
              ACTIONS_ID_TOKEN_REQUEST_TOKEN: this.github.state.oidc.requestToken,
            }
          : {}),
        ...Object.fromEntries(Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child = child;
    const timer = setTimeout(() => child.kill("SIGKILL"), 120_000);
    let log = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        log += text;
      });
    const code = await new Promise<number>((done) => {
      child.on("close", (status) => {
        done(status ?? -1);
      });
    });
    clearTimeout(timer);
    const text = readFileSync(files.output, "utf8");
    const outputs = Object.fromEntries(
      [...text.matchAll(/^(\w[\w-]*)<<(\S+)\n([\s\S]*?)\n\2$/gm)].map((one) => [one[1]!, one[3]!]),
    );
    const run: DeployRun = {
      code,
      log,
      outputs,
      summary: readFileSync(files.summary, "utf8"),
      receipt: this.#receipt(outputs),
      outside: readFileSync(files.outside, "utf8").split("\n").filter(Boolean),
    };
    this.#transcripts.push(log, run.summary, text, outputs["receipt"] ? readFileSync(outputs["receipt"], "utf8") : "");
    rmSync(temporary, { recursive: true, force: true });
    return run;
  }

  #receipt(outputs: Record<string, string>): DeploymentReceipt | null {
    const path = outputs["receipt"];
    return !path ? null : deploymentReceipt.parse(JSON.parse(readFileSync(path, "utf8")));
  }

  /** Puts an existing tree into this Space, live and proved, as an earlier deployment would have left it. */
  async seed(dir: string, recorded = true): Promise<void> {
    const { space } = this.hub;
    const files = readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(dir, join(entry.parentPath, entry.name)));
    const lines: Operation[] = [{ key: "header", value: { summary: "Deploy births 1.0.0" } }];
    for (const path of files) {
      const bytes = readFileSync(join(dir, path));
      if (space.repository.isLfs(path, bytes.length)) {
        space.repository.lfsObjects.set(sha256(bytes), bytes);
        lines.push({ key: "lfsFile", value: { path, algo: "sha256", oid: sha256(bytes), size: bytes.length } });
      } else lines.push({ key: "file", value: { path, content: bytes.toString("base64"), encoding: "base64" } });
    }
    const commit = space.repository.apply(lines, "earlier");
    if ("status" in commit) throw new Error(commit.error);
    space.changed();
    const deployed = space.deployed(commit.sha) as Deployed;
    if (recorded) {
      const { id, version, sha256: weights } = deployed.model;
      const payload = {
        schemaVersion: 1,
        kind: "deploy",
        space: space.name,
        spaceCommit: commit.sha,
        model: { id, version, sha256: weights },
        verdictSha256: deployed.verdict.sha256,
        reason: "",
        actor: "octo",
      };
      this.github.state.rows.push({
        id: 7000,
        sha: deployed.source.commit!,
        ref: deployed.source.commit!,
        task: "sluice",
        environment: "births-production",
        description: "",
        payload,
        transient_environment: false,
        production_environment: true,
      });
      this.github.state.deployments[7000] = [
        { id: 1, state: "success", description: "", log_url: "https://github.invalid/run", environment_url: "" },
      ];
    }
    const deadline = Date.now() + 20_000;
    while (Date.now() < deadline && !(space.sha === commit.sha && (await this.ready())))
      await new Promise((done) => setTimeout(done, 30));
    if (space.sha !== commit.sha)
      throw new Error(`the seeded Space does not run: ${space.stage} ${space.runLog.map(({ data }) => data).join("")}`);
  }

  async ready(): Promise<boolean> {
    return fetch(`http://${this.hub.domain}/readyz`, { signal: AbortSignal.timeout(2000) }).then(
      (answer) => answer.ok,
      () => false,
    );
  }

  /** The places where a secret was shown to anybody but the runner, which is told it once so that it can hide it. */
  leaks(): string[] {
    const secrets = [
      tokens.github,
      this.hub.options.token,
      this.github.state.oidc.requestToken,
      ...this.hub.issued,
      ...Object.keys(this.github.state.oidc.issued),
    ];
    const shown = this.#transcripts.join("\n").replaceAll(/^::add-mask::.*$/gm, "");
    const written =
      [...this.hub.space.repository.blobs.values()].map((bytes) => bytes.toString("latin1")).join("\n") +
      JSON.stringify([this.github.state.rows, this.github.state.git, this.github.state.deployments]);
    return secrets.filter((secret) => shown.includes(secret) || written.includes(secret));
  }

  /** The version of the model that the Space serves now, requested as any user would. */
  async serves(): Promise<string | null> {
    try {
      const answer = await fetch(`http://${this.hub.domain}/model/info`, { signal: AbortSignal.timeout(20_000) });
      return ((await answer.json()) as { version?: string }).version ?? null;
    } catch {
      return null;
    }
  }

  /** The version on main of the Space's repository. */
  holds(): string | null {
    return this.hub.space.deployed(this.hub.space.repository.head)?.model?.version ?? null;
  }

  commits(): string[] {
    return this.hub.space.repository
      .log()
      .map(({ title }) => title)
      .toReversed()
      .slice(1);
  }

  locks(): string[] {
    return Object.keys(this.github.state.git.refs).filter((ref) => ref.startsWith("refs/sluice/lock/"));
  }

  /** Tags of versions, besides those of what production served. */
  tags(): string[] {
    return this.#tagNames().filter((tag) => !tag.startsWith("births-production@"));
  }

  /** "VERSION of COMMIT" of each tag of what production served, oldest first. */
  inProduction(): string[] {
    const { refs, tags } = this.github.state.git;
    return this.#tagNames()
      .filter((tag) => tag.startsWith("births-production@"))
      .toSorted()
      .map((tag) => {
        const { message, object } = tags[refs[`refs/tags/${tag}`]!.sha]!;
        return `${readRelease(message)?.version} of ${object}`;
      });
  }

  #tagNames(): string[] {
    return Object.keys(this.github.state.git.refs)
      .filter((ref) => ref.startsWith("refs/tags/"))
      .map((ref) => ref.slice(10));
  }

  /** Every Deployment as "ENVIRONMENT KIND VERSION: STATES". */
  records(): string[] {
    return this.github.state.rows.map(({ id, environment, payload }) => {
      const { kind, model } = payload as { kind: string; model: { version: string } };
      return `${environment} ${kind} ${model.version}: ${this.github.state.deployments[id]!.map(({ state }) => state).join(" ")}`;
    });
  }
}
