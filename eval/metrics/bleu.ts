import type { TokenizerName } from "../../models/core/manifest/metric-options.ts";
import { type MetricDefinition, translationTasks } from "./definition.ts";
import { commonCount, ngramCounts } from "./ngram-counts.ts";
import { cellsOfRows, onceForAnswers } from "./once-for-answers.ts";
import { sumDefinition } from "./row-mean.ts";
import { referenceCount, sacrebleuVersion, type Texts, textsOf } from "./texts.ts";
import { tokenizers } from "./tokenizers/by-name.ts";

const maxOrder = 4;
/** Length of the answer, of the nearest reference, matches per order, n-grams of the answer per order. */
const width = 2 + 2 * maxOrder;

function rowStatistics({ references, hypotheses }: Texts, tokenizer: TokenizerName, lowercase: boolean): Float64Array {
  const tokenize = tokenizers[tokenizer];
  const cut = (text: string): string[] => tokenize((lowercase ? text.toLowerCase() : text).trimEnd());
  const cells = new Float64Array(width * hypotheses.length);
  hypotheses.forEach((hypothesis, row) => {
    const sequences = [cut(hypothesis), ...(references[row] as string[]).map(cut)];
    const [length, ...lengths] = sequences.map((sequence) => sequence.length) as [number, ...number[]];
    const at = row * width;
    cells[at] = length;
    // The reference whose length is nearest, the shorter one of two.
    cells[at + 1] = lengths.reduce((best, one) =>
      Math.abs(one - length) < Math.abs(best - length) ||
      (Math.abs(one - length) === Math.abs(best - length) && one < best)
        ? one
        : best,
    );
    ngramCounts(sequences, maxOrder).forEach(([own, ...others], i) => {
      const most = (others[0] as Uint32Array).slice();
      for (const other of others.slice(1))
        for (let k = 0; k < most.length; k++) most[k] = Math.max(most[k] as number, other[k] as number);
      cells[at + 2 + i] = commonCount(own as Uint32Array, most);
      cells[at + 2 + maxOrder + i] = Math.max(0, length - i);
    });
  });
  return cells;
}

/**
 * BLEU from the sums of the row statistics, which start at `offset`.
 * @param scale what turns the sums into those of the whole sample: smoothing depends on how large they are
 */
function bleuOf(sums: Float64Array, offset: number, scale: number): number {
  const answer = sums[offset] as number;
  const reference = sums[offset + 1] as number;
  let logarithms = 0;
  let smoothing = 1;
  let matched = false;
  for (let n = 0; n < maxOrder; n++) {
    const matches = (sums[offset + 2 + n] as number) * scale;
    const total = (sums[offset + 2 + maxOrder + n] as number) * scale;
    if (matches > 0) matched = true;
    if (!(total > 0)) return 0;
    if (!(matches > 0)) smoothing *= 2;
    logarithms += Math.log(matches > 0 ? matches / total : 1 / (smoothing * total));
  }
  if (!matched) return 0;
  const brevity = answer < reference ? Math.exp(1 - reference / answer) : 1;
  return 100 * brevity * Math.exp(logarithms / maxOrder);
}

/**
 * BLEU of the whole sample, 0 to 100, higher is better: the geometric mean of the precisions of 1- to 4-grams, each
 * n-gram counted at most as often as in a reference, times exp(1 - r/c) for answers shorter than the references. K.
 * Papineni et al., ACL 2002. As sacreBLEU 2.6.0 with its defaults (M. Post, WMT 2018): smoothing "exp", no effective
 * order, nearest reference length; `tokenizer` and `lowercase` as there.
 *
 * Interval: of a function of the sums of n-gram counts, BCa over rows (sentences), ABC above 5,000.
 */
export const bleu: MetricDefinition = {
  ...sumDefinition(
    {
      name: "bleu",
      tasks: translationTasks,
      direction: "higher",
      unit: "",
      range: [0, 100],
      defaultOptions: { tokenizer: "13a", lowercase: false },
    },
    {
      demand: "any",
      range: [0, 100],
      byClass: false,
      heavyTails: "always",
      prepare(sample, { tokenizer = "13a", lowercase = false }) {
        const texts = textsOf(sample);
        if (texts === null) return "the predictions are no texts";
        const all = onceForAnswers(texts.of, `bleu ${tokenizer} ${lowercase}`, () =>
          rowStatistics(texts.of, tokenizer, lowercase),
        );
        const rows = texts.rows.length;
        return {
          cells: cellsOfRows(texts, all, width),
          width,
          value: (sums, offset, total) => bleuOf(sums, offset, rows / total),
          whyUndefined: "the sums of n-gram counts overflow",
          linear: false,
          trials: rows,
          largest: 100,
        };
      },
    },
  ),
  signature: (sample, { tokenizer = "13a", lowercase = false }) =>
    `nrefs:${referenceCount(sample)}|case:${lowercase ? "lc" : "mixed"}|eff:no|tok:${tokenizer}|smooth:exp|${sacrebleuVersion}`,
};
