import type { Head } from "../postprocess/schema.ts";
import type { ModelReasons } from "./schema.ts";

type Issue = { path: string[]; message: string; right?: { expected: string; example: unknown } };

/** The head whose answers get reasons: the named one, or the only one there is. */
export function reasonsHead({ head }: ModelReasons, heads: readonly Head[]): Head | null {
  if (head !== undefined) return heads.find(({ name }) => name === head) ?? null;
  return heads.length === 1 ? heads[0]! : null;
}

/** What in `reasons` does not fit the model's heads. */
export function reasonsIssues(reasons: ModelReasons | undefined, heads: readonly Head[]): Issue[] {
  if (reasons === undefined) return [];
  const names = heads.map(({ name }) => name);
  const head = reasonsHead(reasons, heads);
  if (head === null)
    return [
      {
        path: reasons.head === undefined ? [] : ["head"],
        message: reasons.head === undefined ? "the model has several heads" : `no head "${reasons.head}"`,
        right: { expected: `head: one of ${names.join(", ")}`, example: { ...reasons, head: names[0] } },
      },
    ];
  const binary = head.kind === "classification" && head.labels.length === 2;
  if (!binary && head.kind !== "regression")
    return [{ path: ["head"], message: "reasons are for a head with two labels or a regression head" }];
  return binary || reasons.answers === "all"
    ? []
    : [
        {
          path: ["answers"],
          message: `${head.name} has no positive label`,
          right: { expected: "answers: all", example: "all" },
        },
      ];
}
