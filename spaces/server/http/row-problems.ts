import type { z } from "zod";
import { fieldPath, valueAt } from "../../../models/core/field-path.ts";
import type { Row } from "../../../models/core/row.ts";
import { formatValue } from "../../../models/core/format-value.ts";
import type { ServedModel } from "../serving/served-model.ts";
import type { FieldProblem } from "./problem.ts";

const MAX_PROBLEMS = 20;
const MAX_EXAMPLE_CHARACTERS = 100;

type Issue = z.core.$ZodIssue;

/** Every field of a row that the model's schema refuses, with its path below `at`; empty for a well-formed row. */
export function rowProblems(
  model: Pick<ServedModel, "rowSchema" | "example">,
  row: unknown,
  at = "",
): readonly FieldProblem[] {
  if (typeof row !== "object" || row === null || Array.isArray(row))
    return [
      {
        field: at,
        problem: "not a row",
        expected: "an object of the model's fields",
        received: formatValue(row),
        ...exampleOf(model.example, ""),
      },
    ];
  const result = model.rowSchema.safeParse(row);
  if (result.success) return [];
  return result.error.issues.slice(0, MAX_PROBLEMS).map((issue) => {
    const value = valueAt(row, issue.path);
    const { problem, expected } = words(issue);
    return {
      field: fieldPath(issue.path, at),
      problem: value === undefined ? "missing" : problem,
      expected,
      received: formatValue(value),
      ...exampleOf(model.example, fieldPath(issue.path)),
    };
  });
}

const TYPES: Record<string, string> = {
  number: "a number",
  string: "a text",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  int: "a whole number",
};

function words(issue: Issue): { problem: string; expected: string } {
  switch (issue.code) {
    case "invalid_type": {
      const expected = TYPES[issue.expected] ?? issue.expected;
      return { problem: `not ${expected}`, expected };
    }
    case "too_small":
    case "too_big": {
      const bound = Number(issue.code === "too_small" ? issue.minimum : issue.maximum);
      const limit = `${issue.exact === true ? "exactly" : issue.code === "too_small" ? "at least" : "at most"} ${bound}`;
      if (issue.origin === "array") return { problem: "a list of another length", expected: `${limit} values` };
      if (issue.origin === "string")
        return {
          problem: issue.code === "too_small" ? "a text that is too short" : "a text that is too long",
          expected: `${limit} characters`,
        };
      return { problem: "a number out of range", expected: limit };
    }
    case "invalid_format":
      return issue.format === "date"
        ? { problem: "not a calendar date", expected: "a date YYYY-MM-DD" }
        : { problem: "a text of another form", expected: issue.format };
    case "invalid_value":
      return { problem: "an unknown value", expected: `one of ${issue.values.map(String).join(", ")}` };
    default:
      return { problem: "not usable", expected: "a value of the model's schema" };
  }
}

/** The value of a field in the model's first serving example; empty if there is none. */
export function exampleOf(example: Row | null, field: string): { example?: string } {
  if (example === null) return {};
  const value = valueAt(example, field.match(/[^.[\]]+/g) ?? []);
  if (value === undefined || ArrayBuffer.isView(value)) return {};
  const text = JSON.stringify(value);
  return { example: text.length <= MAX_EXAMPLE_CHARACTERS ? text : `${text.slice(0, MAX_EXAMPLE_CHARACTERS)}…` };
}
