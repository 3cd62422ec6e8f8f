import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../../models/core/atomic-write.ts";
import { EvaluationError } from "../../models/core/errors.ts";
import { task } from "../../models/core/manifest/manifest.ts";
import { readPredictions } from "../predictions/read.ts";
import { writePredictions } from "../predictions/write.ts";
import type { RuledRow } from "./ruled-row.ts";
import type { Predictions } from "../predictions/predictions.ts";

const badRow = z.strictObject({ place: z.string(), reason: z.string() });
const count = z.int().nonnegative();

/** What a model's answers depend on besides its files. */
const shardMachine = z.strictObject({
  arch: z.string(),
  cpuFlags: z.array(z.string()).describe("Instruction sets for which ONNX Runtime has its own code."),
  onnxruntime: z.string(),
});
export type ShardMachine = z.infer<typeof shardMachine>;

/** shard.json: which rows of which dataset one job predicted with which model. */
const shardManifest = z.strictObject({
  schemaVersion: z.literal(1),
  datasetDigest: z.string(),
  modelSha256: z.string(),
  machine: shardMachine.describe("The machine that predicted these rows."),
  count: z.int().positive().describe("Shards in all."),
  index: count.describe("This shard, from 0."),
  from: count,
  to: count.describe("Row range [from, to) of the dataset's good rows."),
  rows: count.describe("Good rows of the whole dataset."),
  datasetBadRows: z
    .array(badRow)
    .describe("Rows of the whole dataset that could not be read; the same in every shard."),
  refusedRows: z.array(badRow).describe("Rows of this shard that the model could not take."),
  expandedHeads: z
    .array(z.string())
    .default([])
    .describe("Heads of which a row of the dataset became a row per step of its forecast."),
  ruledRows: z
    .array(
      z.strictObject({
        row: z.string(),
        fired: z.array(z.string()),
        own: z.record(z.string(), z.array(z.number())),
      }),
    )
    .default([])
    .describe("Rows of this shard for which rules fired, and what the model answers without them."),
  heads: z.array(
    z.strictObject({
      head: z.string(),
      task,
      classes: z.array(z.string()),
      file: z.string().regex(/^[\w.-]+$/),
      sha256: z.string(),
      rows: count,
    }),
  ),
});
type ShardManifest = z.infer<typeof shardManifest>;

/** One job's part of the predictions. */
export type ShardResult = {
  manifest: Omit<ShardManifest, "schemaVersion" | "heads" | "ruledRows"> & { ruledRows?: RuledRow[] };
  predictions: Predictions[];
};

const manifestName = "shard.json";
const digestOf = async (path: string) =>
  createHash("sha256")
    .update(await readFile(path))
    .digest("hex");

/**
 * Writes a shard as shard.json and one JSON Lines file per head. shard.json is written last, so a folder that has it is
 * complete.
 */
export async function writeShard(folder: string, { manifest, predictions }: ShardResult): Promise<void> {
  await mkdir(folder, { recursive: true });
  const heads: ShardManifest["heads"] = [];
  for (const [position, one] of predictions.entries()) {
    const file = `head-${position}.jsonl`;
    await writePredictions(join(folder, file), one);
    heads.push({
      head: one.head,
      task: one.task,
      classes: one.classes,
      file,
      sha256: await digestOf(join(folder, file)),
      rows: one.ids.length,
    });
  }
  const whole: ShardManifest = { schemaVersion: 1, ...manifest, ruledRows: manifest.ruledRows ?? [], heads };
  await writeFileAtomic(join(folder, manifestName), `${JSON.stringify(whole, null, 2)}\n`);
}

/**
 * Reads what `writeShard` wrote.
 * @throws EvaluationError `shard-unreadable` when shard.json is missing or malformed, or a file is not the one it names
 */
export async function readShard(folder: string): Promise<ShardResult> {
  const unreadable = (problem: string, received: string, cause?: unknown) =>
    new EvaluationError({ code: "shard-unreadable", place: folder, problem, received }, { cause });
  const text = await readFile(join(folder, manifestName), "utf8").catch((cause: Error) => {
    throw unreadable(`no ${manifestName}: the shard's job did not finish`, cause.message, cause);
  });
  let parsed: ShardManifest;
  try {
    parsed = shardManifest.parse(JSON.parse(text));
  } catch (cause) {
    throw unreadable(
      `${manifestName} is malformed`,
      cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message,
      cause,
    );
  }
  const { heads, schemaVersion: _, ...manifest } = parsed;
  const predictions: Predictions[] = [];
  for (const { head, task: headTask, classes, file, sha256, rows } of heads) {
    const found = await digestOf(join(folder, file)).catch((error: Error) => error.message);
    if (found !== sha256) throw unreadable(`${file} is not the file that ${manifestName} names`, found);
    const read =
      rows === 0
        ? empty(head, headTask, classes)
        : (await readPredictions(join(folder, file), { task: headTask, classes, head })).predictions;
    predictions.push({ ...read, datasetDigest: manifest.datasetDigest });
  }
  return { manifest, predictions };
}

function empty(head: string, headTask: Predictions["task"], classes: string[]): Predictions {
  return {
    head,
    task: headTask,
    ids: [],
    labels: new Float64Array(),
    scores: new Float64Array(),
    classes,
    slices: {},
    groups: null,
    weights: null,
    datasetDigest: null,
  };
}
