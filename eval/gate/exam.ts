import { isDeepStrictEqual } from "node:util";
import { join, posix } from "node:path";
import { z } from "zod";
import { ConfigurationError } from "../../models/core/errors.ts";
import { gates as gatesSchema, type Gates } from "../../models/core/manifest/gates.ts";
import { dataset as datasetSchema, runtime, type Dataset, type Task } from "../../models/core/manifest/manifest.ts";
import { positiveLabel } from "../../models/core/postprocess/classification.ts";
import { head as headSchema, type Head } from "../../models/core/postprocess/schema.ts";
import { loadManifest, type LoadedManifest } from "../../models/core/predictor/load.ts";
import { openPredictor } from "../../models/core/predictor/predictor.ts";
import { datasetPaths } from "../dataset/paths.ts";
import { datasetDifference, type DatasetDifference } from "../dataset/difference.ts";
import type { EvaluationDataset } from "../dataset/read.ts";
import { policyChanges, type PolicyChange } from "../judge/policy-changes.ts";
import type { BaseModel } from "./base-models.ts";
import type { EvaluationContext } from "./context.ts";
import { ownPlace, readEvaluationDataset, type DataPlace } from "./dataset.ts";
import { listTree } from "./git.ts";
import { IncomparableError } from "./incomparable.ts";
import { layOut } from "./lay-out.ts";
import { layOutModel } from "./lay-out-model.ts";
import { cacheModelObjects } from "./lfs-objects.ts";
import { otherQuestion } from "./other-question.ts";
import { differingFiles } from "./same-files.ts";
import { isSameModel } from "./same-model.ts";
import { withCulprit } from "./with-culprit.ts";

/** What a candidate is judged by, and the rows that it is judged on. */
export type Exam = {
  /** The manifest of a model, with the exam's settings in the place of its own: what decides, and not what answers. */
  applyTo: (loaded: LoadedManifest) => LoadedManifest;
  gates: Gates;
  source: string;
  /** Settings that the candidate has otherwise. The exam's own counted. */
  changes: PolicyChange[];
  dataset: EvaluationDataset;
  /** The change of the data, with the rows that do not decide; null when the candidate's rows are the base's. */
  dataChange: DataChange | null;
  notes: string[];
};

export type DataChange = {
  difference: DatasetDifference;
  judgedOn: "base" | "candidate";
  other: EvaluationDataset;
  /** A field with true values that the model is newly given to read; null when there is none. */
  leak: string | null;
};

/** What decides a verdict, as the base's model.yaml says it. Null: it says nothing about it. */
type Settings = {
  task: Task;
  gates: Gates | null;
  dataset: Dataset | null;
  batchTolerance: number;
  heads: readonly Head[];
};

/**
 * The exam of a candidate: the one that the base set, so that no change chooses what it is judged by. A model that the
 * base does not have sets its own.
 *
 * Everything else of model.yaml (artifact, preprocessing, inputs, outputs, activations, batches, threads) says how the
 * model answers, and is the candidate's. docs/exam.md has the list, key by key.
 *
 * @throws ConfigurationError when there are no gates at all, or the base's cannot be read; IncomparableError when the
 *   candidate answers another question than the base asks; EvaluationError when rows cannot be read
 */
export async function resolveExam(loaded: LoadedManifest, context: EvaluationContext): Promise<Exam> {
  const model = context.continuity.continues.get(loaded.manifest.id) ?? null;
  const { policyBase } = context;
  if (model === null || policyBase === null) return ownExam(loaded, ownSource(loaded, context, null), context);
  const settings = await readSettings(model, policyBase, context);
  if (settings.gates === null) return ownExam(loaded, ownSource(loaded, context, "gates"), context);
  const asked = { ...settings, folder: model.folder, commit: policyBase.commit };
  const problem = await otherQuestion(loaded, asked, context);
  if (problem !== null)
    throw new IncomparableError({
      code: "other-question",
      place: loaded.file,
      problem,
      expected: `the task, heads and labels of ${model.folder}/model.yaml at ${policyBase.label}`,
      received: `${loaded.manifest.task}: ${loaded.manifest.postprocess.map(({ name }) => name).join(", ")}`,
      hint: "a model that answers another question is another model: give it an id of its own, and retire this one",
    });
  const own = loaded.manifest;
  const changes = [
    ...policyChanges(settings.gates, own.gates ?? null),
    ...policyChanges(settings.batchTolerance, own.runtime.batchTolerance, "runtime.batchTolerance"),
    ...positiveChanges(settings.heads, own.postprocess),
    ...productionChange(context),
  ];
  const gates = settings.gates;
  const source = `model.yaml at ${policyBase.label}`;
  const applyTo = (dataset: Dataset | undefined) => (one: LoadedManifest) => applied(one, settings, gates, dataset);
  const { dataset } = settings;
  if (dataset === null)
    return {
      applyTo: applyTo(own.dataset),
      gates,
      source,
      changes,
      dataset: await readEvaluationDataset(own, ownPlace(loaded, context), context),
      dataChange: null,
      notes: [`${model.id} has no dataset at ${policyBase.label}, so it is judged on its own.`],
    };
  if (own.dataset === undefined)
    throw new IncomparableError({
      code: "dataset-removed",
      place: loaded.file,
      problem: `the candidate takes the dataset of ${model.id} away`,
      expected: `dataset: as in ${model.folder}/model.yaml at ${policyBase.label}`,
      received: "no dataset",
      hint: `to give the model up, first merge \`retired: [${model.id}]\` in sluice.yaml by itself`,
    });

  const declared = policyChanges(plainDataset(dataset), plainDataset(own.dataset), "dataset");
  const files = await changedFiles(model.folder, policyBase.commit, dataset, loaded, context);
  const fileChanges = files.map((path) => ({
    path: `dataset file ${path}`,
    base: `as at ${policyBase.commit.slice(0, 7)}`,
    candidate: "changed",
  }));
  const laidOut = await baseData(model, policyBase.commit, dataset, context);
  const notes =
    laidOut !== null
      ? []
      : [
          `The dataset of ${model.id} is not among the files of ${policyBase.label}. It was read from the working tree, and nobody can say here whether it changed.`,
        ];
  const onBase = (rows: EvaluationDataset, dataChange: DataChange | null, shown: PolicyChange[]): Exam => ({
    applyTo: applyTo(dataset),
    gates,
    source,
    changes: [...changes, ...shown],
    dataset: rows,
    dataChange,
    notes,
  });
  // The commit pins the files. A pin of the rows would also hold how the candidate's preprocessing types their cells.
  const exam = {
    dataset: unpinned(dataset),
    postprocess: settings.heads as Head[],
    preprocess: own.preprocess,
    rules: own.rules,
  };
  const sameDeclared = sameRowsDeclared(dataset, own.dataset);
  // The same bytes, read as the base declares them: nothing has to be taken out of git.
  if (sameDeclared && (files.length === 0 || laidOut === null))
    return onBase(await readEvaluationDataset(exam, ownPlace(loaded, context), context), null, declared);
  const basePlace = laidOut === null ? ownPlace(loaded, context) : await laidOut();
  const base = await withCulprit("the base's dataset", readEvaluationDataset(exam, basePlace, context));
  // A change that is older than the base branch's newest data brings none of its own.
  if (await isBranchPointsData(loaded, context)) return onBase(base, null, []);
  // How many rows may be unreadable is the base's to say.
  const ownData = { ...own, dataset: { ...unpinned(own.dataset), maxBadRows: dataset.maxBadRows } };
  const candidate = await withCulprit(
    "the candidate's dataset",
    readEvaluationDataset(ownData, ownPlace(loaded, context), context),
  );
  const difference = datasetDifference(base, candidate);
  const shown = [...declared, ...fileChanges];
  if (difference === null) return onBase(base, null, shown);
  const alone = await isModelOf(model, loaded, (one) => applied(one, settings, gates, dataset), context);
  if (!alone) return onBase(base, { difference, judgedOn: "base", other: candidate, leak: null }, shown);
  return {
    applyTo: applyTo({ ...own.dataset, maxBadRows: dataset.maxBadRows }),
    gates,
    source,
    changes,
    dataset: candidate,
    dataChange: { difference, judgedOn: "candidate", other: base, leak: newLeak(dataset, own.dataset) },
    notes,
  };
}

async function ownExam(loaded: LoadedManifest, source: string, context: EvaluationContext): Promise<Exam> {
  const { gates } = loaded.manifest;
  if (gates === undefined)
    throw new ConfigurationError({
      code: "no-gates",
      problem: "the model has no gates",
      place: loaded.file,
      expected: "gates: with at least one check",
      received: "none",
      example: "gates:\n  checks:\n    - {kind: limit, metric: accuracy, min: 0.8}",
    });
  return {
    applyTo: (one) => one,
    gates,
    source,
    changes: [],
    dataset: await readEvaluationDataset(loaded.manifest, ownPlace(loaded, context), context),
    dataChange: null,
    notes: [],
  };
}

function ownSource({ manifest }: LoadedManifest, context: EvaluationContext, lacks: "gates" | null): string {
  const { policyBase } = context;
  if (policyBase === null) return "the candidate's model.yaml";
  return lacks === null
    ? `${manifest.id}'s own model.yaml: there is no ${manifest.id} at ${policyBase.label}`
    : `${manifest.id}'s own model.yaml: it has no gates at ${policyBase.label}`;
}

const settingsSchema = z.looseObject({
  gates: gatesSchema.optional(),
  dataset: datasetSchema.optional(),
  runtime: z.looseObject({ batchTolerance: runtime.shape.batchTolerance }).prefault({}),
  postprocess: z.array(headSchema),
});

/** Only what decides is read, so that a base that an older version of Sluice wrote can still be examined by. */
async function readSettings(
  { plain, folder, task }: BaseModel,
  { label, commit }: NonNullable<EvaluationContext["policyBase"]>,
  context: EvaluationContext,
): Promise<Settings> {
  // The heads of a composition are those that its models have.
  const answers = async () =>
    (await loadManifest(await layOutModel(commit, folder, context, { manifestsOnly: true }))).manifest.postprocess;
  const own =
    plain["backend"] === "graph" ? { ...plain, postprocess: await withCulprit("the base's model", answers()) } : plain;
  const parsed = settingsSchema.safeParse(own);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ConfigurationError({
      code: "base-gates",
      problem: "what the base branch judges by cannot be read",
      place: `${folder}/model.yaml at ${label}`,
      expected: "gates, dataset and heads that this version of sluice understands",
      received: `${issue?.path.join(".")}: ${issue?.message}`,
      hint: "mend model.yaml on the base branch first; it decides, not the candidate's",
    });
  }
  const { gates, dataset, runtime: run, postprocess } = parsed.data;
  return {
    task,
    gates: gates ?? null,
    dataset: dataset ?? null,
    batchTolerance: run.batchTolerance,
    heads: postprocess,
  };
}

function applied(one: LoadedManifest, settings: Settings, gates: Gates, dataset: Dataset | undefined): LoadedManifest {
  const { manifest } = one;
  const { dataset: _own, ...rest } = manifest;
  return {
    ...one,
    manifest: {
      ...rest,
      gates,
      ...(dataset === undefined ? {} : { dataset }),
      runtime: { ...manifest.runtime, batchTolerance: settings.batchTolerance },
      postprocess: manifest.postprocess.map((head) => {
        const positive = positiveOf(settings.heads.find(({ name }) => name === head.name));
        return head.kind === "classification" && positive !== null && head.labels.includes(positive)
          ? { ...head, positive }
          : head;
      }),
    },
  };
}

/** The positive label of a binary head; null for any other. */
function positiveOf(head: Head | undefined): string | null {
  return head?.kind === "classification" && head.labels.length === 2 ? positiveLabel(head) : null;
}

function positiveChanges(base: readonly Head[], own: readonly Head[]): PolicyChange[] {
  return base.flatMap((head) => {
    const [before, after] = [positiveOf(head), positiveOf(own.find(({ name }) => name === head.name))];
    return before === after ? [] : policyChanges(before, after, `postprocess[${head.name}].positive`);
  });
}

function productionChange({ policyBase, configuration }: EvaluationContext): PolicyChange[] {
  return policyBase === null
    ? []
    : policyChanges(policyBase.production, configuration.production, "sluice.yaml production");
}

/** What of a dataset's declaration makes its rows. The rest describes them, or says how many may be unreadable. */
function sameRowsDeclared(base: Dataset, own: Dataset): boolean {
  const rows = ({ files, idField, rename, labels, slices, group, weight, time, features, augmentations }: Dataset) => [
    files,
    [idField, rename, labels],
    [slices, group, weight],
    [time, features, augmentations],
  ];
  return isDeepStrictEqual(rows(base), rows(own));
}

function unpinned({ sha256: _pin, ...dataset }: Dataset): Dataset {
  return dataset;
}

/** A label that `rename` hands to the model, where the base's did not. */
function newLeak(base: Dataset, own: Dataset): string | null {
  const leaks = ({ rename, labels }: Dataset) => {
    const fields = new Set(Object.values(labels).map(({ field }) => field));
    return Object.values(rename).filter((from) => fields.has(from));
  };
  const known = new Set(leaks(base));
  return leaks(own).find((field) => !known.has(field)) ?? null;
}

/** Without the keys that zod fills in, `undefined` ones among them. */
function plainDataset(dataset: Dataset): unknown {
  return JSON.parse(JSON.stringify(dataset));
}

/** The dataset's files that differ between the base and the working tree, beside each model's own model.yaml. */
async function changedFiles(
  folder: string,
  commit: string,
  dataset: Dataset,
  loaded: LoadedManifest,
  { git }: EvaluationContext,
): Promise<string[]> {
  const changed: string[] = [];
  for (const path of datasetPaths(dataset))
    changed.push(...(await differingFiles(git, commit, pathAt(folder, path), join(loaded.dir, path))));
  return [...new Set(changed)];
}

function pathAt(folder: string, path: string): string {
  return posix.normalize(posix.join(folder, path)).replace(/\/$/, "");
}

/**
 * A function that writes the files of the base's dataset into a folder of this run, and gives the folder in which the
 * dataset's paths lead to them. Null when the commit has not all of them.
 */
async function baseData(
  model: BaseModel,
  commit: string,
  dataset: Dataset,
  context: EvaluationContext,
): Promise<(() => Promise<DataPlace>) | null> {
  const found = [];
  for (const declared of datasetPaths(dataset)) {
    const path = pathAt(model.folder, declared);
    const inside = path.startsWith("..") || posix.isAbsolute(declared) ? [] : await listTree(context.git, commit, path);
    if (inside.length === 0) return null;
    found.push(...inside);
  }
  const files = [...new Map(found.map((file) => [file.path, file])).values()];
  return async () => {
    const root = await layOut(files, "", commit, context);
    return { root, dir: join(root, model.folder) };
  };
}

/** Whether the candidate's data is that of the commit which its change starts from. */
async function isBranchPointsData(loaded: LoadedManifest, context: EvaluationContext): Promise<boolean> {
  const { branchBase, policyBase, continuity } = context;
  const own = loaded.manifest.dataset;
  const id = continuity.continues.get(loaded.manifest.id)?.id;
  const model = branchBase?.models.find((one) => one.id === id);
  if (own === undefined || model === undefined || branchBase?.commit === policyBase?.commit) return false;
  const parsed = datasetSchema.safeParse(model.plain["dataset"]);
  if (!parsed.success || !sameRowsDeclared(parsed.data, own)) return false;
  return (await changedFiles(model.folder, branchBase!.commit, parsed.data, loaded, context)).length === 0;
}

/** Whether the candidate is the base's model by construction: then only its data changed. */
async function isModelOf(
  model: BaseModel,
  loaded: LoadedManifest,
  apply: (one: LoadedManifest) => LoadedManifest,
  context: EvaluationContext,
): Promise<boolean> {
  const { commit } = context.policyBase!;
  const dir = await layOutModel(commit, model.folder, context);
  const base = await withCulprit("the base's model", loadManifest(dir));
  const evaluated = async (one: LoadedManifest) => {
    await cacheModelObjects(one, context.lfs, context.cacheDir);
    const predictor = await openPredictor(one, {}, { ...context.deps, cacheDir: context.cacheDir });
    const { filesDigest, sha256 } = predictor.describe();
    await predictor.close();
    return { loaded: apply(one), run: { filesDigest, identity: { sha256 } } };
  };
  return isSameModel(await evaluated(loaded), await evaluated(base));
}
