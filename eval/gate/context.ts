import type { LfsObjects } from "../../models/core/artifact/lfs-pointer.ts";
import type { Provider } from "../../models/core/session/session.ts";
import type { Configuration } from "../schema/configuration.ts";
import type { BaseModels } from "./base-models.ts";
import type { BaselineChoice, Reference } from "./baseline.ts";
import type { Continuity } from "./continuity.ts";
import type { Git } from "./git.ts";
import type { ReleaseRecords } from "./releases.ts";
import type { Waivers } from "./waivers.ts";

export type GateRequest = {
  /** The repository's checkout; paths of sluice.yaml are relative to it. */
  root: string;
  configFile: string;
  /** Ids of models; empty means every model of sluice.yaml. */
  models: string[];
  baseline: BaselineChoice;
  /** Commit whose thresholds count; default: the baseline's. */
  policyRef?: string;
  out: string;
  seed: number;
  provider?: Provider;
  /** Folder with the shards that earlier jobs wrote; predictions are read from there. */
  shards?: string;
  /** Whether latency, throughput and memory are measured. */
  performance: boolean;
};

export type GateEvent =
  | { kind: "stage"; model: string; stage: string }
  | { kind: "progress"; model: string; stage: string; done: number; total: number }
  | { kind: "note"; text: string };

export type GateDeps = {
  env: NodeJS.ProcessEnv;
  now: () => Date;
  fetch: typeof fetch;
  onEvent: (event: GateEvent) => void;
  signal?: AbortSignal;
  /** How proved versions are recorded; without it, no tag is looked at. */
  releases?: ReleaseRecords;
  /** Seed of the rows of other jobs' shards that are predicted again; default: one that nobody can foresee. */
  drawSeed?: () => number;
  /** Token for the server that GITHUB_SERVER_URL names, for Git LFS objects that the clone lacks. */
  gitToken?: string;
  /** Program that measures a model in its own process; see eval/latency/profile.ts. */
  latencyWorker?: URL;
};

/** What all models of a run are evaluated with. */
export type EvaluationContext = {
  request: GateRequest;
  /** Absolute path of sluice.yaml, and what the candidate's says. What counts is the base's, where there is one. */
  configFile: string;
  configuration: Configuration;
  reference: Reference;
  /** The models at the reference, when it is a commit: baselines are among them. */
  branchBase: BaseModels | null;
  policyReference: Reference;
  /** The models at the commit whose settings decide. */
  policyBase: BaseModels | null;
  /** Which candidate continues which model of `policyBase`. */
  continuity: Continuity;
  waivers: Waivers;
  git: Git;
  /** Folder of the whole repository, absolute: `request.root`, or above it. */
  repository: string;
  /** Git LFS objects of the repository. */
  lfs: LfsObjects;
  /** Outside the repository; what is found there is checked before it is used. */
  cacheDir: string;
  /** Folder of this run alone; see `withWorkDir`. */
  workDir: string;
  deps: GateDeps;
};
