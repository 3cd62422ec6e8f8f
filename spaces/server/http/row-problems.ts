import type { z } from "zod";
import type { Row } from "../../../models/core/preprocess/row-error.ts";
import { show } from "../../../models/core/show.ts";
import type { FieldProblem } from "./problem.ts";

const MOST_PROBLEMS = 20;

/** Every field of a row that its model's schema refuses, with its path below `at`; empty when the row is well formed. */
export function rowProblems(schema: z.ZodObject, row: unknown, at = ""): FieldProblem[] {
  if (typeof row !== "object" || row === null || Array.isArray(row)) return [{ field: at, problem: "not a row", expected: "an object of the model's fields", received: show(row) }];
  const result = schema.safeParse(row);
  if (result.success) return [];
  return result.error.issues.slice(0, MOST_PROBLEMS).map((issue) => {
    const value = valueAt(row as Row, issue.path);
    return { field: pathOf(issue.path, at), problem: value === undefined ? "missing" : issue.message.toLowerCase().replace(/^invalid input: /, ""), received: show(value) };
  });
}

/** `history[3]`, below a row that itself stands at `rows[2]`. */
export function pathOf(path: readonly PropertyKey[], at: string): string {
  return path.reduce<string>((text, part) => (typeof part === "number" ? `${text}[${part}]` : text === "" ? String(part) : `${text}.${String(part)}`), at);
}

function valueAt(row: Row, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, part) => (typeof value === "object" && value !== null && Object.hasOwn(value, part) ? (value as Record<PropertyKey, unknown>)[part] : undefined), row);
}
