import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { buildImage, listens, startContainer, type Container, type Image } from "./container.ts";
import { Repository } from "./repository.ts";

/** deployment.json of a tree; null if it has none. */
export type Deployed = { model?: { id: string; version: string } } | null;

/** How long the stages of this Space take, and what goes wrong. */
export type Behaviour = {
  /** Time from a commit until the runtime reacts. */
  lagMs: number;
  buildMs: number;
  startLimitMs: number;
  /** Damages the laid-out tree before the app starts. `deployment` is the tree's deployment.json. */
  sabotage: ((dir: string, deployment: Deployed) => void) | null;
  /** Whether the build of a tree fails. */
  breaksBuild: ((deployment: Deployed) => boolean) | null;
  /**
   * After a failed build, show the old revision's stage RUNNING again. A deployer that trusts the stage would believe
   * in success.
   */
  hidesBuildError: boolean;
  /** Whether runtime.sha of an update appears only after a restart, only after a factory rebuild, or never. */
  stalls: ((deployment: Deployed) => "never" | "until-restart" | "until-factory" | "always") | null;
  /** Changes the app's answers before they are sent. */
  answers: ((path: string, deployment: Deployed, body: Buffer) => Buffer) | null;
  delayMs: ((path: string, deployment: Deployed) => number) | null;
  /** Whether the old revision's container goes on answering beside the one of a tree, as a second replica. */
  keepsOld: ((deployment: Deployed) => boolean) | null;
};

const wellBehaved: Behaviour = {
  lagMs: 15,
  buildMs: 30,
  startLimitMs: 15_000,
  sabotage: null,
  breaksBuild: null,
  hidesBuildError: false,
  stalls: null,
  answers: null,
  delayMs: null,
  keepsOld: null,
};

type LogLine = { data: string; timestamp: string };

/** One Docker Space: repository, runtime and the container that really runs. */
export class Space {
  readonly name: string;
  readonly repository = new Repository();
  readonly behaviour: Behaviour;
  sdk = "docker";
  private = false;
  stage = "NO_APP_FILE";
  /** Null until the first build has ended. */
  sha: string | null = null;
  errorMessage: string | null = null;
  live: Container | null = null;
  #replica: Container | null = null;
  readonly #turns = new WeakMap<Socket, number>();
  #connections = 0;
  readonly buildLog: LogLine[] = [];
  runLog: LogLine[] = [];
  readonly variables = new Map<string, string>();
  readonly secrets = new Map<string, string>();
  /** Where the app finds the Hub, as HF_ENDPOINT. */
  hubUrl = "";
  hardware = "cpu-basic";
  restarts = 0;
  factoryRebuilds = 0;
  /** Every stage that the runtime went through, with the revision that was shown. */
  readonly history: string[] = [];
  #generation = 0;
  #closed = false;
  /** Every running container, whether the runtime shows it or not. */
  readonly #containers = new Set<Container>();
  #held: { container: Container; unstall: "restart" | "factory" } | null = null;

  constructor(name: string, behaviour: Partial<Behaviour> = {}) {
    this.name = name;
    this.behaviour = { ...wellBehaved, ...behaviour };
  }

  runtime(domain: string): Record<string, unknown> {
    return {
      stage: this.stage,
      ...(this.errorMessage === null ? {} : { errorMessage: this.errorMessage }),
      hardware: { current: this.live === null ? null : this.hardware, requested: this.hardware },
      gcTimeout: 172_800,
      replicas: { current: this.live === null ? 0 : 1, requested: 1 },
      domains: [{ domain, stage: "READY" }],
      ...(this.sha === null ? {} : { sha: this.sha }),
    };
  }

  /** Reacts to a commit on main: build, then start. */
  changed(): void {
    void this.#roll(++this.#generation);
  }

  async restart(factory: boolean): Promise<void> {
    if (factory) this.factoryRebuilds += 1;
    else this.restarts += 1;
    const held = this.#held;
    if (held !== null && (factory || held.unstall === "restart")) {
      this.#held = null;
      await this.#take(held.container);
      return;
    }
    if (held === null) this.changed();
  }

  /** The container that answers a connection: one and the same for as long as the connection lasts. */
  replicaFor(socket: Socket): Container | null {
    const turn = this.#turns.get(socket) ?? this.#connections++;
    this.#turns.set(socket, turn);
    return this.#replica !== null && turn % 2 === 1 ? this.#replica : this.live;
  }

  /** Puts the Space to sleep, as after 48 hours without a visitor. */
  async fallAsleep(): Promise<void> {
    const { live } = this;
    this.live = null;
    await live?.stop();
    this.#enter("SLEEPING");
  }

  /** deployment.json of a commit. */
  deployed(sha: string): Deployed {
    const commit = this.repository.commit(sha);
    const bytes = commit === undefined ? undefined : this.repository.read(commit, "deployment.json");
    try {
      return bytes === undefined ? null : (JSON.parse(bytes.toString("utf8")) as Deployed);
    } catch {
      return null;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#generation += 1;
    this.live = null;
    await Promise.all([...this.#containers].map((container) => container.stop()));
  }

  #enter(stage: string): void {
    this.stage = stage;
    this.history.push(`${stage} ${this.sha?.slice(0, 7) ?? "-"}`);
  }

  async #roll(generation: number): Promise<void> {
    const { lagMs, buildMs, startLimitMs, breaksBuild, hidesBuildError, sabotage, stalls } = this.behaviour;
    const overtaken = () => this.#closed || generation !== this.#generation;
    await sleep(lagMs);
    if (overtaken()) return;
    const commit = this.repository.commit("main")!;
    const before = this.live !== null;
    this.errorMessage = null;
    const say = (log: LogLine[]) => (data: string) => {
      log.push({ data: `${data}\n`, timestamp: new Date().toISOString() });
    };
    this.buildLog.length = 0;
    this.#enter(before ? "RUNNING_BUILDING" : "BUILDING");
    await sleep(buildMs);
    if (overtaken()) return;
    let image: Image;
    const deployment = this.deployed(commit.sha);
    try {
      if (breaksBuild?.(deployment) === true)
        throw new Error('process "/bin/sh -c npm ci" did not complete successfully: exit code: 1');
      image = buildImage(this.repository, commit, say(this.buildLog));
      sabotage?.(image.dir, deployment);
    } catch (error) {
      say(this.buildLog)(`ERROR: ${(error as Error).message}`);
      if (hidesBuildError && before) this.#enter("RUNNING");
      else this.#enter("BUILD_ERROR");
      return;
    }
    this.#enter(before ? "RUNNING_APP_STARTING" : "APP_STARTING");
    const runLog: LogLine[] = [];
    const container = await startContainer(
      image,
      commit.sha,
      { HF_ENDPOINT: this.hubUrl, ...Object.fromEntries([...this.variables, ...this.secrets]) },
      say(runLog),
    );
    if (overtaken()) return container.stop();
    this.#containers.add(container);
    // The newest container's log, however the container ended.
    this.runLog = runLog;
    const ended: { code: number | null } = { code: null };
    void container.exited.then((code) => {
      ended.code = code;
      this.#containers.delete(container);
      if (this.live !== container) return;
      // It ended by itself, after it was running.
      this.live = null;
      this.errorMessage = `Exit code: ${code}. Reason: application error`;
      this.#enter("RUNTIME_ERROR");
    });
    const deadline = Date.now() + startLimitMs;
    while (ended.code === null && Date.now() < deadline && !(await listens(container.port))) await sleep(10);
    if (overtaken()) return container.stop();
    if (ended.code !== null || !(await listens(container.port))) {
      await container.stop();
      const { live } = this;
      this.live = null;
      await live?.stop();
      this.sha = commit.sha;
      this.errorMessage =
        ended.code === null
          ? "Launch timed out, space was not healthy after 30 min"
          : `Exit code: ${ended.code}. Reason: application error`;
      this.#enter("RUNTIME_ERROR");
      return;
    }
    const stall = stalls?.(deployment) ?? "never";
    if (stall !== "never" && before && this.sha !== commit.sha) {
      if (stall === "always") await container.stop();
      else this.#held = { container, unstall: stall === "until-restart" ? "restart" : "factory" };
      this.#enter("RUNNING");
      return;
    }
    await this.#take(container);
  }

  async #take(container: Container): Promise<void> {
    const old = this.live;
    const before = this.#replica;
    this.live = container;
    this.sha = container.sha;
    this.#enter("RUNNING");
    const stays = this.behaviour.keepsOld?.(this.deployed(container.sha)) === true;
    this.#replica = stays ? old : null;
    await Promise.all([before?.stop(), stays ? undefined : old?.stop()]);
  }
}
