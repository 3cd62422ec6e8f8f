import { data, Evaluator, Lexer, Parser } from "@actions/expressions";

/** JSON, of which all contexts consist, as on GitHub. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type Contexts = Readonly<Record<string, Json>>;
/**
 * Functions in addition to the built-in ones: success, failure, cancelled, always, hashFiles. Arguments are strings.
 */
export type Functions = Readonly<Record<string, (...args: string[]) => Json>>;
type Scope = { contexts: Contexts; functions?: Functions };

/** An expression that GitHub would refuse, or that cannot be evaluated. */
class ExpressionFailure extends Error {
  override readonly name = "ExpressionFailure";
}

// Which contexts are allowed in which place is checked when the file is read. Here every known name is accepted.
const contextNames = [
  "github",
  "env",
  "vars",
  "job",
  "jobs",
  "steps",
  "runner",
  "secrets",
  "strategy",
  "matrix",
  "needs",
  "inputs",
];
const statusNames = ["success", "failure", "cancelled", "always"];
const functionInfos = [
  ...statusNames.map((name) => ({ name, minArgs: 0, maxArgs: 255 })),
  { name: "hashfiles", minArgs: 1, maxArgs: 255 },
];

function toData(value: Json): data.ExpressionData {
  if (value === null) return new data.Null();
  if (typeof value === "boolean") return new data.BooleanData(value);
  if (typeof value === "number") return new data.NumberData(value);
  if (typeof value === "string") return new data.StringData(value);
  if (Array.isArray(value)) return new data.Array(...(value as readonly Json[]).map(toData));
  return new data.Dictionary(
    ...Object.entries(value as Record<string, Json>)
      .filter(([, one]) => one !== undefined)
      .map(([key, one]) => ({ key, value: toData(one) })),
  );
}

function toJson(value: data.ExpressionData): Json {
  switch (value.kind) {
    case data.Kind.Null:
      return null;
    case data.Kind.Array:
      return (value as data.Array).values().map(toJson);
    case data.Kind.Dictionary:
      return Object.fromEntries((value as data.Dictionary).pairs().map((pair) => [pair.key, toJson(pair.value)]));
    default:
      return (value as data.StringData | data.NumberData | data.BooleanData).value;
  }
}

function evaluateData(expression: string, { contexts, functions = {} }: Scope): data.ExpressionData {
  try {
    const { tokens } = new Lexer(expression).lex();
    const tree = new Parser(tokens, contextNames, functionInfos).parse();
    const named = new Set(tokens.map((token) => token.lexeme.toLowerCase()));
    const root = new data.Dictionary(
      ...contextNames.filter((name) => named.has(name)).map((key) => ({ key, value: toData(contexts[key] ?? null) })),
    );
    const defined = functionInfos
      .filter(({ name }) => functions[name] !== undefined)
      .map(
        (info) =>
          [
            info.name,
            {
              ...info,
              call: (...args: data.ExpressionData[]) =>
                toData((functions[info.name] as (...args: string[]) => Json)(...args.map((one) => one.coerceString()))),
            },
          ] as const,
      );
    const missing = functionInfos.find(
      ({ name }) =>
        functions[name] === undefined &&
        tokens.some((token, at) => token.lexeme.toLowerCase() === name && tokens[at + 1]?.lexeme === "("),
    );
    if (missing !== undefined) throw new Error(`Unrecognized function: '${missing.name}'`);
    return new Evaluator(tree, root, new Map(defined)).evaluate();
  } catch (error) {
    throw new ExpressionFailure(
      `${error instanceof Error ? error.message : String(error)}. Located in expression: ${expression.trim()}`,
      { cause: error },
    );
  }
}

/** Splits a text into literal pieces and expressions between ${{ and }}. A quoted }} does not end an expression. */
function pieces(text: string): { expression: boolean; text: string }[] {
  const found: { expression: boolean; text: string }[] = [];
  let at = 0;
  for (;;) {
    const start = text.indexOf("${{", at);
    if (start < 0) break;
    let end = start + 3;
    for (let quoted = false; end < text.length && (quoted || !text.startsWith("}}", end)); end += 1)
      if (text[end] === "'") quoted = !quoted;
    if (end >= text.length) throw new ExpressionFailure(`The expression is not closed. Located in: ${text}`);
    if (start > at) found.push({ expression: false, text: text.slice(at, start) });
    found.push({ expression: true, text: text.slice(start + 3, end) });
    at = end + 2;
  }
  if (at < text.length) found.push({ expression: false, text: text.slice(at) });
  return found;
}

/**
 * Replaces the expressions in a value, recursively. A text that consists of one expression takes the type of its
 * result.
 */
export function interpolate(value: unknown, scope: Scope): Json {
  if (typeof value === "string") {
    if (!value.includes("${{")) return value;
    const parts = pieces(value);
    if (parts.length === 1 && parts[0]?.expression === true) return toJson(evaluateData(parts[0].text, scope));
    return parts.map((part) => (part.expression ? evaluateData(part.text, scope).coerceString() : part.text)).join("");
  }
  if (Array.isArray(value)) return value.map((one) => interpolate(one, scope));
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [String(interpolate(key, scope)), interpolate(one, scope)]),
    );
  return (value ?? null) as Json;
}

/** Converts a value to text as GitHub does: null becomes empty, true becomes "true", objects become "Object". */
export const asText = (value: Json): string => toData(value).coerceString();
export const interpolateText = (value: unknown, scope: Scope): string => asText(interpolate(value, scope));
/** A mapping whose values are texts (env, with, outputs). One expression may also yield the whole mapping. */
export function interpolateTexts(value: unknown, scope: Scope): Record<string, string> {
  const map = interpolate(value ?? {}, scope);
  return Object.fromEntries(
    Object.entries((map ?? {}) as Record<string, Json>).map(([key, one]) => [key, asText(one)]),
  );
}

const truthy = (value: data.ExpressionData): boolean => {
  const json = toJson(value);
  return typeof json === "object"
    ? json !== null
    : typeof json === "number"
      ? json !== 0 && !Number.isNaN(json)
      : json !== false && json !== "";
};

/** `if:`. If it contains no status function, `success() &&` is put in front. */
export function condition(value: unknown, scope: Scope): boolean {
  const text = value === undefined || value === null || value === "" ? "success()" : String(value);
  const parts = text.includes("${{") ? pieces(text.trim()) : [{ expression: true, text }];
  const alone = parts.length === 1 && parts[0]?.expression === true;
  const expressions = parts.filter((part) => part.expression).map((part) => part.text);
  const asksStatus = expressions.some((one) => {
    try {
      const { tokens } = new Lexer(one).lex();
      return tokens.some(
        (token, at) => statusNames.includes(token.lexeme.toLowerCase()) && tokens[at + 1]?.lexeme === "(",
      );
    } catch {
      return false;
    }
  });
  if (!asksStatus && !truthy(evaluateData("success()", scope))) return false;
  if (alone) return truthy(evaluateData(parts[0]?.text as string, scope));
  // Text around an expression makes the condition a text, which is true unless it is empty. GitHub has the same
  // pitfall.
  return interpolateText(text, scope) !== "";
}
