import { compileExpression } from "filtrex";
import { ConfigurationError } from "../errors.ts";
import { didYouMean } from "../did-you-mean.ts";
import { dayOfYear, isoWeekday, parseDate, type CalendarDate } from "./dates.ts";
import { RowError, type Row } from "../row.ts";

/** What an expression can evaluate to. */
export type ExpressionValue = number | boolean | string;

const KEYWORDS = new Set(["and", "or", "not", "in", "if", "then", "else", "of", "mod"]);
const BUILT_IN = ["abs", "ceil", "empty", "exists", "floor", "log", "log2", "log10", "max", "min", "round", "sqrt"];

/** A slice with `start` and `end` as in Python: negative counts from the end, `end` is exclusive. */
function part(list: unknown, start: unknown, end?: unknown): number[] {
  if (!Array.isArray(list)) throw new TypeError("the first argument is not a number-list");
  const from = whole(start, "start");
  const values = (end === undefined ? list.slice(from) : list.slice(from, whole(end, "end"))) as number[];
  if (values.length === 0) throw new RangeError("an empty part of the list");
  return values;
}

function whole(value: unknown, name: string): number {
  if (typeof value !== "number" || !Number.isInteger(value)) throw new TypeError(`${name} is not a whole number`);
  return value;
}

function date(value: unknown): CalendarDate {
  const found = typeof value === "string" ? parseDate(value) : null;
  if (found === null) throw new TypeError("not a date (YYYY-MM-DD)");
  return found;
}

function number(value: unknown): number {
  if (typeof value !== "number") throw new TypeError("not a number");
  return value;
}

function string(value: unknown): string {
  if (typeof value !== "string") throw new TypeError("not a text");
  return value;
}

const average = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Functions that expressions can call besides filtrex's own.
 *
 * Dates: year, month, day, weekday (1 Monday … 7 Sunday), day_of_year (from 1), days_since(date, "YYYY-MM-DD"). Lists:
 * at(list, i), and sum/mean/std(list, start, end) with Python's slices (std is the population's). Numbers: sin, cos,
 * exp. Texts: length (characters), words (between white space), count(text, "piece"), digits, capitals (share of the
 * letters, 0 without any).
 */
const expressionFunctions: Readonly<Record<string, (...args: never[]) => number>> = {
  year: (d: unknown) => date(d).year,
  month: (d: unknown) => date(d).month,
  day: (d: unknown) => date(d).day,
  weekday: (d: unknown) => isoWeekday(date(d)),
  day_of_year: (d: unknown) => dayOfYear(date(d)),
  days_since: (d: unknown, origin: unknown) => date(d).days - date(origin).days,
  at(list: unknown, index: unknown) {
    const value = Array.isArray(list) ? (list as number[]).at(whole(index, "the index")) : undefined;
    if (value === undefined)
      throw new RangeError(
        Array.isArray(list)
          ? `index ${String(index)} is outside the list of ${list.length}`
          : "the first argument is not a number-list",
      );
    return value;
  },
  sum: (list: unknown, start: unknown = 0, end?: unknown) =>
    part(list, start, end).reduce((sum, value) => sum + value, 0),
  mean: (list: unknown, start: unknown = 0, end?: unknown) => average(part(list, start, end)),
  std(list: unknown, start: unknown = 0, end?: unknown) {
    const values = part(list, start, end);
    const middle = average(values);
    return Math.sqrt(average(values.map((value) => (value - middle) ** 2)));
  },
  sin: (x: unknown) => Math.sin(number(x)),
  cos: (x: unknown) => Math.cos(number(x)),
  exp: (x: unknown) => Math.exp(number(x)),
  length: (t: unknown) => [...string(t)].length,
  words: (t: unknown) => string(t).match(/\S+/g)?.length ?? 0,
  count(t: unknown, piece: unknown) {
    const part = string(piece);
    if (part === "") throw new RangeError("nothing to count");
    return string(t).split(part).length - 1;
  },
  digits: (t: unknown) => string(t).match(/\p{Nd}/gu)?.length ?? 0,
  capitals(t: unknown) {
    const letters = string(t).match(/\p{L}/gu) ?? [];
    return letters.length === 0 ? 0 : letters.filter((letter) => /\p{Lu}/u.test(letter)).length / letters.length;
  },
};

/**
 * Compiles one derived value. Names and functions are checked now, values only when a row is computed.
 *
 * @param place says where the expression is; called only for an error.
 * @param known columns and the derived values before this one.
 * @returns a function that throws RowError, naming the expression, when it has no value for a row.
 * @throws ConfigurationError naming the expression when it is malformed or uses an unknown name.
 */
export function compileDerived(
  name: string,
  expression: string,
  known: readonly string[],
  place: () => string,
): (values: Row) => ExpressionValue {
  const wrong = (problem: string, expected: string, hint: string | null, cause?: unknown) =>
    new ConfigurationError(
      {
        code: "expression",
        place: place(),
        problem,
        expected,
        received: expression,
        example: "weekday(date) <= 5 and month(date) == 12",
        ...(hint === null ? {} : { hint: `did you mean \`${hint}\`?` }),
      },
      { cause },
    );
  for (const used of namesIn(expression)) {
    const allowed = used.called ? [...BUILT_IN, ...Object.keys(expressionFunctions)] : known;
    if (!allowed.includes(used.name))
      throw wrong(
        `the expression uses the unknown ${used.called ? "function" : "value"} ${used.name}`,
        `one of ${allowed.join(", ") || "no value at all"}`,
        didYouMean(used.name, allowed),
      );
  }
  let evaluate: (values: object) => unknown;
  try {
    evaluate = compileExpression(expression, {
      extraFunctions: expressionFunctions as Record<string, (...args: unknown[]) => unknown>,
    });
  } catch (error) {
    throw wrong(
      "not a valid expression",
      String((error as Error).message)
        .split("\n")
        .at(-1) ?? "an expression",
      null,
      error,
    );
  }
  return (values) => {
    const value = evaluate(values);
    if (value instanceof Error)
      throw new RowError(
        name,
        `\`${expression}\` cannot be worked out`,
        "a number, a text, or true or false",
        value.message,
        { cause: value },
      );
    if (typeof value === "number" && !Number.isFinite(value))
      throw new RowError(name, `\`${expression}\` gives no finite number`, "a finite number", value);
    if (typeof value !== "number" && typeof value !== "boolean" && typeof value !== "string")
      throw new RowError(name, `\`${expression}\` gives no single value`, "a number, a text, or true or false", value);
    return value;
  };
}

/** The values that an expression uses. */
export function valuesIn(expression: string): Set<string> {
  return new Set(namesIn(expression).flatMap(({ name, called }) => (called ? [] : [name])));
}

/**
 * filtrex reports an unknown name only when a row is computed. Its lexical rules are simple enough to find the names
 * beforehand.
 */
function namesIn(expression: string): { name: string; called: boolean }[] {
  const found = expression.matchAll(/"(?:[^"\\]|\\.)*"|'((?:[^'\\]|\\.)*)'|\d[\w.]*|([A-Za-z$_][\w.$]*)(\s*\()?/g);
  return [...found].flatMap(([, quoted, bare, paren]) => {
    const name = quoted ?? bare;
    return name === undefined || (bare !== undefined && KEYWORDS.has(bare))
      ? []
      : [{ name, called: paren !== undefined }];
  });
}
