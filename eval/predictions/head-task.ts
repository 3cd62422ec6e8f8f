import type { Manifest, Task } from "../../models/core/manifest/manifest.ts";
import type { Head } from "../../models/core/postprocess/schema.ts";

const textTasks: readonly Task[] = ["speech-to-text", "translation", "text-generation"];

/** The task as which one head's predictions are measured. What a number or a text is, the model's own task says. */
export function taskOfHead(head: Head, model: Pick<Manifest, "task">): Task {
  switch (head.kind) {
    case "classification":
      return head.labels.length === 2 ? "binary-classification" : "multiclass-classification";
    case "regression":
      return model.task === "forecasting" ? "forecasting" : "regression";
    case "series":
      return "forecasting";
    case "ranking":
      return "ranking";
    case "spans":
      return "token-classification";
    case "text":
      return textTasks.includes(model.task) ? model.task : "text-generation";
  }
}
