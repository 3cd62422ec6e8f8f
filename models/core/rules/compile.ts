import { ConfigurationError } from "../errors.ts";
import { compileDerived, valuesIn, type ExpressionValue } from "../expression/expression.ts";
import { valuesWith } from "../expression/values.ts";
import type { HeadResult } from "../postprocess/result.ts";
import { headNames, headValues } from "../postprocess/response.ts";
import type { Head } from "../postprocess/schema.ts";
import type { PreprocessStep } from "../preprocess/schema.ts";
import type { LookedUp } from "../preprocess/compiled.ts";
import type { Lookup } from "../preprocess/lookup.ts";
import { columnReader } from "../preprocess/tabular.ts";
import { fieldOf, missingField, RowError, type Row } from "../row.ts";
import { compileEffect } from "./effect.ts";
import { headOf } from "./issues.ts";
import type { FiredRule } from "./reasons.ts";
import type { Rules } from "./schema.ts";

/** What the rules made of one row's answer. */
type RuledAnswer = {
  heads: Record<string, HeadResult>;
  /** In the order of the list. */
  fired: readonly FiredRule[];
  /** The model's own answer. */
  own: Record<string, HeadResult>;
};

export type CompiledRules = {
  /**
   * @param lookedUp what the lookup steps found for the row
   * @returns null when no rule fired: the answer is the model's own.
   * @throws RowError when a field or a rule has no value for the row
   */
  apply(row: Row, own: Record<string, HeadResult>, lookedUp?: LookedUp): RuledAnswer | null;
};

type Known = Map<
  string,
  {
    declared: unknown;
    /** Null for the parts of the model's answer. */
    value: Value | null;
    uses: ReadonlySet<string>;
    /** Where the name is declared again as something else. */
    clash: (() => string) | null;
  }
>;
type Value = { name: string; at: (values: Row, row: Row, lookedUp: LookedUp) => unknown };

/**
 * Compiles the rules beside a model. Their expressions may use the columns and derived values of the model's tabular
 * steps, the fields of its text steps, the rules' own columns and derived values, and the model's own answer.
 *
 * @param lookups the model's lookup steps, whose features its columns may name
 * @param place names a part of `rules` in the manifest; called only for an error.
 * @throws ConfigurationError for a malformed expression, an unknown name, or a name that means two things.
 */
export function compileRules(
  rules: Rules,
  preprocess: Readonly<Record<string, PreprocessStep>>,
  heads: readonly Head[],
  place: (path: (string | number)[]) => string,
  lookups: Readonly<Record<string, Lookup>> = {},
): CompiledRules {
  const known: Known = new Map();
  for (const name of headNames(heads)) known.set(name, { declared: "head", value: null, uses: new Set(), clash: null });
  const learn = (
    name: string,
    declared: unknown,
    value: Value["at"],
    uses: ReadonlySet<string>,
    path: () => string,
  ) => {
    const before = known.get(name);
    if (before === undefined) known.set(name, { declared, value: { name, at: value }, uses, clash: null });
    else if (JSON.stringify(before.declared) !== JSON.stringify(declared)) before.clash = path;
  };
  const learnTable = (
    { columns, derive }: Pick<Rules, "columns" | "derive">,
    at: (key: string, name: string) => string,
  ) => {
    for (const [name, column] of Object.entries(columns)) {
      const { read } = columnReader(name, column, lookups, () => at("columns", name));
      learn(
        name,
        column,
        (_, row, lookedUp) => read(row, lookedUp),
        new Set(),
        () => at("columns", name),
      );
    }
    for (const [name, expression] of Object.entries(derive))
      learn(
        name,
        expression,
        compileDerived(name, expression, [...known.keys()], () => at("derive", name)),
        valuesIn(expression),
        () => at("derive", name),
      );
  };
  for (const step of Object.values(preprocess)) {
    if (step.kind === "tabular") learnTable(step, (key, name) => `${place([])} (${key} ${name})`);
    if (step.kind === "text")
      learn(
        step.field,
        "text",
        (_, row) => text(row, step.field),
        new Set(),
        () => place([]),
      );
  }
  learnTable(rules, (key, name) => place([key, name]));

  const compiled = rules.list.map((rule, i) => ({
    id: rule.id,
    fired: { rule: rule.id, reasons: rule.reasons } satisfies FiredRule,
    compute: compileDerived(`rules.${rule.id}`, rule.when, [...known.keys()], () => place(["list", i, "when"])),
    head: headOf(rule, heads)?.name ?? "",
    effect: compileEffect(rule, headOf(rule, heads)),
  }));
  const needed = needs(
    rules.list.map(({ when }) => when),
    known,
  );
  const newValues = valuesWith([...needed.map(({ name }) => name), ...headNames(heads)]);
  const putHeads = headValues(heads);

  return {
    apply(row, own, lookedUp = {}) {
      const values = newValues();
      for (const { name, at } of needed) values[name] = at(values, row, lookedUp);
      putHeads(own, values);
      let firing: typeof compiled | null = null;
      for (const rule of compiled) if (fires(rule.id, rule.compute(values))) (firing ??= []).push(rule);
      if (firing === null) return null;
      const answers = new Map(Object.entries(own));
      for (const { head, effect } of firing) if (effect !== null) answers.set(head, effect(answers.get(head)!));
      return { heads: Object.fromEntries(answers), fired: firing.map(({ fired }) => fired), own };
    },
  };
}

/** Only true fires. Nothing else is taken for it: 1 and "true" are mistakes. */
function fires(id: string, value: ExpressionValue): boolean {
  if (typeof value !== "boolean")
    throw new RowError(`rules.${id}`, "the condition of the rule is neither true nor false", "true or false", value);
  return value;
}

/**
 * The values that the conditions use, directly or through derived values, in the order in which they are computed.
 *
 * @throws ConfigurationError when one of them means two things.
 */
function needs(conditions: readonly string[], known: Known): Value[] {
  const wanted = new Set(conditions.flatMap((condition) => [...valuesIn(condition)]));
  // A derived value uses only names that were known before it.
  for (const [name, { uses }] of [...known].toReversed()) if (wanted.has(name)) for (const use of uses) wanted.add(use);
  return [...known].flatMap(([name, { value, clash }]) => {
    if (!wanted.has(name)) return [];
    if (clash === null) return value === null ? [] : [value];
    throw new ConfigurationError({
      code: "rule-name",
      place: clash(),
      problem: `the name ${name} means two things, and a rule uses it`,
      expected: "one declaration of it among the model's columns, texts and derived values and the rules' own",
      received: name,
    });
  });
}

function text(row: Row, name: string): string {
  const value = fieldOf(row, name);
  if (value === undefined || value === null) throw missingField(row, name, "the text is missing", "a text");
  if (typeof value !== "string") throw new RowError(name, "not a text", "a text", value);
  return value;
}
