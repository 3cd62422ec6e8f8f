import type { z } from "zod";
import type { Diagnostic } from "../errors.ts";
import { didYouMean } from "../did-you-mean.ts";
import { exampleAt, yamlAt, type Examples } from "./schema-example.ts";
import { keysAt } from "./schema-keys.ts";
import { fieldPath, valueAt } from "../field-path.ts";
import { formatValue } from "../format-value.ts";

type Issue = z.core.$ZodIssue;
type Explained = Diagnostic & {
  path: (string | number)[];
  /** Point at the key instead of its value, because the key is the problem. */
  atKey: boolean;
};

/**
 * What the schema's own rules say about the right value, as the `params` of a custom issue. `at` is where the example
 * belongs, if not where the issue is.
 */
export type RightValue = { expected?: string; example?: unknown; at?: (string | number)[] };

type Context = { root: unknown; schema: z.ZodType; examples: Examples };

/**
 * Turns zod's issues about `value` into diagnostics that name the path. For a union, they are those of the member that
 * fits best.
 */
export function explainIssues(
  issues: readonly Issue[],
  value: unknown,
  schema: z.ZodType,
  examples: Examples,
): Explained[] {
  return issues.flatMap((issue) => explain(issue, [], { root: value, schema, examples }));
}

function explain(issue: Issue, prefix: (string | number)[], context: Context): Explained[] {
  const { root, schema, examples } = context;
  const path = [...prefix, ...issue.path.map((part) => (typeof part === "number" ? part : String(part)))];
  const received = valueAt(root, path);
  const name = fieldPath(path);
  const missing = received === undefined;
  const rightAt = (place: readonly (string | number)[]): Partial<Diagnostic> => {
    const example = exampleAt(schema, place, root, examples);
    return example === undefined ? {} : { example };
  };
  const diagnostic = (code: string, problem: string, expected: string, extra: Partial<Explained> = {}): Explained[] => [
    {
      code,
      path,
      atKey: missing,
      problem,
      expected,
      received: missing ? "nothing" : formatValue(received),
      ...rightAt(path),
      ...extra,
    },
  ];
  /** The hint and the example for a word that stands for one of several. */
  const meant = (words: readonly string[]): Partial<Diagnostic> => {
    const near = typeof received === "string" ? didYouMean(received, words) : null;
    return near === null ? {} : { hint: `did you mean \`${near}\`?`, example: yamlAt(path, near) };
  };

  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => {
        const known = keysAt(schema, path, root);
        const near = didYouMean(key, known);
        return {
          code: "config-unknown-key",
          path: [...path, key],
          atKey: true,
          problem: `unknown key \`${fieldPath([...path, key])}\``,
          expected: known.length > 0 ? `one of ${known.join(", ")}` : "a key of the schema",
          received: key,
          ...(near === null ? {} : { hint: `did you mean \`${near}\`?` }),
          // Without a key that is near, the map that has it is shown as it should be.
          ...rightAt(near === null ? path : [...path, near]),
        };
      });
    case "invalid_union": {
      const options = (issue as { options?: unknown[] }).options?.filter((option) => option !== undefined);
      if (issue.errors.length === 0) {
        const expected = options === undefined ? "another value" : `one of ${options.map(String).join(", ")}`;
        return diagnostic(
          missing ? "config-missing" : "config-value",
          missing ? `\`${name}\` is missing` : `\`${name}\` has an unknown value`,
          expected,
          meant((options ?? []).map(String)),
        );
      }
      const best = closest(issue.errors);
      if (best !== null) return best.flatMap((inner) => explain(inner, path, context));
      const percent = percentOf(received);
      if (percent !== null && keysAt(schema, path, root).includes("relative"))
        return diagnostic(
          "config-type",
          `\`${name}\` is a percentage as text`,
          "a number in the metric's unit, or {relative: FRACTION of the baseline's value}",
          { example: yamlAt(path, { relative: percent }) },
        );
      const kinds = issue.errors.map((inner) => (inner[0] === undefined ? "another value" : expectation(inner[0])));
      return diagnostic(
        missing ? "config-missing" : "config-type",
        missing ? `\`${name}\` is missing` : `\`${name}\` is none of the forms it may have`,
        [...new Set(kinds)].join(", or "),
      );
    }
    case "invalid_key":
      return diagnostic("config-key", `\`${name}\` is not a possible name`, issue.issues.map(expectation).join("; "), {
        received: String(path.at(-1)),
        atKey: true,
        ...rightAt([...path.slice(0, -1), "some-name"]),
      });
    case "custom": {
      const { expected, example, at } = (issue.params ?? {}) as RightValue;
      return diagnostic(
        "config-inconsistent",
        name === "" ? issue.message : `\`${name}\`: ${issue.message}`,
        expected ?? issue.message,
        example === undefined ? {} : { example: yamlAt(at ?? path, example) },
      );
    }
    default: {
      const expected = expectation(issue);
      if (missing) return diagnostic("config-missing", `\`${name}\` is missing`, expected);
      return diagnostic(
        issue.code === "invalid_type" ? "config-type" : "config-value",
        `\`${name || "the file"}\` ${issue.code === "invalid_type" ? "has the wrong type" : "has a wrong value"}`,
        expected,
        issue.code === "invalid_value" ? meant(issue.values.map(String)) : numberIn(received, path, expected),
      );
    }
  }
}

/** "1%" or "1 %" → 0.01; null for anything else. */
function percentOf(value: unknown): number | null {
  const digits = typeof value === "string" ? /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(value)?.[1] : undefined;
  return digits === undefined ? null : Number((Number(digits) / 100).toPrecision(12));
}

/** `80%` where a number belongs: the example is the number. */
function numberIn(received: unknown, path: (string | number)[], expected: string): Partial<Diagnostic> {
  const percent = percentOf(received);
  return percent === null || expected !== "a number" ? {} : { example: yamlAt(path, percent) };
}

/**
 * The issues of the union member that was most likely meant: the member with the fewest issues among those that accept
 * the value's type.
 */
function closest(members: readonly (readonly Issue[])[]): readonly Issue[] | null {
  const near = members.filter(
    (issues) =>
      !issues.some(
        (issue) => issue.path.length === 0 && (issue.code === "invalid_type" || issue.code === "invalid_value"),
      ),
  );
  return near.sort((a, b) => a.length - b.length)[0] ?? null;
}

function expectation(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return (
        {
          object: "a map",
          record: "a map",
          array: "a list",
          int: "a whole number",
          number: "a number",
          string: "a text",
          boolean: "true or false",
        }[issue.expected as string] ?? String(issue.expected)
      );
    case "invalid_value":
      return issue.values.length === 1 ? formatValue(issue.values[0]) : `one of ${issue.values.map(String).join(", ")}`;
    case "too_small":
      return `${issue.inclusive === false ? "more than" : "at least"} ${issue.minimum}${unit(issue.origin)}`;
    case "too_big":
      return `${issue.inclusive === false ? "less than" : "at most"} ${issue.maximum}${unit(issue.origin)}`;
    case "invalid_format":
      return issue.message.startsWith("Invalid") ? `a text like ${issue.pattern ?? issue.format}` : issue.message;
    default:
      return issue.message;
  }
}

const unit = (origin: string) =>
  ({ string: " characters", array: " items", set: " items", map: " entries" })[origin] ?? "";
