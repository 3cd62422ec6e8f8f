import { EvaluationError } from "../../models/core/errors.ts";
import type { BatchParity } from "../../models/core/predictor/batch-parity.ts";
import type { EvaluationDataset } from "../dataset/read.ts";
import { idsOf } from "../predict/columns.ts";
import type { PredictedDataset } from "../predict/predict.ts";
import type { ShardMachine } from "../predict/shard-file.ts";
import type { Answers, Predictions } from "../predictions/predictions.ts";
import { RandomStream } from "../stats/random.ts";

/** Rows [from, to) of the dataset, and the machine that predicted them. */
export type ShardPart = { from: number; to: number; machine: ShardMachine };

/** What the sample shows. `elsewhere`: why these predictions may not be compared; null when they may. */
export type SampleOutcome = { elsewhere: string | null; note: string };

/** Rows of each shard that are predicted again. Of a shard with 5 % forged rows, 64 rows miss them all in 4 %. */
const rowsPerShard = 64;

/** Answers may differ by this much, relative to 1 + their size, between machines of one kind. */
const repeatable = 1e-4;

/** A model whose answers depend more than this on their batch is not checked more loosely. */
const maxForBatches = 0.01;

/**
 * Predicts some rows of each shard again, here, and compares. A shard's file says itself what it is, and anybody who can
 * write it can make it agree with itself; only the model can tell what it answers.
 *
 * @param merged the shards' predictions
 * @param predictRows predicts these rows of the dataset
 * @param here this machine
 * @param batchParity how much this model's answers depend on their batch, which here is another one
 * @param seed names the rows. Nobody who writes a shard may know it
 * @throws EvaluationError `shards-untrue` when a machine of the same kind is said to have answered otherwise
 */
export async function sampleShards(
  parts: readonly ShardPart[],
  merged: readonly Predictions[],
  dataset: EvaluationDataset,
  predictRows: (rows: readonly number[]) => Promise<PredictedDataset>,
  here: ShardMachine,
  batchParity: Pick<BatchParity, "maxDifference">,
  seed: number,
): Promise<SampleOutcome> {
  const tolerance = Math.max(repeatable, Math.min(4 * batchParity.maxDifference, maxForBatches));
  const kind = ({ arch, cpuFlags, onnxruntime }: ShardMachine) => JSON.stringify([arch, cpuFlags, onnxruntime]);
  let sampled = 0;
  let elsewhere: string | null = null;
  for (const [stream, part] of parts.entries()) {
    const rows = draw(part, new RandomStream(seed, stream));
    if (rows.length === 0) continue;
    sampled += rows.length;
    const again = await predictRows(rows);
    const difference = firstDifference(rows, merged, again.predictions, dataset, tolerance);
    if (difference === null) continue;
    if (kind(part.machine) === kind(here))
      throw new EvaluationError({
        code: "shards-untrue",
        place: "shards",
        problem: `the shard of rows ${part.from} to ${part.to} does not hold what the model answers`,
        expected: `row ${difference.id}: ${difference.here}`,
        received: difference.there,
        hint: "predict the shards again, in the same workflow run",
      });
    elsewhere ??= `rows ${part.from} to ${part.to} were predicted on a machine with other instruction sets or another runtime (${describe(part.machine)}; here ${describe(here)}), where the model answers otherwise: row ${difference.id} got ${difference.there}, here ${difference.here}`;
  }
  return {
    elsewhere,
    note: `${sampled} rows of ${parts.length} shards were predicted again here (seed ${seed})${elsewhere === null ? ", with the same answers" : ""}.`,
  };
}

function draw({ from, to }: ShardPart, random: RandomStream): number[] {
  const rows = Array.from({ length: to - from }, (_, i) => from + i);
  random.shuffle(rows);
  return rows.slice(0, rowsPerShard).toSorted((a, b) => a - b);
}

type Difference = { id: string; here: string; there: string };

function firstDifference(
  rows: readonly number[],
  merged: readonly Predictions[],
  again: readonly Predictions[],
  dataset: EvaluationDataset,
  tolerance: number,
): Difference | null {
  for (const there of merged) {
    const here = again.find(({ head }) => head === there.head);
    if (here === undefined) continue;
    const [placeThere, placeHere] = [there, here].map(({ ids }) => new Map(ids.map((id, i) => [id, i])));
    for (const id of rows.flatMap((row) => idsOf(dataset.rows[row]!, there.head))) {
      const [one, other] = [answerAt(there, placeThere!.get(id)), answerAt(here, placeHere!.get(id))];
      const same =
        one !== null && other !== null
          ? one.list === other.list &&
            one.numbers.every(
              (value, i) => Math.abs(value - other.numbers[i]!) <= tolerance * (1 + Math.abs(other.numbers[i]!)),
            )
          : one === other;
      if (!same) return { id, here: words(other), there: words(one) };
    }
  }
  return null;
}

/** What was answered: numbers, which may differ by a tolerance, and a list or text, which may not. */
type Answer = { numbers: number[]; list: string };

function answerAt({ ids, scores, answers, forecasts }: Predictions, at: number | undefined): Answer | null {
  if (at === undefined) return null;
  const part = (values: Float64Array) => {
    const width = values.length / ids.length;
    return [...values.subarray(at * width, (at + 1) * width)];
  };
  return {
    numbers: [...part(scores), ...part(forecasts?.quantiles?.values ?? new Float64Array())],
    list: answers === undefined ? "" : JSON.stringify(listsOf(answers)[at]),
  };
}

function listsOf(answers: Answers): readonly unknown[] {
  switch (answers.kind) {
    case "ranking":
      return answers.ranked;
    case "spans":
      return answers.predicted;
    case "text":
      return answers.hypotheses;
  }
}

const words = (answer: Answer | null) =>
  answer === null
    ? "the row refused"
    : [...answer.numbers.map((value) => value.toPrecision(6)), answer.list.slice(0, 200)].filter(Boolean).join(", ");

const describe = ({ arch, cpuFlags, onnxruntime }: ShardMachine) =>
  `${arch}, ONNX Runtime ${onnxruntime}, ${cpuFlags.join(" ") || "no known instruction sets"}`;
