import { realpath } from "node:fs/promises";
import { basename, join, posix, relative, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { ConfigurationError } from "../models/core/errors.ts";
import { defaultCacheDir } from "../models/core/artifact/cache-dir.ts";
import {
  isRemote,
  loadModelFile,
  withArtifact,
  type LoadedManifest,
  type LoadedRemote,
} from "../models/core/predictor/load.ts";
import type { Configuration } from "./schema/configuration.ts";
import { readBaseModels } from "./gate/base-models.ts";
import { resolveReference } from "./gate/baseline.ts";
import { readConfiguration } from "./gate/configuration-file.ts";
import { continuity, type Ended } from "./gate/continuity.ts";
import { endedVerdict, retirementNotes } from "./gate/ended-verdict.ts";
import type { Shard } from "./dataset/shard.ts";
import type { EvaluationContext, GateDeps, GateRequest } from "./gate/context.ts";
import { evaluateModel, predictModelShard, type ModelEvaluation } from "./gate/evaluate-model.ts";
import { gitIn, slashed, topLevel } from "./gate/git.ts";
import { forbidBackendSwitch } from "./gate/forbid-backend-switch.ts";
import { lfsObjectsOf } from "./gate/lfs-objects.ts";
import { modelFolder } from "./gate/model-folder.ts";
import { removeOutputs, writeOutputs, type OutputFiles } from "./gate/outputs.ts";
import { privateCache } from "./gate/private-cache.ts";
import { readWaivers } from "./gate/waivers.ts";
import { convertedNote, filesReadFor, workingTreeState } from "./gate/working-tree.ts";
import { withWorkDir } from "./gate/work-dir.ts";
import { judgeRun } from "./judge/judge.ts";
import type { MetricsFile } from "./schema/metrics.ts";
import type { VerdictFile } from "./schema/verdict.ts";
import { sluiceVersion } from "../models/core/version.ts";
import { sluiceCommand } from "../models/core/invocation.ts";

export type { GateDeps, GateEvent, GateRequest } from "./gate/context.ts";

export type GateOutcome = {
  verdict: VerdictFile;
  metrics: MetricsFile;
  files: OutputFiles;
  configuration: Configuration;
};

/**
 * Evaluates models against their baselines, judges them, and writes predictions/, metrics.json, verdict.json, report.md
 * and report.html under `request.out`.
 *
 * A model that cannot be evaluated gets the verdict ERROR and does not stop the others.
 * @throws ConfigurationError when sluice.yaml, a model.yaml or an argument is wrong; nothing is judged then
 */
export function runGate(request: GateRequest, deps: GateDeps): Promise<GateOutcome> {
  return withWorkDir(deps.env, (workDir) => gateIn(workDir, request, deps));
}

async function gateIn(workDir: string, request: GateRequest, deps: GateDeps): Promise<GateOutcome> {
  // What an earlier run left, or the change itself put there, must not pass for this run's result, however it ends.
  const checkout = await topLevel(gitIn(request.root, deps.env), request.root);
  await removeOutputs(checkout, resolve(request.root, request.out));
  const { config, candidates, ended, context } = await prepare(request, workDir, deps);
  const { repository, git } = context;
  const tree = await workingTreeState(git, repository, [context.configFile, ...candidates.flatMap(filesReadFor)]);
  const evaluations: ModelEvaluation[] = [];
  for (const loaded of candidates) {
    deps.signal?.throwIfAborted();
    const evaluation = await evaluateModel(loaded, context);
    const note = tree === null ? null : convertedNote(tree, repository, loaded);
    if (note !== null) evaluation.verdict.notes.push(note);
    evaluations.push(evaluation);
  }

  const createdAt = deps.now().toISOString();
  const models = [...evaluations.map((one) => one.verdict), ...ended.map((one) => endedVerdict(one, context))];
  for (const note of retirementNotes(context)) {
    deps.onEvent({ kind: "note", text: note });
    models[0]?.notes.push(note);
  }
  const verdict: VerdictFile = {
    schemaVersion: 1,
    ...judgeRun(models),
    commit: tree?.state.commit ?? null,
    ...(tree === null ? {} : { commitState: tree.state }),
    reproduce: { command: "gate", flags: flagsOf(request) },
    sluiceVersion,
    createdAt,
    models,
  };
  const metrics: MetricsFile = {
    schemaVersion: 1,
    sluiceVersion,
    createdAt,
    models: evaluations.flatMap((one) => one.metrics),
  };
  deps.onEvent({
    kind: "stage",
    model: candidates.map((one) => one.manifest.id).join(", "),
    stage: "writing the report",
  });
  const files = await writeOutputs(
    context.request.out,
    verdict,
    metrics,
    evaluations.flatMap((one) => one.plots),
    evaluations.flatMap((one) => one.examples),
  );
  // Whether a comment is kept is the base's to say, too: a change must not silence its own report.
  const reporting = context.policyBase?.reporting ?? config.reporting;
  return { verdict, metrics, files, configuration: { ...config, reporting } };
}

/** The flags of `sluice gate` that give this request, without models and --baseline. */
function flagsOf({ configFile, provider, performance, seed }: GateRequest): string[] {
  return [
    ...(configFile === "sluice.yaml" ? [] : ["--config", configFile]),
    ...(provider === undefined ? [] : ["--provider", provider]),
    ...(performance ? [] : ["--no-performance"]),
    ...(seed === 1 ? [] : ["--seed", String(seed)]),
  ];
}

/**
 * One job's part of a gate whose rows are split over several jobs. Predicts a contiguous part of the rows with
 * candidate and baseline and writes it under OUT/shards. There is no verdict until `runGate` merges all parts with
 * `shards`.
 *
 * @returns the folders written
 * @throws ConfigurationError; EvaluationError when a model cannot answer
 */
export function predictShard(request: GateRequest, shard: Shard, deps: GateDeps): Promise<string[]> {
  return withWorkDir(deps.env, async (workDir) => {
    const { candidates, context } = await prepare(request, workDir, deps);
    const folders: string[] = [];
    for (const loaded of candidates) folders.push(...(await predictModelShard(loaded, shard, context)));
    return folders;
  });
}

/**
 * Reads and checks, once, everything that is the same for all models of a run.
 * @param workDir see `withWorkDir`
 */
export async function prepare(
  request: GateRequest,
  workDir: string,
  deps: GateDeps,
): Promise<{ config: Configuration; candidates: LoadedManifest[]; ended: Ended[]; context: EvaluationContext }> {
  // Without symbolic links, as git names it: so that what is inside the repository is known to be inside.
  const root = await realpath(request.root).catch(() => resolve(request.root));
  const configFile = resolve(root, request.configFile);
  const config = await readConfiguration(configFile);
  const git = gitIn(root, deps.env);
  const repository = await topLevel(git, root);
  const found = await Promise.all(
    config.models.map(async (folder, i) =>
      loadModelFile(await modelFolder(folder, root, repository, `${request.configFile} models.${i}`)),
    ),
  );
  for (const one of found) if (!isRemote(one)) await checkParts(one, root, repository);
  const all = measurable(found, request.models, deps);
  refuseTwins(all);
  const reference = await resolveReference(request.baseline, git);
  await forbidBackendSwitch(found.filter(isRemote), reference, root, git);
  const policyReference =
    request.policyRef === undefined ? reference : await resolveReference({ ref: request.policyRef }, git);
  const branchBase = await readBaseModels(reference, configFile, config, root, git);
  const policyBase = isDeepStrictEqual(policyReference, reference)
    ? branchBase
    : await readBaseModels(policyReference, configFile, config, root, git);
  const folderOf = (dir: string) => slashed(relative(repository, dir));
  const continued = continuity(
    policyBase,
    branchBase === null ? null : new Set(branchBase.models.map(({ id }) => id)),
    all.map(({ manifest, dir }) => ({
      id: manifest.id,
      formerly: manifest.formerly,
      folder: folderOf(dir),
    })),
  );
  const { candidates, ended } = chooseModels(all, continued.ended, request.models, folderOf);
  const waivers = await readWaivers(
    configFile,
    policyReference,
    root,
    all.map((one) => one.manifest.id),
    git,
  );
  const { cacheDir, note } = await privateCache(defaultCacheDir(deps.env), repository, join(workDir, "cache"));
  if (note !== null) deps.onEvent({ kind: "note", text: note });
  const shards = request.shards === undefined ? {} : { shards: resolve(root, request.shards) };
  return {
    config,
    candidates,
    ended,
    context: {
      request: { ...request, root, out: resolve(root, request.out), ...shards },
      configFile,
      configuration: config,
      reference,
      branchBase,
      policyReference,
      policyBase,
      continuity: continued,
      waivers,
      git,
      repository,
      lfs: lfsObjectsOf({
        git,
        root,
        base: policyReference.kind === "commit" ? policyReference.commit : null,
        cacheDir,
        env: deps.env,
        fetch: deps.fetch,
        token: deps.gitToken ?? null,
        ...(deps.signal === undefined ? {} : { signal: deps.signal }),
      }),
      cacheDir,
      workDir,
      deps,
    },
  };
}

/**
 * The models that can be measured. Models with a remote backend are left out with a note. They are refused when they
 * are named, or when there are no others.
 */
function measurable(
  found: readonly (LoadedManifest | LoadedRemote)[],
  wanted: readonly string[],
  deps: GateDeps,
): LoadedManifest[] {
  const named = (one: LoadedManifest | LoadedRemote) =>
    wanted.includes(one.manifest.id) || wanted.includes(basename(one.dir));
  const left = found.filter((one) => isRemote(one) && !named(one));
  const kept = found.length === left.length ? found : found.filter((one) => !left.includes(one));
  if (kept.length < found.length)
    deps.onEvent({
      kind: "note",
      text: `not gated, because a remote provider answers for them: ${left.map((one) => one.manifest.id).join(", ")}`,
    });
  return kept.map(withArtifact);
}

/**
 * The models of a composition lie in the repository, too, and no link leads to them: the base branch has nothing else.
 *
 * @throws ConfigurationError `model-outside`, `model-link`
 */
async function checkParts(one: LoadedManifest, root: string, repository: string): Promise<void> {
  for (const model of one.composition?.models.values() ?? []) {
    if (slashed(relative(repository, model.dir)).startsWith(".."))
      throw new ConfigurationError({
        code: "model-outside",
        place: one.file,
        problem: `the model ${model.manifest.id} lies outside the repository`,
        expected: "a folder of this repository",
        received: model.dir,
      });
    await modelFolder(slashed(relative(root, model.dir)), root, repository, one.file);
    await checkParts(model, root, repository);
  }
}

/** @throws ConfigurationError when an id is there twice */
function refuseTwins(all: readonly LoadedManifest[]): void {
  const known = all.map((one) => one.manifest.id);
  const twice = known.find((id, i) => known.indexOf(id) !== i);
  if (twice !== undefined)
    throw new ConfigurationError({
      code: "duplicate-model",
      problem: `two models have the id ${twice}`,
      place: all
        .filter((one) => one.manifest.id === twice)
        .map((one) => one.file)
        .join(" and "),
      expected: "every id once",
    });
}

/** Whether a name may mean a model: its id, the id that it had, its folder, or the folder's last part. */
function mayMean(name: string, ids: readonly (string | undefined)[], folder: string): boolean {
  const path = posix.normalize(name).replace(/\/$/, "");
  return ids.includes(name) || path === folder || (!path.includes("/") && posix.basename(folder) === path);
}

/**
 * The models that are named; all of them where none is. A name chooses every model that it may mean, so that a second
 * folder of the same name cannot take a model's place in its own gate.
 */
function chooseModels(
  all: readonly LoadedManifest[],
  ended: readonly Ended[],
  wanted: readonly string[],
  folderOf: (dir: string) => string,
): { candidates: LoadedManifest[]; ended: Ended[] } {
  if (wanted.length === 0) return { candidates: [...all], ended: [...ended] };
  const chosen = wanted.map((name) => {
    const candidates = all.filter(({ manifest, dir }) =>
      mayMean(name, [manifest.id, manifest.formerly], folderOf(dir)),
    );
    const missing = ended.filter(({ model }) => mayMean(name, [model.id], model.folder));
    if (candidates.length + missing.length === 0) {
      const known = all.map(({ manifest }) => manifest.id);
      throw new ConfigurationError({
        code: "unknown-model",
        problem: "sluice.yaml has no such model",
        place: "MODEL",
        expected: `one of ${known.join(", ")}`,
        received: name,
        example: `${sluiceCommand()} gate ${known[0]}`,
      });
    }
    return { candidates, missing };
  });
  return {
    candidates: [...new Set(chosen.flatMap(({ candidates }) => candidates))],
    ended: [...new Set(chosen.flatMap(({ missing }) => missing))],
  };
}
