import { ConfigurationError } from "../../models/core/errors.ts";
import type { Manifest } from "../../models/core/manifest/manifest.ts";
import type { Head } from "../../models/core/postprocess/schema.ts";
import { taskOfHead } from "../predictions/head-task.ts";
import { rankingColumns, spansColumns, textColumns } from "./answer-columns.ts";
import type { HeadColumns } from "./columns.ts";
import { classificationColumns, regressionColumns } from "./number-columns.ts";
import { seriesColumns, stepColumns } from "./series-columns.ts";

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
  return heads.map((head) => ({ head: head.name, task: taskOfHead(head, manifest), ...columnsOf(head) }));
}

function columnsOf(head: Head): Omit<HeadColumns, "head" | "task"> {
  switch (head.kind) {
    case "classification":
      return classificationColumns(head);
    case "regression":
      return { ...regressionColumns(head), ...stepColumns(head) };
    case "series":
      return seriesColumns(head);
    case "ranking":
      return rankingColumns(head);
    case "spans":
      return spansColumns(head);
    case "text":
      return textColumns(head);
  }
}
