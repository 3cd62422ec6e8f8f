import type { z } from "zod";
import type { Diagnostic } from "../errors.ts";
import { didYouMean } from "../did-you-mean.ts";
import { keysAt } from "./schema-keys.ts";
import { fieldPath, valueAt } from "../field-path.ts";
import { formatValue } from "../format-value.ts";

type Issue = z.core.$ZodIssue;
type Explained = Diagnostic & {
  path: (string | number)[];
  /** Point at the key instead of its value, because the key is the problem. */
  atKey: boolean;
};

type Context = { root: unknown; schema: z.ZodType; examples: Readonly<Record<string, string>> };

/**
 * Turns zod's issues about `value` into diagnostics that name the path. For a union, they are those of the member that
 * fits best.
 */
export function explainIssues(
  issues: readonly Issue[],
  value: unknown,
  schema: z.ZodType,
  examples: Readonly<Record<string, string>>,
): Explained[] {
  return issues.flatMap((issue) => explain(issue, [], { root: value, schema, examples }));
}

function explain(issue: Issue, prefix: (string | number)[], context: Context): Explained[] {
  const { root, schema, examples } = context;
  const path = [...prefix, ...issue.path.map((part) => (typeof part === "number" ? part : String(part)))];
  const received = valueAt(root, path);
  const name = fieldPath(path);
  const exampleOf = (expected: string) => {
    const found = exampleFor(path, examples);
    return {
      example:
        found ??
        (path.length === 0
          ? "id: my-model"
          : typeof path.at(-1) === "number"
            ? `- ${sample(expected)}`
            : `${String(path.at(-1))}: ${sample(expected)}`),
    };
  };
  const missing = received === undefined;
  const diagnostic = (code: string, problem: string, expected: string, extra: Partial<Explained> = {}): Explained[] => [
    {
      code,
      path,
      atKey: missing,
      problem,
      expected,
      received: missing ? "nothing" : formatValue(received),
      ...exampleOf(expected),
      ...extra,
    },
  ];

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
          example: exampleFor([...path, near ?? key], examples) ?? `${near ?? known[0] ?? "key"}: …`,
        };
      });
    case "invalid_union": {
      const options = (issue as { options?: unknown[] }).options?.filter((option) => option !== undefined);
      if (issue.errors.length === 0) {
        const expected = options === undefined ? "another value" : `one of ${options.map(String).join(", ")}`;
        const near =
          options === undefined || typeof received !== "string" ? null : didYouMean(received, options.map(String));
        return diagnostic(
          missing ? "config-missing" : "config-value",
          missing ? `\`${name}\` is missing` : `\`${name}\` has an unknown value`,
          expected,
          near === null ? {} : { hint: `did you mean \`${near}\`?` },
        );
      }
      const best = closest(issue.errors);
      if (best !== null) return best.flatMap((inner) => explain(inner, path, context));
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
      });
    case "custom":
      return diagnostic(
        "config-inconsistent",
        name === "" ? issue.message : `\`${name}\`: ${issue.message}`,
        issue.message,
      );
    default: {
      const expected = expectation(issue);
      if (missing) return diagnostic("config-missing", `\`${name}\` is missing`, expected);
      const near =
        issue.code === "invalid_value" && typeof received === "string"
          ? didYouMean(received, issue.values.map(String))
          : null;
      return diagnostic(
        issue.code === "invalid_type" ? "config-type" : "config-value",
        `\`${name || "the file"}\` ${issue.code === "invalid_type" ? "has the wrong type" : "has a wrong value"}`,
        expected,
        near === null ? {} : { hint: `did you mean \`${near}\`?` },
      );
    }
  }
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

function exampleFor(
  path: readonly (string | number)[],
  examples: Readonly<Record<string, string>>,
): string | undefined {
  return Object.entries(examples).find(([pattern]) => {
    const parts = pattern.split(".");
    return parts.length === path.length && parts.every((part, i) => part === "*" || part === String(path[i]));
  })?.[1];
}

function sample(expected: string): string {
  if (expected.startsWith("one of ")) return expected.slice(7).split(", ")[0] ?? "…";
  return (
    {
      "a map": "{}",
      "a list": "[]",
      "a whole number": "1",
      "a number": "0.5",
      "a text": "some-text",
      "true or false": "true",
    }[expected] ??
    (/^(at least|more than) /.test(expected)
      ? (expected.split(" ")[2] ?? "…")
      : expected.startsWith('"')
        ? expected
        : "…")
  );
}
