import { createHash, hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { canonical } from "../../eval/dataset/canonical.ts";
import { cellTypes, stepCells } from "../../eval/dataset/formats/cells.ts";
import { openReader, formatOf } from "../../eval/dataset/formats/open.ts";
import { placeName } from "../../eval/dataset/formats/reading.ts";
import { locateDataFile, readDataset, type DatasetDeps, type EvaluationDataset } from "../../eval/dataset/read.ts";
import { ConfigurationError, EvaluationError } from "../../models/core/errors.ts";
import type { DatasetFile } from "../../models/core/manifest/dataset-file.ts";
import type { Dataset, Manifest } from "../../models/core/manifest/manifest.ts";
import type { TrainSettings } from "../../models/core/manifest/train.ts";
import { placeIn, type LoadedManifest } from "../../models/core/predictor/load.ts";
import { fieldSteps } from "../../models/core/rules/fields.ts";

/** A file that the training reads: where it lies, and what is in it. */
export type TrainingFile = { name: string; path: string; sha256: string; rows: number };

/** What the training may learn from, after it was shown that no row of the gate is in it. */
export type TrainingData = {
  files: TrainingFile[];
  /** The gate's rows. */
  test: EvaluationDataset;
  /** Digests of the gate's files: wherever such a file lies, the training does not get it. */
  testFiles: Set<string>;
};

/** This many rows are named in a refusal. */
const namedRows = 5;

/** SHA-256 of a file, or of a folder's paths and files. */
export async function contentDigest(path: string): Promise<string> {
  const digest = createHash("sha256");
  if (!(await stat(path)).isDirectory()) {
    await pipeline(createReadStream(path), digest);
    return digest.digest("hex");
  }
  const files = (await readdir(path, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
  for (const file of files)
    digest.update(`${relative(path, file).split(sep).join("/")}\0${await contentDigest(file)}\n`);
  return digest.digest("hex");
}

/** The fields by which two rows are held to be the same, under the model's names. */
function keyOf(manifest: Manifest, { rowKey }: TrainSettings): string[] {
  if (rowKey !== undefined) return rowKey.toSorted();
  const fields = Object.values(fieldSteps(manifest)).flatMap((step) => stepCells(step).map(([field]) => field));
  return [...new Set(fields)].toSorted();
}

const nameOf = ({ npm, path }: DatasetFile) => (npm === undefined ? path : `${npm}/${path}`);

/**
 * Reads the training data and refuses it when a file of it is a file of the gate's dataset, or a row has the values of
 * one of the gate's rows in every field of the key. Rows that only resemble each other are not found.
 *
 * @throws ConfigurationError `train-dataset`, `train-row-key`; EvaluationError `train-test-file`, `train-test-rows`, and
 *   those of the readers
 */
export async function readTrainingData(
  loaded: LoadedManifest,
  train: TrainSettings,
  deps: DatasetDeps,
): Promise<TrainingData> {
  const { manifest, dir } = loaded;
  const { dataset } = manifest;
  if (dataset === undefined)
    throw new ConfigurationError({
      code: "train-dataset",
      place: placeIn(loaded, ["train"]),
      problem: "a model that is trained again needs the rows that judge it",
      expected: "a `dataset` beside `train`",
      received: "none",
      example: "dataset:\n  id: reviews\n  files: [{path: data/eval.csv}]\n  labels: {sentiment: {field: class}}",
    });
  const testFiles = new Map<string, string>();
  for (const [i, file] of dataset.files.entries())
    testFiles.set(
      await contentDigest(await locateDataFile(file, ["dataset", "files", i, "path"], dir, deps)),
      nameOf(file),
    );
  const test = await readDataset(manifest, dir, deps);
  const key = keyOf(manifest, train);
  const signature = (row: Readonly<Record<string, unknown>>, named: (field: string) => string) => {
    const values = key.map((field) => (Object.hasOwn(row, named(field)) ? row[named(field)] : null) ?? null);
    // Of a row that has no field of the key nothing can be said.
    return values.every((value) => value === null) ? null : hash("sha256", canonical(values), "base64");
  };
  const judged = new Map<string, string>();
  for (const { row, id } of test.rows) {
    const found = signature(row, (field) => field);
    if (found !== null && !judged.has(found)) judged.set(found, id);
  }
  if (judged.size === 0) throw noKey(loaded, key, `no row of dataset "${dataset.id}" has one of them`);

  const files: TrainingFile[] = [];
  const same: string[] = [];
  let count = 0;
  for (const [i, file] of train.data.entries()) {
    const name = nameOf(file);
    const path = await locateDataFile(file, ["train", "data", i, "path"], dir, deps);
    const format = await formatOf(path, name, file.format);
    const sha256 = await contentDigest(path);
    const twin = testFiles.get(sha256);
    if (twin !== undefined)
      throw new EvaluationError({
        code: "train-test-file",
        place: placeIn(loaded, ["train", "data", i]),
        problem: `${name} is the gate's file ${twin}: a model that has learnt the rows that judge it is not judged`,
        expected: "files without the gate's rows",
        received: `sha256 ${sha256}`,
        example: "data: [{path: data/train.csv}]",
      });
    let rows = 0;
    let keyed = 0;
    for await (const { fields, place } of records(file, path, name, format, manifest, dataset)) {
      rows++;
      const found = signature(fields, (field) => dataset.rename[field] ?? field);
      if (found === null) continue;
      keyed++;
      const id = judged.get(found);
      if (id === undefined) continue;
      count++;
      if (same.length < namedRows) same.push(`${place} is row ${JSON.stringify(id)}`);
    }
    if (rows > 0 && keyed === 0) throw noKey(loaded, key, `no row of ${name} has one of them`);
    files.push({ name, path, sha256, rows });
  }
  if (count > 0)
    throw new EvaluationError({
      code: "train-test-rows",
      place: placeIn(loaded, ["train", "data"]),
      problem: `${count} ${count === 1 ? "row of the training data is a row" : "rows of the training data are rows"} of the gate's dataset "${dataset.id}" (${judged.size} different rows), by ${key.join(", ")}`,
      expected: "none: a model that has learnt the rows that judge it is not judged",
      received: `${same.join("; ")}${count > same.length ? "; …" : ""}`,
      hint: "take these rows out of the training data; where rows are equal by chance, `train.rowKey` names the fields that tell them apart",
    });
  return { files, test, testFiles: new Set(testFiles.keys()) };
}

async function* records(
  file: DatasetFile,
  path: string,
  name: string,
  format: Awaited<ReturnType<typeof formatOf>>,
  manifest: Manifest,
  dataset: Dataset,
): AsyncGenerator<{ fields: Readonly<Record<string, unknown>>; place: string }> {
  const types = cellTypes(fieldSteps(manifest), dataset, manifest.postprocess);
  const { encoding, delimiter, decimal } = file;
  const { readings, style } = await openReader(path, name, format, types, "guess", { encoding, delimiter, decimal });
  for await (const reading of readings)
    if (reading.kind === "record")
      yield { fields: { ...file.set, ...reading.fields }, place: placeName(name, style, reading.at) };
}

const noKey = (loaded: LoadedManifest, key: readonly string[], received: string) =>
  new ConfigurationError({
    code: "train-row-key",
    place: placeIn(loaded, ["train"]),
    problem: "it cannot be told whether the training data holds rows of the gate",
    expected: `rows with the fields ${key.join(", ")}`,
    received,
    example: "rowKey: [date]",
    hint: "`train.rowKey` names the fields that tell whether two rows are the same; `dataset.rename` holds for both",
  });
