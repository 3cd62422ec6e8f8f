import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Executor, Grant, JobRecord, OidcClaims, Platform, RunRecord } from "../executor/platform.ts";
import { followCheck } from "./checks.ts";
import { followJob } from "./deployments.ts";
import { noLogins, type Logins } from "./device-flow.ts";
import { Emulate } from "./emulate.ts";
import { environmentOf } from "./environments.ts";
import { raiseRunCompleted } from "./events.ts";
import type { Fault } from "./exchange.ts";
import { addHook, deliver } from "./hooks.ts";
import { violations } from "./openapi.ts";
import { canSee } from "./permissions.ts";
import { allRoutes } from "./routes.ts";
import { jobAnswer, runAnswer } from "./run-answers.ts";
import { createGitHubServer } from "./server.ts";
import { botLogin, Tokens } from "./tokens.ts";
import {
  type Delivery,
  repositoryNamed,
  type RecordedExchange,
  type Role,
  type User,
  userOf,
  type World,
} from "./world.ts";

type GitHubOptions = {
  /** The logins of all people, including owners of repositories and the bot's account. */
  people: readonly string[];
  port?: number;
  now?: () => Date;
};

/**
 * A stand-in GitHub on one machine. This class creates repositories, people and rules; stories.ts adds what people do.
 * Everything else happens over HTTP, as with the real one.
 */
export class GitHub implements Platform {
  readonly world: World;
  readonly directory: string;
  readonly #server: Server;
  #emulate: Emulate | null = null;
  readonly #logins: Logins;
  readonly #tokens = new Map<string, string>();
  readonly #checks = new Map<string, { id: number; state: string }>();
  readonly #deployments = new Map<string, number>();
  /** Run or job → the last reported state. */
  readonly #reported = new Map<string, string>();
  /** The effects of runs, chained so that they happen in order. */
  #following: Promise<void> = Promise.resolve();

  private constructor(world: World, directory: string, logins: Logins) {
    this.world = world;
    this.directory = directory;
    this.#logins = logins;
    this.#server = createGitHubServer(world, allRoutes(world), logins);
  }

  static async start({ people, port = 0, now = () => new Date() }: GitHubOptions): Promise<GitHub> {
    const logins = noLogins();
    let id = 10_000;
    const world: World = {
      origin: "",
      emulate: undefined as unknown as Emulate,
      tokens: new Tokens(() => logins.tokens),
      repositories: new Map(),
      users: new Map(),
      faults: [],
      transcript: [],
      deliveries: [],
      reactions: [],
      downloads: new Map(),
      problems: [],
      executor: null,
      readArtifact: ({ path }) => readFile(path),
      keepsAuthorization: false,
      now,
      nextId: () => {
        id += 1;
        return id;
      },
    };
    const github = new GitHub(world, await mkdtemp(join(tmpdir(), "rehearsal-github-")), logins);
    await new Promise<void>((resolve, reject) => {
      github.#server.once("error", reject).listen(port, "127.0.0.1", resolve);
    });
    world.origin = `http://127.0.0.1:${(github.#server.address() as AddressInfo).port}`;
    const everybody = [...new Set([botLogin, ...people])];
    try {
      github.#emulate = await Emulate.start(world.origin, everybody);
      world.emulate = github.#emulate;
      for (const login of everybody) {
        const user = await world.emulate.must<User>(login, "GET", "/user");
        world.users.set(login.toLowerCase(), { ...user, type: login.endsWith("[bot]") ? "Bot" : "User" });
      }
    } catch (error) {
      await github.close();
      throw error;
    }
    return github;
  }

  attach(executor: Executor): void {
    this.world.executor = executor;
  }

  get apiUrl(): string {
    return this.world.origin;
  }

  get serverUrl(): string {
    return this.world.origin;
  }

  /** A person's token; always the same. */
  tokenOf(login: string): string {
    const known = this.#tokens.get(login) ?? this.world.tokens.ofPerson(userOf(this.world, login).login);
    this.#tokens.set(login, known);
    return known;
  }

  gitDirectory(repository: string): string {
    return repositoryNamed(this.world, repository).git.directory;
  }

  isReadable(repository: string, token: string): boolean {
    const found = repositoryNamed(this.world, repository);
    const caller = this.world.tokens.callerOf(`token ${token}`);
    return !found.private || (caller !== null && canSee(found, caller));
  }

  defaultBranch(repository: string): string {
    return repositoryNamed(this.world, repository).defaultBranch;
  }

  /** Runs for a fork's pull request get read-only tokens, whatever the workflow requests. */
  issueToken(grant: Grant): { token: string; revoke: () => void } {
    const run = this.world.executor?.runs.find(({ id }) => id === grant.runId);
    const foreign = run?.event === "pull_request" && run.headRepository.fork;
    const permissions = foreign
      ? Object.fromEntries(
          Object.entries(grant.permissions).map(([name, access]) => [
            name,
            name === "id-token" ? ("none" as const) : access === "write" ? ("read" as const) : access,
          ]),
        )
      : grant.permissions;
    return this.world.tokens.ofJob({ ...grant, permissions });
  }

  issueOidc(claims: OidcClaims): { url: string; requestToken: string; revoke: () => void } {
    return this.world.tokens.oidcOf(claims, this.world.origin);
  }

  secrets(repository: string, environment: string | null): Readonly<Record<string, string>> {
    const { secrets, environments } = repositoryNamed(this.world, repository);
    return { ...secrets, ...environments.find(({ name }) => name === environment)?.secrets };
  }

  variables(repository: string, environment: string | null): Readonly<Record<string, string>> {
    const { variables, environments } = repositoryNamed(this.world, repository);
    return { ...variables, ...environments.find(({ name }) => name === environment)?.variables };
  }

  environment(
    repository: string,
    name: string,
  ): { id: number; reviewers: readonly string[]; preventSelfReview: boolean } {
    return environmentOf(this.world, repositoryNamed(this.world, repository), name);
  }

  runChanged(run: RunRecord, job?: JobRecord): void {
    const repository = repositoryNamed(this.world, run.repository);
    // Copied, because the records may change while this waits for its turn.
    const now = structuredClone({ run, jobs: job === undefined ? run.jobs : [job] });
    for (const one of now.jobs) followJob(this.world, repository, now.run, one, this.#deployments);
    this.#following = this.#following
      .then(async () => {
        for (const one of now.jobs) await followCheck(this.world, repository, now.run, one, this.#checks);
        const sender = userOf(this.world, run.actor);
        for (const one of now.jobs)
          if (this.#news(`job ${run.id}/${run.attempt}/${one.id}`, one.status))
            deliver(this.world, repository, "workflow_job", {
              action: one.status,
              workflow_job: jobAnswer(this.world, repository, now.run, one),
              sender,
            });
        if (!this.#news(`run ${run.id}/${run.attempt}`, now.run.status)) return;
        if (now.run.status === "completed") await raiseRunCompleted(this.world, repository, now.run);
        else
          deliver(this.world, repository, "workflow_run", {
            action: now.run.status === "in_progress" ? "in_progress" : "requested",
            workflow_run: await runAnswer(this.world, repository, now.run),
            sender,
          });
      })
      .catch((error: unknown) => {
        this.world.problems.push(error instanceof Error ? error : new Error(String(error)));
      });
  }

  #news(of: string, state: string): boolean {
    if (this.#reported.get(of) === state) return false;
    this.#reported.set(of, state);
    return true;
  }

  /**
   * Resolves when no run is active and everything that the last ones started has ended.
   * @throws AggregateError with the errors of the stand-in itself
   */
  async settled(): Promise<void> {
    for (let seen: Promise<void> | null = null; seen !== this.#following;) {
      seen = this.#following;
      await seen;
      await this.world.executor?.idle();
    }
    if (this.world.problems.length > 0)
      throw new AggregateError(
        this.world.problems,
        `the stand-in of GitHub failed: ${this.world.problems.map(({ message }) => message).join("; ")}`,
      );
  }

  addCollaborator(repository: string, login: string, role: Role): Promise<unknown> {
    const found = repositoryNamed(this.world, repository);
    found.roles.set(login.toLowerCase(), role);
    return this.world.emulate.must(found.owner, "PUT", `/repos/${found.fullName}/collaborators/${login}`, {
      permission: role === "read" ? "pull" : role === "write" ? "push" : role,
    });
  }

  createEnvironment(
    repository: string,
    name: string,
    { reviewers = [], preventSelfReview = false }: { reviewers?: readonly string[]; preventSelfReview?: boolean } = {},
  ): void {
    for (const reviewer of reviewers) userOf(this.world, reviewer);
    Object.assign(environmentOf(this.world, repositoryNamed(this.world, repository), name), {
      reviewers: [...reviewers],
      preventSelfReview,
    });
  }

  setSecret(repository: string, name: string, value: string, environment?: string): void {
    const found = repositoryNamed(this.world, repository);
    (environment === undefined ? found : environmentOf(this.world, found, environment)).secrets[name] = value;
  }

  setVariable(repository: string, name: string, value: string, environment?: string): void {
    const found = repositoryNamed(this.world, repository);
    (environment === undefined ? found : environmentOf(this.world, found, environment)).variables[name] = value;
  }

  /** The setting "Allow GitHub Actions to create and approve pull requests", which is off in a new repository. */
  allowActionsToOpenPulls(repository: string, allowed = true): void {
    repositoryNamed(this.world, repository).actionsOpenPulls = allowed;
  }

  /** @param events names of events, or "*" */
  addWebhook(repository: string, hook: { url: string; secret: string; events: readonly string[] }): void {
    addHook(this.world, repositoryNamed(this.world, repository), hook);
  }

  /** Makes matching requests fail. @returns a function that stops it. By default `times` is unlimited. */
  fail(fault: Omit<Fault, "times"> & { times?: number }): () => void {
    const added: Fault = { times: Infinity, ...fault };
    this.world.faults.push(added);
    return () => {
      added.times = 0;
    };
  }

  /** Simulates a person who enters the device flow's code on the website, or refuses. */
  enterDeviceCode(userCode: string, login: string | null): void {
    const code = Object.values(this.#logins.device.codes).find((one) => one.userCode === userCode);
    if (code === undefined) throw new Error(`nobody was given the code ${userCode}`);
    Object.assign(code, login === null ? { denied: true } : { login: userOf(this.world, login).login });
  }

  get deviceClientId(): string {
    return this.#logins.device.clientId;
  }

  get transcript(): readonly RecordedExchange[] {
    return this.world.transcript;
  }

  get deliveries(): readonly Delivery[] {
    return this.world.deliveries;
  }

  /** ID token → its claims, for the service that verifies them. */
  get idTokens(): Tokens["idTokens"] {
    return this.world.tokens.idTokens;
  }

  /** Everything in the transcript that violates GitHub's OpenAPI description. */
  violations(): string[] {
    return this.world.transcript
      .filter(({ door }) => door === "rest" || door === "graphql")
      .map(described)
      .flatMap(violations);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    await this.#following;
    await this.#emulate?.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/**
 * A Deployment whose job waits for a reviewer has the state "waiting", which is missing in GitHub's own description.
 */
function described(exchange: RecordedExchange): RecordedExchange {
  if (!/\/deployments\/\d+\/statuses$/.test(exchange.path) || !Array.isArray(exchange.answer)) return exchange;
  return {
    ...exchange,
    answer: (exchange.answer as { state: string }[]).map((one) =>
      one.state === "waiting" ? { ...one, state: "pending" } : one,
    ),
  };
}
