import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Document } from "yaml";
import type { z } from "zod";
import { ConfigurationError, type Diagnostic } from "../errors.ts";
import { explainIssues } from "./config-issues.ts";
import type { Examples } from "./schema-example.ts";

export type Path = readonly (string | number)[];
export type Position = { line: number; column: number };

/** A configuration file is written by hand; a megabyte of it is an accident or an attack. */
const MAX_CHARACTERS = 1_000_000;

/**
 * YAML text → the value that `schema` describes, with its defaults.
 *
 * @param file name that the diagnostics begin with, as the user would type it.
 * @param examples shown where their place is wrong; other places get one that is made from the schema.
 * @throws ConfigurationError that lists every problem with file:line:column, path, expected, received and an example.
 */
export function parseYaml<S extends z.ZodType>(
  text: string,
  file: string,
  schema: S,
  examples: Examples = {},
): z.output<S> {
  if (text.length > MAX_CHARACTERS)
    throw new ConfigurationError({
      code: "config-too-large",
      place: file,
      problem: "the file is too large",
      expected: `at most ${MAX_CHARACTERS} characters`,
      received: `${text.length} characters`,
    });
  const { value, place } = readYaml(text, file);
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  // A misspelt key is often why another one is missing, so it comes first.
  const explained = explainIssues(result.error.issues, value, schema, examples).toSorted(
    (a, b) => Number(b.code === "config-unknown-key") - Number(a.code === "config-unknown-key"),
  );
  throw combined(explained.map(({ path, atKey, ...rest }) => ({ place: place(path, atKey), ...rest })));
}

/**
 * Where a value is in YAML text: the position of its key in a map, or of the item in a list. A path that does not exist
 * gives the position of its nearest ancestor; text that is not YAML gives null.
 */
export function locate(text: string, path: Path): Position | null {
  try {
    const lines = new LineCounter();
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
    if (document.errors.length > 0) return null;
    return find(document, lines, path);
  } catch {
    return null;
  }
}

function readYaml(text: string, file: string) {
  try {
    const lines = new LineCounter();
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
    const problems = [...document.errors, ...document.warnings];
    if (problems.length > 0) {
      const diagnostics = problems.map((problem) => {
        const { line, col } = lines.linePos(problem.pos[0]);
        return syntaxDiagnostic(problem.code, problem.message, `${file}:${line}:${col}`, lineOf(text, line));
      });
      const [first] = diagnostics as [Diagnostic, ...Diagnostic[]];
      // What a parser finds after the first error is mostly a consequence of it. Keys that stand twice are not.
      throw (
        tabError(text, file) ??
        combined(first.code === "yaml-duplicate-key" ? diagnostics.filter(({ code }) => code === first.code) : [first])
      );
    }
    return {
      value: document.toJS() as unknown,
      place: (path: Path, atKey: boolean) => {
        const position = find(document, lines, path, atKey);
        return `${file}:${position.line}:${position.column}`;
      },
    };
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    // An unresolved alias, aliases that expand too far, or nesting too deep for the stack.
    throw new ConfigurationError(
      {
        code: "yaml-invalid",
        place: `${file}:1:1`,
        problem: `not readable as YAML: ${firstLine(String((error as Error).message))}`,
        expected: "a YAML 1.2 document",
      },
      { cause: error },
    );
  }
}

function syntaxDiagnostic(code: string, message: string, place: string, received: string): Diagnostic {
  const duplicate = code === "DUPLICATE_KEY";
  return {
    code: duplicate ? "yaml-duplicate-key" : "yaml-syntax",
    place,
    problem: duplicate ? "the same key twice in one map" : `not valid YAML: ${firstLine(message)}`,
    expected: duplicate ? "every key once" : "a YAML 1.2 document",
    received,
    example: duplicate ? "delete one of the two lines" : "key: value",
  };
}

/** The one error of a text that a tab indents; null when none does. */
function tabError(text: string, file: string): ConfigurationError | null {
  const line = text.split("\n").findIndex((one) => /^ *\t/.test(one));
  if (line === -1) return null;
  const received = text.split("\n")[line] ?? "";
  const indentation = /^[ \t]*/.exec(received)?.[0] ?? "";
  return new ConfigurationError({
    code: "yaml-tab",
    place: `${file}:${line + 1}:${indentation.indexOf("\t") + 1}`,
    problem: "a tab indents this line, and YAML takes only spaces",
    expected: "spaces",
    received: JSON.stringify(received.slice(0, 120)),
    example: `${indentation.replaceAll("\t", "  ")}${received.slice(indentation.length, 120).trimEnd()}`,
  });
}

function combined(diagnostics: Diagnostic[]): ConfigurationError {
  const [first, ...others] = diagnostics as [Diagnostic, ...Diagnostic[]];
  return new ConfigurationError(others.length === 0 ? first : { ...first, others });
}

function find(document: Document, lines: LineCounter, path: Path, atKey = true): Position {
  let node: unknown = document.contents;
  let offset = start(node) ?? 0;
  path.forEach((part, depth) => {
    const last = depth === path.length - 1;
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(part));
      if (pair === undefined) node = undefined;
      else {
        node = pair.value;
        offset = (last && !atKey ? start(pair.value) : undefined) ?? start(pair.key) ?? offset;
      }
    } else if (isSeq(node)) {
      node = typeof part === "number" ? node.items[part] : undefined;
      offset = start(node) ?? offset;
    } else node = undefined;
  });
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function start(node: unknown): number | undefined {
  return (node as { range?: [number, number, number] | null } | null | undefined)?.range?.[0];
}

const firstLine = (text: string) => text.split("\n", 1)[0] ?? "";
const lineOf = (text: string, line: number) =>
  (text.split("\n")[line - 1] ?? "").trim().slice(0, 120) || "the end of the file";
