import { cp, mkdir, readFile, realpath, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { readConfiguration } from "../../eval/gate/configuration-file.ts";
import { datasetPaths } from "../../eval/dataset/paths.ts";
import { gitIn, slashed, topLevel } from "../../eval/gate/git.ts";
import { judgedStores } from "../../eval/gate/judged-stores.ts";
import { lfsObjectsOf } from "../../eval/gate/lfs-objects.ts";
import { modelFolder } from "../../eval/gate/model-folder.ts";
import { privateCache } from "../../eval/gate/private-cache.ts";
import { withWorkDir } from "../../eval/gate/work-dir.ts";
import { defaultCacheDir } from "../../models/core/artifact/cache-dir.ts";
import { writeFileAtomic } from "../../models/core/atomic-write.ts";
import { didYouMean } from "../../models/core/did-you-mean.ts";
import { ConfigurationError, EvaluationError } from "../../models/core/errors.ts";
import { localFilesOf } from "../../models/core/manifest/local-files.ts";
import type { TrainSettings } from "../../models/core/manifest/train.ts";
import {
  isRemote,
  loadManifest,
  loadModelFile,
  MANIFEST_FILE,
  placeIn,
  type LoadedManifest,
} from "../../models/core/predictor/load.ts";
import { answersAlike, candidateManifest, filesWritten, letAnswer } from "./candidate.ts";
import { changesBetween, cleanCopy, snapshot, trackedFiles } from "./clean-copy.ts";
import { inputsDigest, readRecord, RECORD_FILE, type TrainingRecord } from "./retrained-file.ts";
import { runTraining, type TrainingRun } from "./run-training.ts";
import { readTrainingData } from "./test-rows.ts";

export type RetrainRequest = {
  /** Folder of sluice.yaml, absolute. */
  root: string;
  configFile: string;
  model: string;
  /** Train although nothing is new. */
  again: boolean;
  /** Of a candidate that waits elsewhere, e.g. on its branch: a training from the same is not run again. */
  known: TrainingRecord | null;
  /** Folder for what it hands over, absolute. */
  out: string;
};

export type RetrainDeps = {
  env: NodeJS.ProcessEnv;
  fetch: typeof fetch;
  onNote: (text: string) => void;
};

/**
 * What became of it. `current`: nothing is new since the model's last training, or since the candidate that waits, so
 * it was not trained. `same`: it was trained and answers as before. `candidate`: there is a new version.
 */
export type RetrainOutcome = {
  schemaVersion: 1;
  model: string;
  result: "candidate" | "same" | "current";
  /** Folder of the model, from the repository's top level. */
  folder: string;
  from: string;
  version: string;
  seconds: number | null;
  peakMemoryMb: number | null;
  data: { name: string; sha256: string; rows: number }[];
  testRows: number;
  /** Files of the candidate in the model's folder. */
  files: string[];
};

export type Trained = { loaded: LoadedManifest; train: TrainSettings };

/** The models of a configuration that say how they are trained. */
export async function trainedModels(
  { root: given, configFile }: Pick<RetrainRequest, "root" | "configFile">,
  env: NodeJS.ProcessEnv,
): Promise<Trained[]> {
  const root = await realpath(given).catch(() => resolve(given));
  const config = await readConfiguration(resolve(root, configFile));
  const repository = await topLevel(gitIn(root, env), root);
  const found: Trained[] = [];
  for (const [i, folder] of config.models.entries()) {
    const loaded = await loadModelFile(await modelFolder(folder, root, repository, `${configFile} models.${i}`));
    if (!isRemote(loaded) && loaded.manifest.train !== undefined) found.push({ loaded, train: loaded.manifest.train });
  }
  return found;
}

/** @throws ConfigurationError `train-missing` */
export async function trainedModel(
  request: Pick<RetrainRequest, "root" | "configFile" | "model">,
  env: NodeJS.ProcessEnv,
): Promise<Trained> {
  const models = await trainedModels(request, env);
  const one = models.find(({ loaded }) => loaded.manifest.id === request.model);
  if (one !== undefined) return one;
  const ids = models.map(({ loaded }) => loaded.manifest.id);
  const near = didYouMean(request.model, ids);
  throw new ConfigurationError({
    code: "train-missing",
    place: request.configFile,
    problem: `no model "${request.model}" with a \`train\` in its model.yaml`,
    expected: ids.length === 0 ? "a model with `train`" : `one of ${ids.join(", ")}`,
    received: request.model,
    example: "train:\n  command: [python3, train/train.py]\n  data: [{path: data/train.csv}]",
    ...(near === null ? {} : { hint: `did you mean ${near}?` }),
  });
}

/**
 * Trains a model again, in a copy of the repository that has neither its history nor the gate's rows, and writes the
 * candidate into the model's folder and below `out`. Ended at any moment, it leaves the model as it was, or whole:
 * model.yaml comes last.
 *
 * @throws ConfigurationError, EvaluationError: every refusal says what, where, and what was expected; docs/retrain.md
 *   lists them
 */
export async function retrain(request: RetrainRequest, deps: RetrainDeps): Promise<RetrainOutcome> {
  return withWorkDir(deps.env, async (workDir) => {
    const { loaded, train } = await trainedModel(request, deps.env);
    const { manifest, dir } = loaded;
    const git = gitIn(dir, deps.env);
    const repository = await topLevel(git, dir);
    const folder = slashed(relative(repository, dir)) || ".";
    const below = (path: string) => slashed(relative(repository, join(dir, path)));
    const { cacheDir } = await privateCache(defaultCacheDir(deps.env), repository, join(workDir, "cache"));
    await rm(request.out, { recursive: true, force: true });
    await mkdir(request.out, { recursive: true });
    const data = await readTrainingData(loaded, train, {
      env: deps.env,
      fetch: deps.fetch,
      cacheDir,
      workDir,
      root: repository,
      placeIn: (path) => placeIn(loaded, path),
      lfs: lfsObjectsOf({
        git,
        root: repository,
        base: null,
        cacheDir,
        env: deps.env,
        fetch: deps.fetch,
        token: null,
      }),
    });
    const rows = data.files.reduce((sum, one) => sum + one.rows, 0);
    deps.onNote(
      `${rows} rows of training data in ${data.files.length} ${data.files.length === 1 ? "file" : "files"}, none of the ${data.test.rows.length} rows of the gate among them`,
    );
    const outcome: RetrainOutcome = {
      schemaVersion: 1,
      model: manifest.id,
      result: "current",
      folder,
      from: manifest.version,
      version: manifest.version,
      seconds: null,
      peakMemoryMb: null,
      data: data.files.map(({ name, sha256, rows: count }) => ({ name, sha256, rows: count })),
      testRows: data.test.rows.length,
      files: [],
    };
    const testPaths = (manifest.dataset?.files ?? []).filter(({ npm }) => npm === undefined).map(({ path }) => path);
    const { production } = await readConfiguration(resolve(request.root, request.configFile));
    const notInputs = [...testPaths, production];
    const inputFiles = (await trackedFiles(git)).filter(
      (path) => !notInputs.some((one) => path === one || path.startsWith(`${one}/`)),
    );
    if (!request.again) {
      for (const record of [await readRecord(dir), request.known]) {
        if (record === null) continue;
        const digest = await inputsDigest(loaded, inputFiles, data.files, record.wrote);
        if (record.inputs.includes(digest)) return outcome;
      }
    }
    const copy = join(workDir, "copy");
    await cleanCopy(gitIn(repository, deps.env), repository, copy, {
      leftOut: testPaths.map(below),
      leftOutDigests: data.testFiles,
    });
    const place = placeIn(loaded, ["train", "command"]);
    const before = await snapshot(copy);
    const weights = join(copy, folder, manifest.artifact.path ?? MANIFEST_FILE);
    const untouched = await writtenAt(weights);
    const checkout = await statusOf(repository, deps.env);
    deps.onNote(`training: ${train.command.join(" ")}`);
    const log = join(workDir, "train.log");
    const inCopy = (path: string) =>
      path.startsWith(`${repository}${sep}`) ? join(copy, relative(repository, path)) : path;
    const given = data.files.map(({ name, path }) => ({ name, path: inCopy(path) }));
    const environment = await trainingEnvironment(deps.env, workDir, given);
    let run: TrainingRun;
    let stray: boolean;
    try {
      run = await runTraining(train, { cwd: join(copy, folder), env: environment, log, place });
    } finally {
      stray = (await statusOf(repository, deps.env)) !== checkout;
      await cp(log, join(request.out, "train.log"));
    }
    if (stray)
      throw new EvaluationError({
        code: "train-wrote-outside",
        place,
        problem: "the training wrote into the repository that it was copied from",
        expected: "paths relative to the model's folder, in which it is started",
        received: "a change of the working tree, while it ran",
      });
    const kept = [
      ...datasetPaths(manifest.dataset!),
      ...train.data.filter(({ npm }) => npm === undefined).map(({ path }) => path),
      production,
      RECORD_FILE,
    ].map(below);
    const written = await filesWritten(changesBetween(before, await snapshot(copy)), { copy, folder, kept, place });
    if (written.length === 0 && (await writtenAt(weights)) === untouched)
      throw new EvaluationError({
        code: "train-wrote-nothing",
        place,
        problem: "the training wrote nothing",
        expected: "the weights that model.yaml names",
        received: "no change",
      });
    const copied = join(copy, folder);
    const text = await candidateManifest(loaded, copied, train, place);
    await writeFile(join(copied, MANIFEST_FILE), text);
    const candidate = await loadManifest(copied);
    const first = data.test.rows.slice(0, candidate.manifest.runtime.batch).map(({ row }) => row);
    await letAnswer(
      copied,
      first,
      judgedStores(loaded, data.test),
      { env: deps.env, fetch: deps.fetch, cacheDir },
      place,
    );
    const measured = { seconds: run.seconds, peakMemoryMb: run.peakMemoryMb };
    if (await answersAlike(loaded, written, copied, text, localFilesOf(candidate.manifest)))
      return { ...outcome, result: "same", ...measured };
    const wrote = written.filter((path) => path !== MANIFEST_FILE).toSorted();
    const record: TrainingRecord = {
      schemaVersion: 1,
      model: manifest.id,
      version: candidate.manifest.version,
      from: manifest.version,
      inputs: [
        ...new Set([
          await inputsDigest(loaded, inputFiles, data.files, wrote),
          await inputsDigest({ manifest: candidate.manifest, dir }, inputFiles, data.files, wrote),
        ]),
      ],
      data: outcome.data,
      wrote,
    };
    await writeFile(join(copied, RECORD_FILE), `${JSON.stringify(record, null, 2)}\n`);
    const files = [...wrote, RECORD_FILE, MANIFEST_FILE];
    for (const path of files) {
      await mkdir(dirname(join(request.out, "candidate", path)), { recursive: true });
      await cp(join(copied, path), join(request.out, "candidate", path));
    }
    await putInPlace(files, copied, dir);
    return { ...outcome, result: "candidate", version: candidate.manifest.version, files, ...measured };
  });
}

/** When a file was last written, to the nanosecond; null when it is not there. */
const writtenAt = (path: string): Promise<bigint | null> =>
  stat(path, { bigint: true }).then(
    ({ mtimeNs }) => mtimeNs,
    () => null,
  );

/** Puts the candidate's files where the model's are, each at once, and model.yaml, which names the others, last. */
async function putInPlace(files: readonly string[], from: string, to: string): Promise<void> {
  for (const path of files) {
    await mkdir(dirname(join(to, path)), { recursive: true });
    await writeFileAtomic(join(to, path), await readFile(join(from, path)));
  }
}

/** What git says of the working tree: which files differ, and how. */
async function statusOf(repository: string, env: NodeJS.ProcessEnv): Promise<string> {
  const git = gitIn(repository, env);
  const { stdout } = await git(["status", "--porcelain", "-z", "--untracked-files=all"]);
  const { stdout: diff } = await git(["diff", "HEAD", "--no-ext-diff", "--binary"]);
  return `${stdout.toString("utf8")}\n${diff.toString("base64")}`;
}

/**
 * All that a training gets of the environment: the path to programs, the language, and folders of its own. No token, no
 * key, nothing of GitHub's. With fixed seeds and no caches, so that the same training is more likely the same.
 */
async function trainingEnvironment(
  env: NodeJS.ProcessEnv,
  workDir: string,
  files: readonly { name: string; path: string }[],
): Promise<NodeJS.ProcessEnv> {
  const home = join(workDir, "home");
  const temporary = join(workDir, "tmp");
  await Promise.all([mkdir(home), mkdir(temporary)]);
  const passed = ["PATH", "LANG", "LC_ALL", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH"];
  return {
    ...Object.fromEntries(passed.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]))),
    HOME: home,
    TMPDIR: temporary,
    TZ: "UTC",
    PYTHONDONTWRITEBYTECODE: "1",
    PYTHONHASHSEED: "0",
    SLUICE_TRAIN_DATA: JSON.stringify(files),
  };
}
