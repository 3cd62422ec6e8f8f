import type { RawAnswer } from "../postprocess/compiled.ts";
import type { HeadResult } from "../postprocess/result.ts";

const NOTHING: RawAnswer = { numbers: [], exact: [], ranked: [] };

/** What an answer is compared by: its probabilities, values or scores within a tolerance, texts and places exactly. */
export function rawAnswer(result: HeadResult): RawAnswer {
  switch (result.kind) {
    case "classification":
      return { ...NOTHING, numbers: Object.values(result.probabilities) };
    case "regression":
      return { ...NOTHING, numbers: [result.value] };
    case "series":
      return { ...NOTHING, numbers: [...result.values, ...(result.quantiles ?? []).flatMap(({ values }) => values)] };
    case "ranking":
      return { ...NOTHING, ranked: result.items };
    case "spans":
      return {
        ...NOTHING,
        numbers: result.spans.map(({ score }) => score),
        exact: result.spans.flatMap(({ start, end, type }) => [start, end, type]),
      };
    case "text":
      return { ...NOTHING, exact: [result.text] };
  }
}
