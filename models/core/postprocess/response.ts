import { ConfigurationError } from "../errors.ts";
import { compileDerived, type ExpressionValue } from "../expression/expression.ts";
import type { HeadResult } from "./result.ts";
import type { Head } from "./schema.ts";

/** Milliseconds, as in the standard answer's `timing`. */
export type ResponseTiming = { queueMs: number; inferenceMs: number; totalMs: number };

/** What expressions call the parts of a head's answer. */
export function headNames(heads: readonly Head[]): string[] {
  return heads.flatMap((head) => Object.keys(valuesOf(middleOf(head))).map((key) => `${head.name}.${key}`));
}

/** Compiles what writes those parts of an answer into the values of an expression. */
export function headValues(
  heads: readonly Head[],
): (results: Readonly<Record<string, HeadResult>>, values: Record<string, unknown>) => void {
  const named = heads.map(({ name }) => ({ name, label: `${name}.label`, score: `${name}.score` }));
  return (results, values) => {
    for (const { name, label, score } of named) {
      const result = results[name]!;
      if (result.kind === "classification") {
        values[label] = result.label;
        values[score] = result.score;
      } else for (const [key, value] of Object.entries(valuesOf(result))) values[`${name}.${key}`] = value;
    }
  };
}

/** Names that the expressions of `serving.response` may use. */
function namesOf(heads: readonly Head[]): string[] {
  return [...headNames(heads), ...Object.keys(timingValues({ queueMs: 0, inferenceMs: 0, totalMs: 0 }))];
}

/** What an expression can read of a head: single values, and the list of a forecast. */
function valuesOf(result: HeadResult): Record<string, unknown> {
  switch (result.kind) {
    case "classification":
      return { label: result.label, score: result.score };
    case "regression":
      return { value: result.value };
    case "ranking":
      return { first: result.items[0]!.id, score: result.items[0]!.score };
    case "series":
      return { values: result.values };
    case "spans":
      return { count: result.spans.length };
    case "text":
      return { text: result.text };
  }
}

/** A sample result of a head: scores and values of 0.5, the first label, an item, no spans, a word. */
function middleOf(head: Head): HeadResult {
  switch (head.kind) {
    case "classification":
      return { kind: "classification", label: head.labels[0]!, score: 0.5, probabilities: {} };
    case "regression":
      return { kind: "regression", value: 0.5 };
    case "ranking":
      return { kind: "ranking", items: [{ id: "item", score: 0.5 }] };
    case "series":
      return { kind: "series", values: new Array<number>(head.horizon).fill(0.5) };
    case "spans":
      return { kind: "spans", spans: [] };
    case "text":
      return { kind: "text", text: "word", finishReason: "stop", usage: null };
  }
}

const timingValues = ({ queueMs, inferenceMs, totalMs }: ResponseTiming) => ({
  "timing.queue_ms": queueMs,
  "timing.inference_ms": inferenceMs,
  "timing.total_ms": totalMs,
});

/** Explains what is wrong with an expression of `serving.response`; null when nothing is. */
export function responseProblem(expression: string, heads: readonly Head[]): string | null {
  try {
    compileDerived("", expression, namesOf(heads), () => "");
    return null;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const { problem, expected, hint } = error.diagnostic;
    return `${problem}; ${expected}${hint === undefined ? "" : `; ${hint}`}`;
  }
}

/**
 * Compiles `serving.response`. The result makes a prediction's own JSON object, without `notes`.
 *
 * @returns a function that throws RowError when an expression has no value or gives no finite number.
 * @throws ConfigurationError for an expression in which `responseProblem` finds something wrong.
 */
export function compileResponse(
  response: Readonly<Record<string, string>>,
  heads: readonly Head[],
): (results: Readonly<Record<string, HeadResult>>, timing: ResponseTiming) => Record<string, ExpressionValue> {
  const known = namesOf(heads);
  const fields = Object.entries(response).map(
    ([name, expression]) => [name, compileDerived(name, expression, known, () => `serving.response.${name}`)] as const,
  );
  const putHeads = headValues(heads);
  return (results, timing) => {
    const values: Record<string, unknown> = Object.assign(Object.create(null), timingValues(timing));
    putHeads(results, values);
    return Object.fromEntries(fields.map(([name, compute]) => [name, compute(values)]));
  };
}

/**
 * JSON Schema of that object. The type of a field is found by evaluating its expression for a sample answer.
 */
export function responseSchema(response: Readonly<Record<string, string>>, heads: readonly Head[]): object {
  const middle = Object.fromEntries(heads.map((head): [string, HeadResult] => [head.name, middleOf(head)]));
  const sample = compileResponse(response, heads)(middle, { queueMs: 1, inferenceMs: 1, totalMs: 1 });
  return {
    type: "object",
    required: Object.keys(response),
    properties: Object.fromEntries(
      Object.entries(response).map(([name, expression]) => [
        name,
        { type: typeof sample[name], description: expression },
      ]),
    ),
  };
}
