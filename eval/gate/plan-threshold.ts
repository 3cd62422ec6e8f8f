import { ConfigurationError } from "../../models/core/errors.ts";
import { placeIn, type LoadedManifest } from "../../models/core/predictor/load.ts";
import { chooseThreshold, type ThresholdGoal } from "../metrics/choose-threshold.ts";
import { measurerOf } from "../metrics/measure.ts";
import type { ProposedThreshold } from "../schema/plan.ts";
import type { EvaluationContext } from "./context.ts";
import { ownPlace, readEvaluationDataset } from "./dataset.ts";
import type { ModelPair } from "./model-pair.ts";
import { runModel } from "./run-model.ts";

export type ThresholdRequest = {
  goal: ThresholdGoal;
  /** Null: every binary head. */
  head: string | null;
  /** `gate`: the rows that the gate judges on. What is tuned on them is no longer measured by them. */
  rows: "tuning" | "gate";
};

/**
 * Thresholds for a model's binary heads, chosen from the candidate's predictions on the rows that are declared for it
 * (`dataset.tuning`), or on the gate's where that is asked for.
 *
 * @throws ConfigurationError when there are no such rows, or no such head; EvaluationError when the model cannot answer
 */
export async function proposeThresholds(
  { goal, head, rows }: ThresholdRequest,
  { exam, candidate }: ModelPair,
  loaded: LoadedManifest,
  seed: number,
  context: EvaluationContext,
): Promise<ProposedThreshold[]> {
  const { dataset } = loaded.manifest;
  const wrong = (problem: string, expected: string, received: string) =>
    new ConfigurationError({
      code: "plan-threshold",
      place: placeIn(loaded, ["dataset"]),
      problem,
      expected,
      received,
      example: "dataset:\n  tuning: [{path: data/april.jsonl}]",
    });
  let predictions = candidate.predictions;
  let notes: string[] = [
    "Chosen on the gate's own rows: what the gate then measures at this threshold is too good. Declare rows of an earlier period as dataset.tuning.",
  ];
  if (rows === "tuning") {
    if (dataset?.tuning === undefined)
      throw wrong(
        "there are no rows to choose a threshold on",
        "`dataset.tuning`, files of an earlier period, or --rows gate for the gate's own",
        "no tuning",
      );
    const { sha256: _pin, tuning, ...declared } = dataset;
    const own = {
      ...loaded.manifest,
      dataset: { ...declared, id: `${dataset.id}.tuning`.slice(0, 64), files: tuning, augmentations: [] },
    };
    const read = await readEvaluationDataset(own, ownPlace(loaded, context), context);
    const { shards: _shards, ...request } = context.request;
    const run = await runModel("candidate", loaded, read, loaded.manifest.id, { ...context, request });
    predictions = run.predictions;
    const judged = new Set(exam.dataset.rows.map(({ id }) => id));
    const both = dataset.idField === undefined ? [] : read.rows.filter(({ id }) => judged.has(id)).map(({ id }) => id);
    notes =
      both.length === 0
        ? []
        : [
            `${both.length} of these rows are the gate's too (${both.slice(0, 3).join(", ")}${both.length > 3 ? ", …" : ""}): what the gate measures at this threshold is too good.`,
          ];
  }
  const binary = [...predictions.values()].filter(
    (one) => one.task === "binary-classification" && (head === null || one.head === head),
  );
  if (binary.length === 0)
    throw wrong(
      head === null ? "the model has no head with two labels" : `no head ${head} with two labels`,
      "a binary head whose labels the dataset gives",
      [...predictions.values()].map((one) => `${one.head} (${one.task})`).join(", ") || "none",
    );
  return binary.map((one): ProposedThreshold => {
    const measurer = measurerOf(one, seed);
    const level = 1 - 2 * exam.gates.alpha;
    const chosen = chooseThreshold(measurer.sample("all")!, goal, { level, seed });
    return { head: one.head, goal, rows, n: one.labels.length, declared: one.threshold ?? null, chosen, notes };
  });
}
