import type { Manifest, Task } from "../../models/core/manifest/manifest.ts";
import type { Head } from "../../models/core/postprocess/schema.ts";

/** The task as which one head's predictions are measured. Only forecasting carries over from the model's own task. */
export function taskOfHead(head: Head, model: Pick<Manifest, "task">): Task {
  if (head.kind === "classification")
    return head.labels.length === 2 ? "binary-classification" : "multiclass-classification";
  return model.task === "forecasting" ? "forecasting" : "regression";
}
