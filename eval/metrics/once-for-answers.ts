import type { Answers } from "../predictions/predictions.ts";
import type { AnswerRows } from "./definition.ts";

const known = new WeakMap<Answers, Map<string, unknown>>();

/** What `compute` gives for some answers, computed once however many metrics, slices and checks ask for it. */
export function onceForAnswers<Value>(answers: Answers, key: string, compute: () => Value): Value {
  let values = known.get(answers);
  if (values === undefined) known.set(answers, (values = new Map<string, unknown>()));
  if (!values.has(key)) values.set(key, compute());
  return values.get(key) as Value;
}

/** The cells of the rows of a sample, from those of all rows, row-major, n × width. */
export function cellsOfRows({ rows }: AnswerRows, all: Float64Array, width: number): Float64Array {
  const cells = new Float64Array(rows.length * width);
  for (let i = 0; i < rows.length; i++) {
    const from = (rows[i] as number) * width;
    for (let k = 0; k < width; k++) cells[i * width + k] = all[from + k] as number;
  }
  return cells;
}
