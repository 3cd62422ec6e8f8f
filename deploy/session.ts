import { existsSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { configuration } from "../eval/schema/configuration.ts";
import { commitOf, gitIn } from "../eval/gate/git.ts";
import { writeFileAtomic } from "../models/core/atomic-write.ts";
import { parseYaml } from "../models/core/manifest/config-file.ts";
import { ConfigurationError } from "../models/core/errors.ts";
import { artifactDigest } from "../models/core/manifest/artifact-files.ts";
import { modelIdentity } from "../models/core/manifest/identity.ts";
import { rolloutSettings, type RolloutSettings } from "../models/core/rollout/settings.ts";
import { rulesIdentity } from "../models/core/rules/identity.ts";
import { sluiceVersion } from "../models/core/version.ts";
import { loadManifest, type LoadedManifest } from "../models/core/predictor/load.ts";
import { largeWeights } from "./bundle/hub-weights.ts";
import { makeTree } from "./bundle/make.ts";
import { withCandidate } from "./bundle/with-candidate.ts";
import { liveTree } from "./rollout-trees.ts";
import { readTree, writeTree, type Tree } from "./bundle/tree.ts";
import { createContext, type Context } from "./context.ts";
import { deploy, dryRun } from "./deploy.ts";
import { hubCredentials, type Credentials, type Resource } from "./hub/credentials.ts";
import { Http, type HttpDeps } from "./hub/http.ts";
import { withoutFiles, type DeploymentReceipt } from "./receipt.ts";
import { environmentOf } from "../github/registry/deployment.ts";
import { actorOf, apiUrlOf, fullName, runOf, runUrlOf } from "../github/runner.ts";
import { repositoryIn } from "./record/repository.ts";
import { rollback, rollbackDryRun } from "./rollback.ts";
import type { Settings } from "./hub/settings.ts";
import { Timeline, type Sink } from "./timeline.ts";
import { readVerdict, requirePass, type PassedVerdict } from "./bundle/verdict.ts";

type DeployRequest = {
  root: string;
  /** Id or folder of a model. */
  model: string;
  /** staging, production, … */
  stage: string;
  /** NS/NAME; null for the one in sluice.yaml; "none" to make only the tree. */
  space: string | null;
  verdict: string;
  /** Folder of a tree. It is read if it contains one; otherwise the new tree is written to it. */
  bundle: string | null;
  /**
   * Puts the version beside the one that serves, instead of in its place. `key`: SLUICE_ROLLOUT_KEY. `beside`: a tree on
   * disk to stand in for what serves; null for the Space's own.
   */
  rollout?: { key: string | null; beside: string | null } | null;
  reason: string;
  settings: Settings;
  dryRun: boolean;
  hubToken: string | null;
  githubToken: string | null;
  out: string;
};

export type SessionDeps = Omit<HttpDeps, "note"> & {
  env: NodeJS.ProcessEnv;
  /** For dates alone. */
  now: () => number;
  mask: (secret: string) => void;
  sink: Sink;
  /** The part of the tree that every Space shares. */
  spaceFiles: () => Promise<{ name: string; bytes: Uint8Array }[]>;
  /** Prepares the native runtime if that is needed. */
  prepareNative: () => Promise<void>;
};

/** A receipt, and the file that it was written to; null if it could not be written. */
export type Written = { receipt: DeploymentReceipt; file: string | null };

/**
 * Carries out a request. The receipt is also written to OUT/deployment.json, a refusal's too, so that no receipt of an
 * earlier step is taken for this one's.
 */
export async function runDeploy(request: DeployRequest, deps: SessionDeps): Promise<Written> {
  const { root, settings } = request;
  const { refusable, timeline, startedAt, environment, loaded, places } = await begin(request, deps);
  return refusable(async (describe) => {
    const { id } = loaded.manifest;
    const commit = await commitOf(gitIn(root, deps.env), "HEAD");
    if (request.space !== "none") spaceNamed(request, id, places);
    if (request.rollout?.key != null) deps.mask(request.rollout.key);
    if (request.space === "none" && request.rollout != null && request.rollout.beside === null)
      throw new ConfigurationError({
        code: "rollout-baseline",
        place: "--rollout",
        problem: "without a Space there is no live version to put the candidate beside",
        expected: "the folder of the live version's tree",
        example: "--bundle out/both --rollout out/live",
      });
    const found = await readVerdict(resolve(root, request.verdict), id);
    const repository = await repositoryIn(root, deps.env);
    const source = { repository: repository === null ? null : fullName(repository), commit };
    const policy = { now: new Date(deps.now()), maxAgeHours: settings["max-verdict-age-hours"] };
    const { version, artifact } = loaded.manifest;
    const sha256 = artifactDigest(artifact);
    describe({ source });
    const { rules = null } = rulesIdentity(loaded.manifest);
    const verdict = requirePass(found, { model: id, version, sha256, rules: rules?.sha256 ?? null, commit }, policy);

    const bundle = request.bundle === null ? null : resolve(root, request.bundle);
    const ready = bundle !== null && existsSync(join(bundle, "deployment.json"));
    const tree = ready ? await readTree(bundle) : await fresh(loaded, verdict, source, deps);
    if (ready) requireSame(tree, { id, version, sha256, rules: rules?.sha256 ?? null, commit }, verdict, bundle);
    const made = withoutFiles(tree.deployed);
    describe(made);
    timeline.stage("tree", `${tree.files.length} files, ${ready ? `from ${request.bundle}` : "made here"}`);
    const { beside = null } = request.rollout ?? {};
    const settled =
      beside === null
        ? tree
        : withCandidate(await readTree(resolve(root, beside)), tree, places.rollout, keyOf(request));
    if (bundle !== null && !ready) await writeTree(bundle, settled);
    const none = nothingYet(environment, made, startedAt, timeline);
    if (request.space === "none")
      return {
        ...none,
        outcome: "bundled",
        reason: `the tree lies in ${request.bundle ?? "memory only"}`,
        space: null,
      };

    const context = await contextFor(
      request,
      id,
      places,
      commit,
      timeline,
      deps,
      largeWeights(tree, settings["max-weights-bytes"]) !== null,
    );
    const wanted =
      request.rollout == null || beside !== null
        ? settled
        : withCandidate(await liveTree(context), tree, places.rollout, keyOf(request));
    if (request.rollout != null && largeWeights(tree, settings["max-weights-bytes"]) !== null)
      throw new ConfigurationError({
        code: "rollout-weights",
        place: "--rollout",
        problem: "the candidate's weights are too large for the Space",
        expected: `at most ${settings["max-weights-bytes"]} bytes (setting max-weights-bytes)`,
        hint: "deploy it without --rollout, to a Space of its own or in the live version's place",
      });
    if (request.dryRun)
      return {
        ...none,
        outcome: "planned",
        reason: (await dryRun(wanted, context)).join("\n"),
        space: context.space.name,
      };
    return deploy(wanted, context);
  });
}

/** @throws ConfigurationError without the secret that a roll-out is controlled with */
function keyOf({ rollout }: Pick<DeployRequest, "rollout">): string {
  if (rollout?.key != null) return rollout.key;
  throw new ConfigurationError({
    code: "rollout-key",
    place: "SLUICE_ROLLOUT_KEY",
    problem: "there is no secret that the roll-out could be controlled with",
    expected: "the same secret here and where `sluice rollout` runs; the Space gets only a digest made of it",
    example: "SLUICE_ROLLOUT_KEY=$(openssl rand -hex 32)",
  });
}

/** The same for a rollback to an earlier version. */
export async function runRollback(
  request: Omit<DeployRequest, "verdict" | "bundle"> & { version: string | null },
  deps: SessionDeps,
): Promise<Written> {
  const { refusable, timeline, startedAt, loaded, places } = await begin(request, deps);
  return refusable(async (describe) => {
    const commit = await commitOf(gitIn(request.root, deps.env), "HEAD");
    describe({ source: { repository: null, commit } });
    const context = await contextFor(request, loaded.manifest.id, places, commit, timeline, deps, false);
    if (!request.dryRun) return rollback(loaded.manifest.id, request.version, context);
    const { lines, deployed } = await rollbackDryRun(loaded.manifest.id, request.version, context);
    return {
      ...nothingYet(context.environment, deployed, startedAt, timeline),
      outcome: "planned",
      reason: lines.join("\n"),
      space: context.space.name,
    };
  });
}

/** What a controller of a model's roll-out works with. */
export async function rolloutContext(
  request: Pick<
    DeployRequest,
    "root" | "model" | "stage" | "space" | "settings" | "reason" | "hubToken" | "githubToken"
  >,
  deps: SessionDeps,
): Promise<{ context: Context; model: string }> {
  const { loaded, places } = await findModel(request.root, request.model);
  const { id } = loaded.manifest;
  const commit = await commitOf(gitIn(request.root, deps.env), "HEAD");
  const timeline = new Timeline(deps.sink, deps.monotonic);
  return {
    context: await contextFor({ ...request, dryRun: false }, id, places, commit, timeline, deps, false),
    model: id,
  };
}

/** What is known of the model that a request is about, and the writing of its receipt. */
async function begin(request: Pick<DeployRequest, "root" | "model" | "stage" | "space" | "out">, deps: SessionDeps) {
  const startedAt = new Date(deps.now()).toISOString();
  const timeline = new Timeline(deps.sink, deps.monotonic);
  await rm(receiptFile(request), { force: true }).catch(() => {});
  const { loaded, places } = await findModel(request.root, request.model);
  const { id } = loaded.manifest;
  const environment = environmentOf(id, request.stage);
  /** @param act calls `describe` with what it finds out about what is to be deployed, for the receipt of a refusal */
  const refusable = async (
    act: (describe: (more: Partial<DeploymentReceipt["deployed"]>) => void) => Promise<DeploymentReceipt>,
  ): Promise<Written> => {
    let deployed: DeploymentReceipt["deployed"] = {
      schemaVersion: 1,
      model: modelIdentity(loaded.manifest),
      source: { repository: null, commit: null },
      verdict: null,
      server: { version: sluiceVersion },
    };
    let receipt: DeploymentReceipt;
    try {
      receipt = await act((more) => {
        deployed = { ...deployed, ...more };
      });
    } catch (error) {
      await written(request, {
        ...nothingYet(environment, deployed, startedAt, timeline),
        outcome: "refused",
        reason: (error as Error).message,
        space: request.space === "none" ? null : (request.space ?? places.spaces[request.stage] ?? null),
      });
      throw error;
    }
    return written(request, receipt);
  };
  return { startedAt, timeline, loaded, places, environment, refusable };
}

/** The receipt of a request that changed nothing. */
function nothingYet(
  environment: string,
  deployed: DeploymentReceipt["deployed"],
  startedAt: string,
  timeline: Timeline,
) {
  return {
    schemaVersion: 1 as const,
    environment,
    url: null,
    deployed,
    spaceCommit: null,
    serving: null,
    committed: false,
    rolledBackTo: null,
    proof: null,
    githubDeployment: null,
    tag: null,
    notRecorded: [],
    log: [],
    startedAt,
    finishedAt: startedAt,
    timeline: timeline.entries,
  };
}

async function fresh(
  loaded: LoadedManifest,
  verdict: PassedVerdict,
  source: { repository: string | null; commit: string | null },
  deps: SessionDeps,
): Promise<Tree> {
  await deps.prepareNative();
  return makeTree(loaded, verdict, source, { env: deps.env, fetch: deps.fetch, space: deps.spaceFiles });
}

/** A tree that was made earlier must match the model, commit and verdict that were just checked. */
function requireSame(
  { deployed }: Tree,
  wanted: { id: string; version: string; sha256: string; rules: string | null; commit: string | null },
  verdict: PassedVerdict,
  place: string,
): void {
  const differ = (what: string, expected: string | null, received: string | null) => {
    if (expected !== received)
      throw new ConfigurationError({
        code: "bundle-other",
        place,
        problem: `the tree was made for another ${what}`,
        expected: expected ?? "none",
        received: received ?? "none",
        hint: `remove ${place}: it is then made again for this commit`,
      });
  };
  differ("model", wanted.id, deployed.model.id);
  differ("version", wanted.version, deployed.model.version);
  differ("artifact", wanted.sha256, deployed.model.sha256);
  differ("set of rules", wanted.rules, deployed.model.rules?.sha256 ?? null);
  differ("commit", wanted.commit, deployed.source.commit);
  differ("verdict", verdict.sha256, deployed.verdict.sha256);
}

/** Where sluice.yaml says that a model is deployed: its Spaces by stage, the repository for large weights, and how. */
type Places = { spaces: Record<string, string>; weights: string | null; rollout: RolloutSettings };

/** @param name id or folder @throws ConfigurationError when sluice.yaml names no such model */
async function findModel(root: string, name: string): Promise<{ loaded: LoadedManifest; places: Places }> {
  const file = join(root, "sluice.yaml");
  const text = await readFile(file, "utf8").catch(() => {
    throw new ConfigurationError({
      code: "config-missing",
      place: file,
      problem: "there is no configuration here",
      expected: "a sluice.yaml at the repository's root",
    });
  });
  const { models, spaces, weights, rollout } = parseYaml(text, file, configuration);
  const dir = models.find((one) => one === name || basename(one) === name);
  if (dir === undefined)
    throw new ConfigurationError({
      code: "model-unknown",
      place: file,
      problem: `no model ${name}`,
      expected: models.map((one) => basename(one)).join(", "),
      received: name,
    });
  const loaded = await loadManifest(join(root, dir));
  const { id } = loaded.manifest;
  return {
    loaded,
    places: {
      spaces: spaces[id] ?? {},
      weights: weights[id] ?? null,
      rollout: rollout[id] ?? rolloutSettings.parse({}),
    },
  };
}

/** NS/NAME of the Space to deploy to. @throws ConfigurationError if none is named */
function spaceNamed(
  { space, stage }: Pick<DeployRequest, "space" | "stage">,
  model: string,
  { spaces }: Places,
): string {
  const name = space ?? spaces[stage];
  if (name === undefined)
    throw new ConfigurationError({
      code: "space-unknown",
      place: "sluice.yaml spaces",
      problem: `${model} has no Space for ${stage}`,
      expected: `a Space for ${stage}, or another stage${Object.keys(spaces).length === 0 ? "" : `: ${Object.keys(spaces).join(", ")}`}`,
      received: "none",
      example: `spaces:\n  ${model}: {${stage}: ns/${model}}`,
    });
  if (!/^[\w.-]+\/[\w.-]+$/.test(name))
    throw new ConfigurationError({
      code: "space-name",
      place: "the Space's name",
      problem: "not the name of a Space",
      expected: "NS/NAME",
      received: name,
      example: "octo/births",
    });
  return name;
}

async function contextFor(
  request: Pick<
    DeployRequest,
    "root" | "stage" | "space" | "settings" | "reason" | "hubToken" | "githubToken" | "dryRun"
  >,
  model: string,
  places: Places,
  commit: string | null,
  timeline: Timeline,
  deps: SessionDeps,
  largeWeights: boolean,
): Promise<Context> {
  const { env, settings } = { env: deps.env, settings: request.settings };
  const spaceName = spaceNamed(request, model, places);
  const endpoint = (env["HF_ENDPOINT"] || "https://huggingface.co").replace(/\/+$/, "");
  const note = (text: string) => {
    timeline.note(text);
  };
  const shared = {
    fetch: deps.fetch,
    sleep: deps.sleep,
    random: deps.random,
    monotonic: deps.monotonic,
    note,
    now: deps.now,
  };
  const signIn: HttpDeps = { ...shared, signal: deps.signal };
  const credentialsFor = (resource: Resource) =>
    hubCredentials(resource, endpoint, env, request.hubToken, {
      ...signIn,
      http: new Http(settings, signIn),
      mask: deps.mask,
    }).catch((error: unknown): Credentials => {
      // A dry run only reads, and reading public repositories needs no token.
      if (request.dryRun && error instanceof ConfigurationError)
        return { kind: "nothing: only what is public can be seen", token: () => Promise.resolve(null) };
      throw error;
    });
  const credentials = await credentialsFor(`spaces/${spaceName}`);
  timeline.stage("sign in", `with ${credentials.kind}`);
  const weightsName = places.weights ?? `${spaceName.split("/")[0]}/${model}`;
  const weightsPart = largeWeights
    ? { name: weightsName, credentials: await credentialsFor(weightsName as Resource) }
    : null;
  const repository = await repositoryIn(request.root, env);
  if (request.githubToken !== null) deps.mask(request.githubToken);
  const github =
    request.githubToken === null || repository === null
      ? null
      : { apiUrl: apiUrlOf(env), repository, token: request.githubToken };
  if (github === null && !request.dryRun)
    note(
      "without GITHUB_TOKEN and a repository there is no lock, no record and no tag, and an earlier version is known only if it serves now",
    );
  return createContext(
    {
      endpoint,
      spaceName,
      credentials,
      weights: weightsPart,
      github,
      settings,
      timeline,
      environment: environmentOf(model, request.stage),
      commit: commit ?? env["GITHUB_SHA"] ?? null,
      actor: actorOf(env),
      reason: request.reason,
      logUrl: runUrlOf(env),
      mark: `sluice ${Math.floor(deps.random() * 2 ** 48).toString(16)}`,
      run: runOf(env),
      deps: shared,
    },
    deps.signal,
  );
}

/** Where a request leaves its receipt. */
export function receiptFile({ root, out }: Pick<DeployRequest, "root" | "out">): string {
  return join(resolve(root, out), "deployment.json");
}

/** Writes the receipt. What is live stays live if that cannot be done: the receipt says so, and is still returned. */
async function written(request: Pick<DeployRequest, "root" | "out">, receipt: DeploymentReceipt): Promise<Written> {
  const file = receiptFile(request);
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFileAtomic(file, `${JSON.stringify(receipt, null, 2)}\n`);
    return { receipt, file };
  } catch (error) {
    const problem = `the receipt could not be written to ${file} (${(error as Error).message})`;
    return { receipt: { ...receipt, notRecorded: [...receipt.notRecorded, problem] }, file: null };
  }
}
