import { ConfigurationError } from "../../models/core/errors.ts";
import type { FeatureStore } from "../../models/core/lookup/store.ts";
import { placeIn, type LoadedManifest } from "../../models/core/predictor/load.ts";
import type { EvaluationDataset } from "../dataset/read.ts";

/**
 * The stores that answer a model's lookups while it is judged: the histories of the exam's dataset, whatever the model
 * is served from. Each is asked at the rows' own time, so that no feature from after it can be seen.
 *
 * @throws ConfigurationError `lookup-history` for a step that the dataset has no history of; `lookup-time` when the step
 *   would ask about another time than the rows'
 */
export function judgedStores(
  loaded: LoadedManifest,
  { histories, timeField, id }: EvaluationDataset,
): Record<string, FeatureStore> {
  const stores: Record<string, FeatureStore> = {};
  for (const [name, step] of Object.entries(loaded.manifest.preprocess)) {
    if (step.kind !== "lookup") continue;
    const history = histories[name];
    if (history === undefined)
      throw new ConfigurationError({
        code: "lookup-history",
        place: placeIn(loaded, ["preprocess", name]),
        problem: `the dataset ${id} has no history of the features of ${name}, so nobody can say what was known when`,
        expected: `a feature table in \`dataset.features\`: ${Object.keys(histories).join(", ") || "there is none"}`,
        received: name,
        example: `dataset:\n  time: at\n  features:\n    ${name}: {path: data/${name}.features}`,
        hint: "the base branch's dataset decides: a new history is merged by itself, before the model that needs it",
      });
    if (history.store.timed && (timeField === null || step.time !== timeField))
      throw new ConfigurationError({
        code: "lookup-time",
        place: placeIn(loaded, step.time === undefined ? ["preprocess", name] : ["preprocess", name, "time"]),
        problem: `${name} would ask for features of another time than the rows'`,
        expected:
          timeField === null
            ? "dataset.time: the field with the rows' time, and the same field as the step's `time`"
            : `time: ${timeField}, as dataset.time says`,
        received: step.time ?? "no time, which is now",
        example: `time: ${timeField ?? "at"}`,
      });
    stores[name] = history.store;
  }
  return stores;
}
