import type { HeadResult } from "./result.ts";

/** Parts of an answer that become columns of a table, each named HEAD_PART. Lists are written as JSON. */
const parts = {
  classification: ["label", "score"],
  regression: ["value"],
  ranking: ["items"],
  series: ["values", "quantiles"],
  spans: ["spans"],
  text: ["text"],
} as const satisfies Record<HeadResult["kind"], readonly string[]>;

export type AnswerHead = { name: string; kind: HeadResult["kind"]; flag?: unknown };

/** A forecast that is compared with observed values flags some of them. */
export const partsOf = ({ kind, flag }: AnswerHead): readonly string[] =>
  flag === undefined ? parts[kind] : [...parts[kind], "flagged"];

/** The columns that the answers of these heads take. */
export const answerColumns = (heads: readonly AnswerHead[]): string[] =>
  heads.flatMap((head) => partsOf(head).map((part) => `${head.name}_${part}`));
