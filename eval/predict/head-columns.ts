import { ConfigurationError, EvaluationError } from "../../models/core/errors.ts";
import type { Manifest, Task } from "../../models/core/manifest/manifest.ts";
import { positiveLabel, type HeadResult } from "../../models/core/postprocess/head.ts";
import type { DatasetRow } from "../dataset/row.ts";
import { taskOfHead } from "../predictions/head-task.ts";

/** How one head appears in `Predictions`: its classes, and the numbers that its answers and true values become. */
export type HeadColumns = {
  head: string;
  task: Task;
  /** Binary: [negative, positive]. Multiclass: the head's labels. Regression: empty. */
  classes: string[];
  /** Of a binary head, where it is declared. */
  threshold?: number;
  /** Numbers per row of `Predictions.scores`. */
  width: number;
  write: (result: HeadResult, into: Float64Array, at: number) => void;
  /** @throws EvaluationError `label-mismatch` when the head does not know the row's label */
  labelOf: (row: DatasetRow) => number;
};

function mismatch(head: string, row: DatasetRow, expected: string): EvaluationError {
  return new EvaluationError({
    code: "label-mismatch",
    problem: `the model's head "${head}" does not fit the dataset's label of row ${row.id}`,
    expected,
    received: JSON.stringify(row.labels[head]) ?? "no label",
  });
}

/**
 * The model's heads whose true values the dataset holds, in the manifest's order.
 * @param labelled heads that the dataset has labels for
 * @param names only these heads; default: all with labels
 * @throws ConfigurationError `no-labelled-head` when a named head has no labels, or when no head has
 */
export function headColumns(manifest: Manifest, labelled: readonly string[], names?: readonly string[]): HeadColumns[] {
  const strange = names?.find((name) => !labelled.includes(name));
  const heads = manifest.postprocess.filter(
    (head) => labelled.includes(head.name) && (names === undefined || names.includes(head.name)),
  );
  if (strange !== undefined || heads.length === 0) {
    throw new ConfigurationError({
      code: "no-labelled-head",
      place: "dataset.labels",
      problem:
        strange === undefined
          ? "the dataset has labels for no head of the model"
          : `the dataset has no labels for the head "${strange}"`,
      expected: `labels for ${manifest.postprocess.map((head) => head.name).join(", ")}`,
      received: labelled.join(", ") || "none",
      example: `labels:\n  ${manifest.postprocess[0]?.name ?? "head"}: {field: class}`,
    });
  }
  return heads.map((head): HeadColumns => {
    const task = taskOfHead(head, manifest);
    if (head.kind === "regression") {
      return {
        head: head.name,
        task,
        classes: [],
        width: 1,
        labelOf: (row) => {
          const label = row.labels[head.name];
          if (typeof label !== "number") throw mismatch(head.name, row, "a number");
          return label;
        },
        write: (result, into, at) => void (into[at] = (result as Extract<HeadResult, { value: number }>).value),
      };
    }
    const positive = positiveLabel(head);
    const classes =
      task === "binary-classification" ? [...head.labels.filter((label) => label !== positive), positive] : head.labels;
    const scored = task === "binary-classification" ? [positive] : classes;
    return {
      head: head.name,
      task,
      classes,
      ...(head.threshold === undefined ? {} : { threshold: head.threshold }),
      width: scored.length,
      labelOf: (row) => {
        const index = classes.indexOf(row.labels[head.name] as string);
        if (index === -1) throw mismatch(head.name, row, `one of ${classes.join(", ")}`);
        return index;
      },
      write: (result, into, at) => {
        const { probabilities } = result as Extract<HeadResult, { probabilities: unknown }>;
        scored.forEach((label, i) => void (into[at + i] = probabilities[label]!));
      },
    };
  });
}
