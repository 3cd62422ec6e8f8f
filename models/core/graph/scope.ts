import { didYouMean } from "../did-you-mean.ts";
import { ConfigurationError } from "../errors.ts";
import { compileDerived, valuesIn } from "../expression/expression.ts";
import { valuesWith } from "../expression/values.ts";
import type { Field } from "../manifest/rows.ts";
import type { HeadResult } from "../postprocess/result.ts";
import type { Head } from "../postprocess/schema.ts";
import { missingField, fieldOf, type Row } from "../row.ts";
import { sampleOf } from "./fits.ts";
import { partsOf } from "./parts.ts";

/** What the steps before have answered to one row: step → head → result. */
export type Answers = Record<string, Readonly<Record<string, HeadResult>>>;

/** A value that an expression may read. */
export type Entry = { type: Field; read: (row: Row, answers: Answers) => unknown };
/** What may be read at a place of the graph, and the steps that have answered before it, with their heads. */
export type Scope = {
  values: ReadonlyMap<string, Entry>;
  steps: ReadonlyMap<string, readonly Head[]>;
};

/** A compiled expression: its type where that is known, and its value for a row. */
export type Value = { type: Field | null; read: (row: Row, answers: Answers) => unknown };

export function fieldEntry(name: string, type: Field): Entry {
  return {
    type,
    read(row) {
      const value = fieldOf(row, name);
      if (value === undefined) throw missingField(row, name, "the value is missing", "a value");
      return value;
    },
  };
}

/** The scope with a step's answer in it: STEP.HEAD.PART. */
export function withAnswer(scope: Scope, step: string, heads: readonly Head[]): Scope {
  const wider = new Map(scope.values);
  for (const head of heads)
    for (const part of partsOf(head)) {
      const read = part.read as (result: HeadResult) => unknown;
      wider.set(`${step}.${head.name}.${part.name}`, {
        type: part.type,
        read: (_, answers) => read(answers[step]![head.name]!),
      });
    }
  return { values: wider, steps: new Map([...scope.steps, [step, heads]]) };
}

/**
 * Compiles an expression. One that is nothing but a name passes the value on as it is, lists too.
 *
 * @param label names the expression in a row's error
 * @returns the value, or what is wrong in words
 */
export function compileValue(
  label: string,
  expression: string,
  { values: scope }: Pick<Scope, "values">,
): Value | { problem: string } {
  const bare = scope.get(expression.trim());
  if (bare !== undefined) return bare;
  let compute: ReturnType<typeof compileDerived>;
  try {
    compute = compileDerived(label, expression, [...scope.keys()], () => "");
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const { problem, hint } = error.diagnostic;
    const unknown = [...valuesIn(expression)].find((name) => !scope.has(name));
    const near = unknown === undefined ? null : didYouMean(unknown, [...scope.keys()]);
    return {
      problem: `${problem}${hint !== undefined ? `; ${hint}` : near === null ? "" : `; did you mean \`${near}\`?`}`,
    };
  }
  const names = [...valuesIn(expression)];
  const used = names.map((name) => ({ name, entry: scope.get(name)! }));
  const make = valuesWith(names);
  const sample = make();
  for (const { name, entry } of used) sample[name] = sampleOf(entry.type);
  return {
    type: typeOfResult(() => compute(sample)),
    read(row, answers) {
      const values = make();
      for (const { name, entry } of used) values[name] = entry.read(row, answers);
      return compute(values);
    },
  };
}

/** The type of what an expression gives for samples of its values; null where these give nothing. */
function typeOfResult(compute: () => unknown): Field | null {
  try {
    const value = compute();
    if (typeof value === "number") return { type: "number", optional: false };
    if (typeof value === "string") return { type: "text", optional: false };
    if (typeof value === "boolean") return { type: "boolean", optional: false };
    return null;
  } catch {
    return null;
  }
}
