import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { isDeepStrictEqual } from "node:util";
import { parseDocument } from "yaml";
import { EvaluationError } from "../../models/core/errors.ts";
import { artifactFiles, weightFiles } from "../../models/core/manifest/artifact-files.ts";
import type { Manifest } from "../../models/core/manifest/manifest.ts";
import type { TrainSettings } from "../../models/core/manifest/train.ts";
import { loadManifest, MANIFEST_FILE, type LoadedManifest } from "../../models/core/predictor/load.ts";
import { openPredictor } from "../../models/core/predictor/predictor.ts";
import type { FeatureStore } from "../../models/core/lookup/store.ts";
import type { Change } from "./clean-copy.ts";
import { RECORD_FILE } from "./retrained-file.ts";

const named = 10;
const listed = (changes: readonly Change[]) =>
  `${changes
    .slice(0, named)
    .map(({ path, kind }) => `${path} (${kind})`)
    .join(", ")}${changes.length > named ? `, … (${changes.length})` : ""}`;

/**
 * The files that a training may hand over: new and changed ones of the model's own folder.
 *
 * @param changes from the top level of the copy
 * @param folder of the model, from there
 * @param kept files and folders of the model's folder that a training leaves alone, from the top level
 * @returns paths in the model's folder
 * @throws EvaluationError `train-wrote-outside`, `train-wrote-kept`, `train-removed`
 */
export async function filesWritten(
  changes: readonly Change[],
  { copy, folder, kept, place }: { copy: string; folder: string; kept: readonly string[]; place: string },
): Promise<string[]> {
  const refuse = (code: string, problem: string, expected: string, received: string) =>
    new EvaluationError({ code, place, problem, expected, received });
  const own = changes.filter(({ path }) => folder === "." || path.startsWith(`${folder}/`));
  const outside = changes.filter((one) => !own.includes(one));
  if (outside.length > 0)
    throw refuse(
      "train-wrote-outside",
      "the training wrote outside the model's folder",
      `changes in ${folder} only`,
      listed(outside),
    );
  const forbidden = own.filter(({ path }) => kept.some((one) => path === one || path.startsWith(`${one}/`)));
  if (forbidden.length > 0)
    throw refuse(
      "train-wrote-kept",
      "the training wrote what is not its own: the gate's rows, its training data, or the production version",
      "weights, and the files that answering takes",
      listed(forbidden),
    );
  const removed = own.filter(({ kind }) => kind === "removed");
  if (removed.length > 0) throw refuse("train-removed", "the training removed files", "none removed", listed(removed));
  for (const { path } of own)
    if (!(await lstat(join(copy, path))).isFile())
      throw refuse("train-wrote-kept", "the training wrote what is no file", "plain files", path);
  return own.map(({ path }) => (folder === "." ? path : path.slice(folder.length + 1)));
}

/** What of model.yaml a training may not change: what it is judged by, what it is, and how it is trained. */
export const examKeys = [
  "id",
  "formerly",
  "task",
  "backend",
  "dataset",
  "gates",
  "watch",
  "train",
  "runtime",
  "prices",
] as const satisfies readonly (keyof Manifest)[];

async function fileDigest(path: string): Promise<string> {
  const digest = createHash("sha256");
  await pipeline(createReadStream(path), digest);
  return digest.digest("hex");
}

export function raised(version: string, bump: TrainSettings["bump"]): string {
  const [numbers = "", suffix] = version.split(/-(.*)/s);
  const [major = 0, minor = 0, patch = 0] = numbers.split(".").map(Number);
  if (bump === "major") return `${major + 1}.0.0`;
  if (bump === "minor") return `${major}.${minor + 1}.0`;
  // 1.2.0 comes after 1.2.0-rc.1.
  return `${major}.${minor}.${suffix === undefined ? patch + 1 : patch}`;
}

/**
 * The model.yaml of the candidate: the one that the training left, with the version raised and the digests of the
 * weights. Comments stay.
 *
 * @param dir the model's folder in the copy
 * @throws ConfigurationError when it does not fit the schema; EvaluationError `train-changed-exam`, `train-no-weights`
 */
export async function candidateManifest(
  before: LoadedManifest,
  dir: string,
  { bump }: TrainSettings,
  place: string,
): Promise<string> {
  const after = await loadManifest(dir);
  const changed = examKeys.filter((key) => !isDeepStrictEqual(before.manifest[key], after.manifest[key]));
  if (changed.length > 0)
    throw new EvaluationError({
      code: "train-changed-exam",
      place,
      problem: "the training changed what the model is judged by, or what it is",
      expected: `${examKeys.join(", ")} as they were`,
      received: `another ${changed.join(", ")}`,
      hint: "change them by hand, in a pull request of their own",
    });
  const document = parseDocument(after.text);
  document.set("version", raised(before.manifest.version, bump));
  const { artifact } = after.manifest;
  const elsewhere = artifactFiles(artifact).find(({ file }) => file.path === undefined);
  if (elsewhere !== undefined)
    throw new EvaluationError({
      code: "train-no-weights",
      place,
      problem: "the weights lie on the Hub, where a training does not put them",
      expected: `${elsewhere.at.join(".")}.path, a file in the model's folder`,
      received: `hub: ${elsewhere.file.hub}`,
    });
  const digestOf = (file: string) =>
    fileDigest(join(dir, file)).catch(() => {
      throw new EvaluationError({
        code: "train-no-weights",
        place,
        problem: "the training left no weights",
        expected: file,
        received: "no such file",
      });
    });
  for (const { at, path } of weightFiles(artifact)) document.setIn([...at, "sha256"], await digestOf(path));
  return document.toString({ lineWidth: 0 });
}

/**
 * Lets the candidate answer some of the gate's rows, so that what cannot answer at all is no pull request.
 * @throws EvaluationError `train-no-answer`, and what opening the model says
 */
export async function letAnswer(
  dir: string,
  rows: readonly Record<string, unknown>[],
  stores: Readonly<Record<string, FeatureStore>>,
  deps: Parameters<typeof openPredictor>[2],
  place: string,
): Promise<void> {
  const loaded = await loadManifest(dir);
  const predictor = await openPredictor(loaded, { stores }, deps);
  try {
    const results = await predictor.predict(rows);
    const failed = results.find((one) => !one.ok);
    if (results.some(({ ok }) => ok) || failed === undefined || failed.ok) return;
    throw new EvaluationError({
      code: "train-no-answer",
      place,
      problem: "the candidate answers none of the gate's first rows",
      expected: "an answer",
      received: failed.error.message,
    });
  } finally {
    await predictor.close();
  }
}

/** Whether what answers is the same, but for the version. */
export async function answersAlike(
  before: LoadedManifest,
  written: readonly string[],
  dir: string,
  text: string,
  files: readonly string[],
): Promise<boolean> {
  const bare = (source: string) => {
    const { version: _version, ...rest } = parseDocument(source).toJS() as Record<string, unknown>;
    return rest;
  };
  if (!isDeepStrictEqual(bare(before.text), bare(text))) return false;
  for (const file of written) {
    if (file === MANIFEST_FILE || file === RECORD_FILE || !files.includes(file)) continue;
    const [was, is] = await Promise.all(
      [before.dir, dir].map((one) => readFile(join(one, file)).catch(() => Buffer.alloc(0))),
    );
    if (!was!.equals(is!)) return false;
  }
  return true;
}
