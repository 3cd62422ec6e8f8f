import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { canonical } from "../../eval/dataset/canonical.ts";
import { ConfigurationError } from "../../models/core/errors.ts";
import { artifactFiles } from "../../models/core/manifest/artifact-files.ts";
import type { Manifest } from "../../models/core/manifest/manifest.ts";
import type { LoadedManifest } from "../../models/core/predictor/load.ts";
import { MANIFEST_FILE } from "../../models/core/predictor/load.ts";
import { contentDigest, type TrainingFile } from "./test-rows.ts";

/** Beside model.yaml: what the version was trained from. Without a time or a machine, so that it is the same again. */
export const RECORD_FILE = "retrained.json";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const record = z.strictObject({
  schemaVersion: z.literal(1),
  model: z.string(),
  version: z.string().describe("The version that the training made."),
  from: z.string().describe("The version before."),
  inputs: z
    .array(sha256)
    .describe("Digests of what the training starts from: before it, and with its result in place."),
  data: z.array(z.strictObject({ name: z.string(), sha256, rows: z.int() })),
  wrote: z
    .array(z.string())
    .describe("Files of the model's folder that the training wrote: its result, not its input."),
});
export type TrainingRecord = z.infer<typeof record>;

export function parseRecord(text: string, place: string): TrainingRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  const parsed = record.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ConfigurationError({
    code: "train-record",
    place,
    problem: "not a record of a training",
    expected: parsed.error.issues[0]?.message ?? "JSON",
    hint: "`sluice retrain` writes it; remove the file, and the model is trained again",
  });
}

/** Null when the model has none. */
export async function readRecord(dir: string): Promise<TrainingRecord | null> {
  const file = join(dir, RECORD_FILE);
  const text = await readFile(file, "utf8").catch(() => null);
  return text === null ? null : parseRecord(text, file);
}

/** The part of model.yaml that a training starts from or results in; version and weights tell nothing. */
const trained = ({ task, preprocess, inputs, outputs, generate, postprocess, train }: Manifest) => ({
  task,
  preprocess,
  inputs,
  outputs,
  ...(generate === undefined ? {} : { generate }),
  postprocess,
  train,
});

/**
 * Digest of what a training starts from: its data, the files of the model's folder that it did not write itself, and
 * what model.yaml says of the graph and of the training.
 *
 * @param files of the model's folder, relative to it; those of the gate's dataset and of production are not among them
 */
export async function inputsDigest(
  { manifest, dir }: Pick<LoadedManifest, "manifest" | "dir">,
  files: readonly string[],
  data: readonly TrainingFile[],
  wrote: readonly string[],
): Promise<string> {
  const weights = artifactFiles(manifest.artifact).flatMap(({ file: { path } }) => path ?? []);
  const skipped = new Set([MANIFEST_FILE, RECORD_FILE, "README.md", ...weights, ...wrote]);
  const lines: string[] = [];
  for (const path of files)
    if (!skipped.has(path)) lines.push(`${path}\0${await contentDigest(join(dir, path)).catch(() => "none")}`);
  return hash(
    "sha256",
    canonical({ manifest: trained(manifest), data: data.map(({ name, sha256: digest }) => [name, digest]), lines }),
  );
}
