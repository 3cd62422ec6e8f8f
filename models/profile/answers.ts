import { positiveLabel } from "../core/postprocess/classification.ts";
import type { HeadResult } from "../core/postprocess/result.ts";
import type { Head } from "../core/postprocess/schema.ts";

/** A variable that is read of an answer. `categories` null: any text. */
export type AnswerVariable = {
  name: string;
  head: string;
  kind: "numbers" | "categories";
  categories: readonly string[] | null;
  read: (result: HeadResult) => number | string;
};

/** What is counted of each head's answers. A text itself is not looked at, only how long it is. */
export function answerVariables(heads: readonly Head[]): AnswerVariable[] {
  return heads.flatMap((head): AnswerVariable[] => {
    const numbers = (what: string, read: AnswerVariable["read"]): AnswerVariable => ({
      name: `${head.name}.${what}`,
      head: head.name,
      kind: "numbers",
      categories: null,
      read,
    });
    switch (head.kind) {
      case "classification": {
        const score = (result: HeadResult) => (result.kind === "classification" ? result.score : Number.NaN);
        return [
          numbers(head.labels.length === 2 ? "score" : "confidence", score),
          {
            name: `${head.name}.label`,
            head: head.name,
            kind: "categories",
            categories: classesOf(head),
            read: (result) => (result.kind === "classification" ? result.label : ""),
          },
        ];
      }
      case "regression":
        return [numbers("value", (result) => (result.kind === "regression" ? result.value : Number.NaN))];
      case "series":
        return [
          numbers("first_step", (result) => (result.kind === "series" ? (result.values[0] ?? Number.NaN) : Number.NaN)),
        ];
      case "ranking":
        return [
          {
            name: `${head.name}.first`,
            head: head.name,
            kind: "categories",
            categories: null,
            read: (result) => (result.kind === "ranking" ? (result.items[0]?.id ?? "") : ""),
          },
        ];
      case "spans":
        return [numbers("spans", (result) => (result.kind === "spans" ? result.spans.length : Number.NaN))];
      case "text":
        return [numbers("characters", (result) => (result.kind === "text" ? result.text.length : Number.NaN))];
    }
  });
}

/** The labels of a head; of two, the positive one second. */
export function classesOf(head: Head & { kind: "classification" }): readonly string[] {
  if (head.labels.length !== 2) return head.labels;
  const positive = positiveLabel(head);
  return [...head.labels.filter((label) => label !== positive), positive];
}
