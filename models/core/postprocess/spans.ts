import { EvaluationError } from "../errors.ts";
import type { Prepared, Word } from "../preprocess/compiled.ts";
import type { RowContext, RowTensor, TensorsHead } from "./compiled.ts";
import { numbersOf } from "./numbers-of.ts";
import { notFinite } from "./numbers-head.ts";
import type { SpansResult } from "./result.ts";
import type { SpansHead } from "./schema.ts";
import { softmax } from "./softmax.ts";
import { readWordLabels, spansOfLabels } from "./word-labels.ts";

/**
 * Words → spans of the original text. A word's label is that of its first token; a span reaches from the start of its
 * first word to the end of its last.
 *
 * @param step the text step whose tokens the labels are of; it keeps the words (`Prepared`)
 * @throws ConfigurationError `head-labels`
 */
export function compileSpans(head: SpansHead, place: () => string, step: string): TensorsHead {
  const labels = readWordLabels(head.labels, head.name, place);
  const width = labels.length;
  return {
    kind: "tensors",
    head,
    readRow(outputs, context, rowName) {
      const { text, words, ids } = tokensOf(context, step);
      const logits = logitsOf(head, outputs[head.from], ids.length, rowName);
      const read = words.filter(({ token }) => token < ids.length);
      const chosen: number[] = [];
      const probabilities: number[] = [];
      for (const { token } of read) {
        const at = token * width;
        let top = 0;
        for (let i = 0; i < width; i++) {
          const logit = logits[at + i]!;
          if (!Number.isFinite(logit)) throw notFinite(head, rowName(), `${logit} at token ${token} of ${head.from}`);
          if (logit > logits[at + top]!) top = i;
        }
        chosen.push(top);
        probabilities.push(softmax(logits, at, width)[top]!);
      }
      const spans = spansOfLabels(chosen.map((top) => labels[top]!)).map(({ first, last, type }) => {
        const { start } = read[first]!;
        const { end } = read[last]!;
        const scores = probabilities.slice(first, last + 1);
        const score = scores.reduce((sum, one) => sum + one, 0) / scores.length;
        return { start, end, type, text: text.slice(start, end), score };
      });
      const result: SpansResult = { kind: "spans", spans };
      return read.length === words.length ? result : { ...result, readTo: words[read.length]!.start };
    },
    raw(outputs, context) {
      const { ids } = tokensOf(context, step);
      const logits = logitsOf(head, outputs[head.from], ids.length, () => "");
      return { numbers: Array.prototype.slice.call(logits, 0, ids.length * width) as number[], exact: [], ranked: [] };
    },
  };
}

function tokensOf(context: RowContext, step: string): { text: string; words: readonly Word[]; ids: readonly number[] } {
  const prepared: Prepared | undefined = context.steps[step];
  if (prepared?.kind !== "tokens" || prepared.words === undefined)
    throw new TypeError(`the text step ${step} keeps no words`);
  return { text: prepared.words.text, words: prepared.words.list, ids: prepared.ids };
}

/** @throws EvaluationError when the output is not one logit per label for each token of the row */
function logitsOf(
  head: SpansHead,
  tensor: RowTensor | undefined,
  tokens: number,
  rowName: () => string,
): ArrayLike<number> {
  if (
    tensor !== undefined &&
    tensor.dtype !== "string" &&
    tensor.dims.length === 2 &&
    tensor.dims[0]! >= tokens &&
    tensor.dims[1] === head.labels.length
  )
    return numbersOf(tensor.data);
  throw new EvaluationError({
    code: "output-size",
    place: rowName(),
    problem: `the output ${head.from} has another size than the head ${head.name} reads`,
    expected: `[batch, tokens, ${head.labels.length}], with at least ${tokens} tokens`,
    received: tensor === undefined ? "another number of rows than it was fed" : `[batch, ${tensor.dims.join(", ")}]`,
  });
}
